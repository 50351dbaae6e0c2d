#include "host/mailbox.h"

#include "host/clauses.h"
#include "host/inbox.h"
#include "host/recorder.h"
#include "host/message.h"
#include "host/modules.h"
#include "host/pattern.h"

#include <string.h>

/* A place holds its compiled patterns, and behind them the message that it was
   granted. Its words: */
enum { MAIL_ARRIVAL, MAIL_SENDER };

/* -- matching -- */

/* (clauses, values ...) -> boolean */
static int mailbox_matches(lua_State *L) {
  lua_pushboolean(L, clauses_find(L, 1, L, 2, lua_gettop(L) - 1) != 0);
  return 1;
}

/* Does the place want the n values from `first` on? If its pattern raises, it
   has failed, and no more is to be tried: true. */
static bool mailbox_likes(lua_State *L, host_sim *s, uint32_t e, int first,
                          int n) {
  luaL_checkstack(L, n + 8, "a message has too many values");
  lua_pushcfunction(L, mailbox_matches);
  host_fetch(L, s, place_at(s, e)->slot, 1);
  for (int i = 0; i < n; i++) lua_pushvalue(L, first + i);
  return place_holds(L, s, place_at(s, e), n + 1);
}

/* The n values from `first` on are the place's. */
static void mailbox_keep(lua_State *L, host_sim *s, uint32_t e, int first,
                         int n, uint32_t arrival, md_pid sender) {
  int base = lua_gettop(L);
  luaL_checkstack(L, n + 4, "a message has too many values");
  host_fetch(L, s, place_at(s, e)->slot, 1);
  for (int i = 0; i < n; i++) lua_pushvalue(L, first + i);
  uint32_t slot = host_hold(L, s, base + 1, n + 1);
  lua_settop(L, base);
  place *pl = place_at(s, e);
  host_drop(L, s, pl->slot, (int)pl->count);
  pl->slot = slot;
  pl->count = (uint32_t)n + 1;
  pl->words[MAIL_ARRIVAL] = arrival;
  pl->words[MAIL_SENDER] = sender;
}

/* -- what comes -- */

static thing *mailbox_of(lua_State *L, host_sim *s, uint32_t p) {
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  if (extra == NULL || extra->words[HOST_MAILBOX] == 0) return NULL;
  host_fetch(L, s, (uint32_t)extra->words[HOST_MAILBOX], 1);
  thing *t = lua_touserdata(L, -1);
  lua_pop(L, 1); /* p holds it */
  return t;
}

/* It only looks: an error is none here, and comes when the message does. */
bool mailbox_wants(lua_State *L, host_sim *s, uint32_t p, int first, int n) {
  const thing *t = mailbox_of(L, s, p);
  bool yes = false;
  for (uint32_t e = t ? t->lines[0].first : 0; e != 0 && !yes;
       e = place_at(s, e)->next) {
    place kept = *place_at(s, e);
    s->host->receiver_sim = s;
    s->host->receiver = p;
    luaL_checkstack(L, n + 8, "a message has too many values");
    lua_pushcfunction(L, mailbox_matches);
    host_fetch(L, s, kept.slot, 1);
    for (int i = 0; i < n; i++) lua_pushvalue(L, first + i);
    yes = host_guard(L, false, n + 1) || s->host->guard_failed;
    s->host->guard_failed = false;
  }
  return yes;
}

bool mailbox_take_in(lua_State *L, host_sim *s, uint32_t to, uint32_t from,
                     int first, int n) {
  const thing *t = mailbox_of(L, s, to);
  uint32_t e = t ? t->lines[0].first : 0;
  while (e != 0 && !mailbox_likes(L, s, e, first, n)) e = place_at(s, e)->next;
  if (e == 0) return false;
  bool taken = place_at(s, e)->state != PLACE_FAILED;
  if (taken) {
    md_mails *mails = md_sim_mails(s->kernel);
    mailbox_keep(L, s, e, first, n, mails->arrivals++,
                 md_sim_pid(s->kernel, from));
    md_sim_sent(s->kernel, from, to, MD_SENT_RECEIVED);
    md_mails_handed(mails, to);
  }
  place_grant(L, s, e);
  return taken;
}

