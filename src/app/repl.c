#include "app/repl.h"
#include "app/journal.h"
#include "app/session.h"
#include "app/stand.h"
#include "app/terminal.h"
#include "host/loop.h"
#include "host/state.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Ctrl-C must find the host. */
static md_host *volatile repl_host;
static volatile sig_atomic_t repl_interrupted;

static void repl_signalled(int number) {
  (void)number;
  repl_interrupted = 1;
  if (repl_host != NULL) host_signal(repl_host);
}

static void repl_follow(app_session *r, md_note plan);

/* A copy tells what has happened. */
static void repl_tell(app_session *r, const char *what) {
  repl_follow(r, app_session_look(r, what, ""));
}

/* -- running -- */

/* Events: so many happen within a millisecond in any model, and so many are
   far: to keep a point costs as much. */
enum { REPL_NEAR = 1 << 10, REPL_FAR = 1 << 13 };

/* Lets the program go on until that many events have been, or that time is
   over; LUA_OK, or an error's status with its value on the main state. */
static int repl_go(app_session *r, uint64_t events, md_time time,
                   bool exactly) {
  md_host *h = r->host;
  app_stand stand;
  app_stand_begin(&stand, h, time, events, exactly, NULL);
  h->out.halt = false;
  repl_host = h;
  repl_interrupted = 0;
  signal(SIGINT, repl_signalled);
  int status = host_drive(h);
  signal(SIGINT, SIG_IGN);
  repl_host = NULL;
  h->out.signalled = 0;
  app_stand_end(&stand, h);
  return status;
}

static uint64_t repl_events(const md_host *h) {
  return h->first != NULL ? md_sim_events(h->first->kernel) : 0;
}

/* A point of the past, unless there is one not far from here. */
static void repl_keep_near(md_host *h) {
  char error[MD_IMAGE_ERROR];
  const host_past *past = host_travel_past(h);
  uint64_t far = past->count > 0 ? past->points[past->count - 1].events : 0;
  if (repl_events(h) - far <= REPL_FAR) return;
  travel_point *p = host_travel_keep(h, NULL, error);
  if (p != NULL) p->own = true;
}

/* The same on a long way. A point of the past is kept shortly before its end:
   back from there it is not far. Of a time half the way is gone as long as
   there are many events in that. */
static int repl_go_far(app_session *r, uint64_t events, md_time time) {
  const md_host *h = r->host;
  bool on = true;
  uint64_t was, now = repl_events(h);
  int status = LUA_OK;
  while (on && h->first != NULL && events - now > REPL_NEAR) {
    md_time at = md_sim_now(h->first->kernel), half = at + (time - at) / 2;
    uint32_t failures = h->out.failures;
    was = now;
    status = repl_go(r, events - REPL_NEAR, time < INT64_MAX ? half : INT64_MAX,
                     false);
    now = repl_events(h);
    on = status == LUA_OK && h->phase != HOST_OVER &&
         h->out.failures == failures && !repl_interrupted;
    if (now - was <= REPL_NEAR) break;
  }
  if (!on) return status;
  repl_keep_near(r->host);
  return repl_go(r, events, time, true);
}

static void repl_run(app_session *r, uint64_t events, md_time time) {
  md_host *h = r->host;
  host_travel_settle(h);
  uint32_t failures = h->out.failures;
  app_session_begin_rest(h);
  int status = h->phase == HOST_OVER ? LUA_OK : repl_go_far(r, events, time);
  r->interrupted = repl_interrupted;
  if (r->interrupted && r->terminal->terminal) puts(""); /* after its ^C */
  if (status != LUA_OK) {
    repl_tell(r, "fault");
    lua_settop(h->L, 0);
  } else if (h->out.failures != failures) {
    lua_getfield(h->L, LUA_REGISTRYINDEX, "md.error");
    repl_tell(r, "failure");
    lua_settop(h->L, 0);
  }
  repl_tell(r, "stopped");
  host_travel_prepare(h);
  r->interrupted = false;
  repl_interrupted = 0;
}

/* -- going back and forth -- */