/* -- what is there -- */

/* Has the place envelope m of p? */
static bool mailbox_try(lua_State *L, host_sim *s, uint32_t e, uint32_t m,
                        bool line) {
  int base = lua_gettop(L);
  uint32_t p = place_at(s, e)->process;
  md_mail mail = md_sim_mails(s->kernel)->envelopes[m].mail;
  int n = (int)mail.count;
  host_fetch(L, s, mail.slot, n);
  bool yes = mailbox_likes(L, s, e, base + 1, n);
  if (yes && place_at(s, e)->state != PLACE_FAILED) {
    uint32_t arrival =
        line ? md_sim_mails(s->kernel)->arrivals++ : mail.arrival;
    mailbox_keep(L, s, e, base + 1, n, arrival, mail.from);
    message_release(L, s, p, m, line);
  }
  lua_settop(L, base);
  return yes;
}

static bool mailbox_look(lua_State *L, thing *t, place *pl) {
  host_sim *s = t->sim;
  md_mails *mails = md_sim_mails(s->kernel);
  uint32_t p = pl->process, e = (uint32_t)(pl - place_at(s, 0));
  if (md_sim_proc(s->kernel, p)->inbox_count == 0) return false; /* no line */
  luaL_checkstack(L, 8, NULL);
  host_fetch(L, s, pl->slot, 1);
  uint64_t tag = clauses_tag(L, lua_gettop(L), 1);
  lua_pop(L, 1);
  for (uint32_t m = 0; (m = md_mails_find(mails, p, tag, m)) != 0;)
    if (mailbox_try(L, s, e, m, false)) return true;
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  for (uint32_t m = extra->line_first; m != 0; m = mails->envelopes[m].next)
    if (mailbox_try(L, s, e, m, true)) return true;
  return false;
}

static void mailbox_give_back(lua_State *L, thing *t, place *pl) {
  host_sim *s = t->sim;
  uint32_t p = pl->process;
  int base = lua_gettop(L), n = (int)pl->count - 1;
  host_fetch(L, s, pl->slot, n + 1);
  md_mail mail = {.tag = n > 0 ? host_tag(L, base + 2) : 0,
                  .count = (uint32_t)n,
                  .from = pl->words[MAIL_SENDER],
                  .arrival = (uint32_t)pl->words[MAIL_ARRIVAL]};
  mail.slot = host_hold(L, s, base + 2, n);
  if (!md_mails_put_back(md_sim_mails(s->kernel), p, &mail)) host_no_memory(L);
  lua_settop(L, base);
}

static int mailbox_push_values(lua_State *L, thing *t, place *pl) {
  host_sim *s = t->sim;
  int n = (int)pl->count - 1, first = lua_gettop(L) - n + 1;
  if (s->host->recording)
    host_record_values(L, s, pl->process, "RECEIVE", first, n);
  clauses_gather(L, first - 1, 1, first);
  return lua_gettop(L) - first;
}

static void mailbox_describe(lua_State *L, const thing *t, const place *pl) {
  (void)t, (void)pl;
  lua_pushliteral(L, "a message, by md.receiving");
}

static const luaL_Reg mailbox_methods[] = {{NULL, NULL}};
static const char *const mailbox_fields[] = {NULL};

const thing_class mailbox_class = {.name = "md.mailbox",
                                   .take = mailbox_look,
                                   .give_back = mailbox_give_back,
                                   .push = mailbox_push_values,
                                   .passes = true,
                                   .describe = mailbox_describe,
                                   .methods = mailbox_methods,
                                   .fields = mailbox_fields};

/* -- its function -- */