/* What is printed on the way is known already. */
static void repl_travel(app_session *r, uint64_t events) {
  md_host *h = r->host;
  host_past *past = h->out.past;
  char error[MD_IMAGE_ERROR];
  host_travel_settle(h);
  uint32_t i = past->count;
  int kept[2];
  while (i > 0 && past->points[i - 1].events > events) i--;
  if (i == 0) {
    puts("the past begins after that");
    return;
  }
  if (!host_travel_to(h, &past->points[i - 1], error)) puts(error);
  if (r->journal != NULL)
    app_journal_return(r->journal, past->points[i - 1].mark);
  h->out.told = false;
  app_session_forget(r, events);
  app_mute(kept, true);
  while (h->first != NULL && repl_events(h) < events) {
    app_session_begin_rest(h); /* it went on when the program was over */
    if (h->phase == HOST_OVER) break;
    if (repl_go_far(r, events, INT64_MAX) != LUA_OK) lua_settop(h->L, 0);
    if (repl_interrupted) break;
  }
  app_mute(kept, false);
  r->interrupted = repl_interrupted;
  repl_tell(r, "arrived");
  r->broken = r->interrupted;
  r->interrupted = false;
  repl_interrupted = 0;
  host_travel_prepare(h);
}

/* -- a line of Lua -- */

static void repl_keep(app_session *r, const char *name) {
  char error[MD_IMAGE_ERROR];
  if (host_travel_keep(r->host, name, error) == NULL) puts(error);
}

/* The state that a line has made, from which the past goes on: it is copied
   while the next line is typed. */
static void repl_keep_soon(app_session *r) {
  char error[MD_IMAGE_ERROR];
  if (!host_travel_keep_soon(r->host, error)) puts(error);
}

static void repl_line(app_session *r, const char *text, size_t size) {
  md_host *h = r->host;
  bool gone;
  host_travel_settle(h);
  app_session_stand(r);
  if (r->journal != NULL) app_journal_line(r->journal, h, text, size);
  repl_host = h;
  signal(SIGINT, repl_signalled);
  int status = host_line(h, text, size, &gone);
  signal(SIGINT, SIG_IGN);
  repl_host = NULL;
  if (gone) {
    repl_tell(r, "arrived");
    return;
  }
  app_session_enter(r, text, size);
  int n = status == LUA_OK ? lua_gettop(h->line) : 1;
  if (status == LUA_OK) lua_xmove(h->line, h->L, n);
  if (n > 0) repl_tell(r, status == LUA_OK ? "results" : "fault");
  lua_settop(h->L, 0);
  h->aborting = false;
  repl_keep_soon(r);
}

/* -- actions -- */

static void repl_save(app_session *r, const char *path) {
  char error[MD_IMAGE_ERROR];
  host_travel_settle(r->host);
  if (host_save(r->host, path, error))
    printf("saved: moondial repl %s\n", path);
  else puts(error);
}

/* Begins anew, with the words of a command line. */
static void repl_exec(app_session *r, md_note words) {
  md_note name, bytes;
  char *list[64] = {(char *)(uintptr_t) "moondial"};
  int n = 1;
  while (n < 63 && md_note_next(&words, &name, &bytes))
    list[n++] = strndup(bytes.text, bytes.size);
  fflush(NULL);
  app_terminal_close(r->terminal);
  execv("/proc/self/exe", list);
  perror("moondial");
}

/* "events what text": a copy goes back there, and plans. */
static void repl_look_back(app_session *r, char *text) {
  char *what, *rest;
  uint64_t events = strtoull(text, &what, 10);
  what += strspn(what, " ");
  rest = what + strcspn(what, " ");
  if (*rest != '\0') *rest++ = '\0';
  host_travel_settle(r->host);
  repl_follow(r, app_session_look_back(r, events, what, rest));
}

static void repl_handle(app_session *r, const char *text);

static void repl_act(app_session *r, md_note name, md_note bytes) {
  char *text = strndup(bytes.text, bytes.size);
  if (text == NULL) abort();
  if (md_note_is(&name, "line")) repl_line(r, bytes.text, bytes.size);
  else if (md_note_is(&name, "events"))
    repl_run(r, strtoull(text, NULL, 10), INT64_MAX);
  else if (md_note_is(&name, "time"))
    repl_run(r, UINT64_MAX, strtoll(text, NULL, 10));
  else if (md_note_is(&name, "travel"))
    repl_travel(r, strtoull(text, NULL, 10));
  else if (md_note_is(&name, "again")) repl_handle(r, text);
  else if (md_note_is(&name, "past")) repl_look_back(r, text);
  else if (md_note_is(&name, "checkpoint")) repl_keep(r, text);
  else if (md_note_is(&name, "save")) repl_save(r, text);
  else if (md_note_is(&name, "exec")) repl_exec(r, bytes);
  else if (md_note_is(&name, "quit")) r->over = true;
  else if (md_note_is(&name, "failed")) r->failed = true;
  else app_session_set(r, name, bytes);
  free(text);
}

/* Does what was planned; the plan is malloc's, and freed. */
static void repl_follow(app_session *r, md_note plan) {
  md_note name, bytes;
  char *kept = (char *)(uintptr_t)plan.text;
  r->broken = false;
  while (!r->broken && md_note_next(&plan, &name, &bytes))
    repl_act(r, name, bytes);
  free(kept);
}

/* A copy reads the line, and says what is to be done. */
static void repl_handle(app_session *r, const char *text) {
  repl_follow(r, app_session_look(r, "handle", text));
}

/* The same when more lines may belong to it, which it says then; else its plan
   is kept until the chunk has been read. */
static bool repl_incomplete(void *who, const char *text) {
  app_session *r = who;
  md_note name, bytes, plan = app_session_look(r, "take", text), rest = plan;
  bool more =
      md_note_next(&rest, &name, &bytes) && md_note_is(&name, "incomplete");
  if (more) free((void *)(uintptr_t)plan.text);
  else r->plan = plan;
  r->planned = !more;
  return more;
}

/* -- the prompt -- */

static const char *repl_prompt(app_session *r, char buffer[80]) {
  const host_sim *s = r->host->first;
  char now[40] = "0";
  if (s != NULL)
    md_time_text(md_sim_scale(s->kernel), md_sim_now(s->kernel), now,
                 sizeof now);
  snprintf(buffer, 80, "%s> ", now);
  return buffer;
}

static char **repl_complete(void *who, const char *before, const char *text) {
  app_session *r = who;
  char *whole;
  if (asprintf(&whole, "%s%s", before, text) < 0) abort();
  app_session_set(r, (md_note){"completing", 10},
                  (md_note){text, strlen(text)});
  md_note plan = app_session_look(r, "complete", whole);
  int n;
  char **list = md_note_all(plan, "candidate", &n);
  list = realloc(list, (size_t)(n + 1) * sizeof *list);
  if (list == NULL) abort();
  list[n] = NULL;
  free((void *)(uintptr_t)plan.text);
  free(whole);
  return list;
}

static void repl_loop(app_session *r) {
  char prompt[80];
  while (!r->over) {
    char *text = app_terminal_read(r->terminal, repl_prompt(r, prompt));
    if (text == NULL) break;
    if (r->planned) repl_follow(r, r->plan);
    else if (*text != '\0') repl_handle(r, text); /* the input has ended */
    r->planned = false;
    free(text);
  }
  if (r->terminal->terminal && !r->over) puts("");
}

static long long repl_mark(md_host *h) {
  return app_journal_mark((app_journal *)h->out.journal); /* its first member */
}

int app_repl(md_host *h, const app_options *o, host_past *past,
             app_journal *journal) {
  app_terminal terminal = {.complete = repl_complete,
                           .incomplete = repl_incomplete};
  app_session r = {.host = h,
                   .options = o,
                   .past = past,
                   .terminal = &terminal,
                   .journal = journal};
  terminal.who = &r;
  signal(SIGINT, SIG_IGN);
  h->out.interactive = true;
  if (journal != NULL) past->mark = repl_mark;
  app_session_open(&r);
  app_terminal_open(&terminal);
  if (h->phase == HOST_SCRIPT) {
    /* up to its first run */
    if (repl_go(&r, 0, INT64_MAX, true) != LUA_OK) {
      repl_tell(&r, "fault");
      lua_settop(h->L, 0);
    }
  }
  if (h->first == NULL) {
    lua_pushcfunction(h->L, app_session_first);
    if (lua_pcall(h->L, 0, 0, 0) != LUA_OK) lua_settop(h->L, 0);
  }
  repl_keep_soon(&r);
  repl_tell(&r, "welcome");
  if (o->first != NULL) repl_handle(&r, o->first);
  for (int i = 0; i < o->line_count && !r.over; i++)
    repl_handle(&r, o->lines[i]);
  if (o->line_count == 0) repl_loop(&r);
  host_travel_settle(h);
  app_terminal_close(&terminal);
  app_session_close(&r);
  fflush(stdout);
  return o->line_count > 0 && r.failed ? APP_FAILED : APP_DONE;
}