thing *mailbox_push(lua_State *L, host_sim *s) {
  md_proc_extra *extra = md_sim_make_extra(s->kernel, s->host->process);
  if (extra == NULL) host_no_memory(L);
  if (extra->words[HOST_MAILBOX] != 0) {
    host_fetch(L, s, (uint32_t)extra->words[HOST_MAILBOX], 1);
  } else {
    thing_new(L, s, &mailbox_class, sizeof(thing), 1);
    luaL_setmetatable(L, mailbox_class.name);
    uint32_t slot = host_hold(L, s, lua_gettop(L), 1);
    md_sim_extra(s->kernel, s->host->process)->words[HOST_MAILBOX] = slot;
  }
  return lua_touserdata(L, -1);
}

/* receiving(p1, p2, ...) -> something to await
   The awaitable form of wait: the first message, in order of arrival, that
   matches the patterns, or the predicate alone, and has come or comes to the
   process that awaits it; receiving() takes any. It gives what wait returns, or
   with a predicate the whole message. When another
   wins, the message lies in the inbox again, where it was. Raises usage for
   what is no pattern, and outside of a process.
     md.spawn(function() md.await(md.receiving("tea") | md.timer(5)) end) */
static int f_receiving(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  if (s->host->sim != s || s->host->process == 0)
    return host_raise(L, "usage",
                      "receiving: only a process has an inbox, and this is "
                      "none");
  int n = lua_gettop(L);
  bool predicate = n == 1 && lua_isfunction(L, 1);
  clauses_compile_one(L, "receiving", 1, predicate ? -1 : n, false);
  lua_insert(L, 1);
  request r = {.of = mailbox_push(L, s), .value = 2};
  lua_insert(L, 1); /* where a request has its thing */
  return request_push(L, &r);
}

/* -- emptying and counting -- */

void host_flush(lua_State *L, host_sim *s, uint32_t p, bool line) {
  uint32_t n = md_sim_proc(s->kernel, p)->inbox_count;
  while (md_sim_proc(s->kernel, p)->inbox_count > 0 && (line || n-- > 0)) {
    uint32_t e = md_sim_proc(s->kernel, p)->inbox_first;
    md_mail mail = md_sim_drop(s->kernel, p, e);
    if (s->host->recording && !line) host_record_mail(L, s, p, "DROP", &mail);
    host_forget_mail(L, s, p, &mail);
    md_sim_note_pids(s->kernel, MD_TRACE_DROP, mail.from,
                     md_sim_pid(s->kernel, p), mail.arrival);
  }
  if (line) inbox_close(L, s, p);
}

/* inbox([pid]) -> integer
   How many messages a process, or the one that calls, has not taken yet; not
   those that stand in line for room. 0 when it has ended. Raises usage without
   a pid outside of a process.
     print(md.inbox(pid)) */
static int f_inbox(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_host *h = s->host;
  uint32_t p = h->sim == s ? h->process : 0;
  if (!lua_isnoneornil(L, 1)) p = host_pid_arg(L, s, 1, "inbox");
  else if (p == 0)
    return host_raise(L, "usage",
                      "inbox: expected a pid outside of a process; "
                      "md.inbox(pid)");
  lua_pushinteger(L, p ? md_sim_proc(s->kernel, p)->inbox_count : 0);
  return 1;
}

/* flush()
   Drops the messages that are in the inbox of the process that calls. Those
   that stood in line for room come in, and stay. Raises usage outside of a
   process.
     md.flush() */
static int f_flush(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_host *h = s->host;
  host_no_guard(L, "flush");
  if (h->sim != s || h->process == 0)
    return host_raise(L, "usage",
                      "flush: only a process has an inbox, and "
                      "this is none");
  host_flush(L, s, h->process, false);
  return 0;
}

void host_open_mailboxes(lua_State *L) {
  static const luaL_Reg functions[] = {{"receiving", f_receiving},
                                       {"inbox", f_inbox},
                                       {"flush", f_flush},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  thing_metatable(L, &mailbox_class, NULL, false);
}
