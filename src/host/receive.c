/* Waiting for messages that match: wait and receive. A process that waits has
   its patterns on its own stack, at 1 .. top, or compiled clauses alone; they
   are what senders look at, see message.c. */
#include "host/clauses.h"
#include "host/loop.h"
#include "host/mailbox.h"
#include "host/message.h"
#include "host/modules.h"
#include "host/pattern.h"

#include <string.h>

/* So many clauses at most look for messages by tag. */
enum { MESSAGE_TAGS = 8 };

void message_release(lua_State *L, host_sim *s, uint32_t p, uint32_t e,
                     bool line) {
  md_mail mail;
  if (line) {
    mail = md_mails_unline(md_sim_mails(s->kernel), p, e);
    md_mails_handed(md_sim_mails(s->kernel), p);
    if (mail.sender) md_sim_wake(s->kernel, mail.sender, MD_WHY_ROOM);
  } else {
    mail = md_sim_take(s->kernel, p, e);
  }
  host_drop(L, s, mail.slot, (int)mail.count);
  md_sim_received(s->kernel, p, mail.from, line ? 0 : mail.arrival);
}

/* Takes envelope e of p, whose values have been fetched. */
static void message_accept(lua_State *L, host_sim *s, uint32_t p, uint32_t e,
                           bool line) {
  const md_mail mail = md_sim_mails(s->kernel)->envelopes[e].mail;
  if (s->host->recording) host_record_mail(L, s, p, "RECEIVE", &mail);
  message_release(L, s, p, e, line);
}

/* -- waiting -- */

/* Pushes what envelope e of p gives to the patterns 1 .. n, and takes it (from
   the inbox, or from the line); false, pushing nothing, if it does not match */
static bool message_try(lua_State *L, host_sim *s, uint32_t p, uint32_t e,
                        int patterns, bool line) {
  md_mails *mails = md_sim_mails(s->kernel);
  md_mail mail = mails->envelopes[e].mail;
  int count = (int)mail.count;
  if (patterns > count) return false;
  int base = lua_gettop(L);
  luaL_checkstack(L, count + 2, "a message has too many values");
  host_fetch(L, s, mail.slot, count);
  int kept = base;
  for (int i = 1; i <= patterns; i++) {
    if (!host_match(L, i, L, base + i)) {
      lua_settop(L, base);
      return false;
    }
    if (host_literal(L, i)) continue;
    lua_copy(L, base + i, ++kept); /* captures close up */
  }
  int dropped = patterns - (kept - base);
  if (dropped > 0) {
    for (int i = patterns + 1; i <= count; i++) lua_copy(L, base + i, ++kept);
    lua_settop(L, kept);
  }
  message_accept(L, s, p, e, line);
  return true;
}

bool message_look(lua_State *L, host_sim *s, uint32_t p, int patterns) {
  md_mails *mails = md_sim_mails(s->kernel);
  if (md_sim_proc(s->kernel, p)->inbox_count == 0) return false; /* no line */
  uint64_t tag = patterns ? host_pattern_tag(L, 1) : 0;
  for (uint32_t e = 0; (e = md_mails_find(mails, p, tag, e)) != 0;)
    if (message_try(L, s, p, e, patterns, false)) return true;
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  uint32_t e = extra ? extra->line_first : 0;
  for (; e != 0; e = mails->envelopes[e].next)
    if (message_try(L, s, p, e, patterns, true)) return true;
  return false;
}

static int message_timeout(lua_State *L, host_sim *s, const char *call) {
  host_timed_out(L, s);
  return host_raise(L, "timeout", "%s: no message came in time", call);
}

static int message_wait(lua_State *L, host_sim *s, md_time deadline);

/* `prev` of a process that got a message tells how many patterns it had. */
static int message_waited(lua_State *L, int status, lua_KContext deadline) {
  (void)status;
  host_sim *s = host_of(L)->sim;
  const md_proc *proc = md_sim_proc(s->kernel, s->host->process);
  if (proc->why == MD_WHY_MESSAGE) return lua_gettop(L) - (int)proc->prev;
  host_woken(L);
  if (proc->why == MD_WHY_LOOK)
    return message_wait(L, s, host_limit_left(s, deadline));
  return message_timeout(L, s, "wait_timeout");
}

/* What is no pattern would match nothing, ever. */
static void message_check_patterns(lua_State *L, int patterns) {
  for (int i = 1; i <= patterns; i++)
    if (host_no_pattern(lua_type(L, i)))
      host_raise(L, "usage",
                 "wait: %s is no pattern, as argument %d; md.where(fn) matches "
                 "a value for which fn(value) is true",
                 host_describe(L, i), i);
}

/* Waits with the patterns 1 .. top. */
static int message_wait(lua_State *L, host_sim *s, md_time deadline) {
  int patterns = lua_gettop(L);
  uint32_t p = s->host->process;
  if (message_look(L, s, p, patterns)) return lua_gettop(L) - patterns;
  message_check_patterns(L, patterns);
  if (deadline == HOST_LOOK) return message_timeout(L, s, "wait_timeout");
  md_sim_wait(s->kernel, p, MD_WAIT_MESSAGE, deadline, 0);
  return host_block(L, s, deadline, message_waited);
}

/* wait(p1, p2, ...) -> captures and the rest
   Takes the first message, in order of arrival, whose first values match the
   patterns, and waits for one if there is none; the others stay. Literals are
   stripped, what md._ and md.is.* match and what follows is returned. wait()
   takes any message. Those that stand in line for room come after the inbox.
   Raises usage where nothing can block.
     local customer, ref = md.wait("serve") */
static int f_wait(lua_State *L) {
  md_host *h = host_of(L);
  host_sim *s = h->sim;
  if (!host_free(L, h) || lua_type(L, 1) == LUA_TUSERDATA) {
    s = host_sim_arg(L);
    host_may_block_in(L, s, "wait");
  }
  h->instructions = 0;
  return message_wait(L, s, -1);
}

/* wait_timeout(d, p1, p2, ...) -> captures and the rest
   The same as wait, but raises {kind="timeout"} when d units of time are over.
   With d = 0 it only looks, and nobody else goes first. At the last instant
   the limit's turn is that of the wait's beginning.
     print(pcall(md.wait_timeout, 5, "serve")) */
static int f_wait_timeout(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_may_block_in(L, s, "wait_timeout");
  md_time deadline = host_limit_arg(L, s, 1, "wait_timeout");
  lua_remove(L, 1);
  return message_wait(L, s, deadline);
}

/* -- receive -- */

/* The function's results stand above the clauses and what was `below`. */
static int message_called(lua_State *L, int status, lua_KContext below) {
  (void)status;
  return lua_gettop(L) - (int)below;
}

/* clauses, number, values ...: calls the clause's function with them. */
static int message_clause(lua_State *L) {
  int n = lua_gettop(L) - 2;
  lua_getiuservalue(L, 1, 1);
  lua_rawgeti(L, -1, lua_tointeger(L, 2));
  lua_remove(L, -2);
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    return n;
  }
  lua_insert(L, 3);
  lua_callk(L, n, LUA_MULTRET, 2, message_called);
  return message_called(L, LUA_OK, 2);
}

/* The time to wait is over: calls the function of `after`. */
static int message_after(lua_State *L, host_sim *s) {
  host_timed_out(L, s);
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, 1);
  lua_getfield(L, -1, "after");
  lua_rawgeti(L, -1, 2);
  if (lua_isnil(L, -1)) return 0;
  lua_callk(L, 0, LUA_MULTRET, 3, message_called);
  return message_called(L, LUA_OK, 3);
}

static int message_receive(lua_State *L, host_sim *s, md_time deadline);

static int message_received(lua_State *L, int status, lua_KContext deadline) {
  (void)status;
  host_sim *s = host_of(L)->sim;
  host_woken(L);
  switch (md_sim_proc(s->kernel, s->host->process)->why) {
  case MD_WHY_TIME:
    return message_after(L, s);
  case MD_WHY_LOOK:
    return message_receive(L, s, host_limit_left(s, deadline));
  default:
    return message_clause(L);
  }
}

/* Tries envelope e of p against the clauses; on success pushes the clause's
   number and the values, and takes it. */
static bool message_try_clauses(lua_State *L, host_sim *s, uint32_t p,
                                uint32_t e, bool line) {
  md_mail mail = md_sim_mails(s->kernel)->envelopes[e].mail;
  int base = lua_gettop(L);
  if (!clauses_may(L, 1, mail.tag)) return false;
  luaL_checkstack(L, (int)mail.count + 2, "a message has too many values");
  host_fetch(L, s, mail.slot, (int)mail.count);
  int c = clauses_find(L, 1, L, base + 1, (int)mail.count);
  if (c == 0) {
    lua_settop(L, base);
    return false;
  }
  clauses_gather(L, 1, c, base + 1);
  message_accept(L, s, p, e, line);
  return true;
}

/* The next message of p after `after` that one of a few clauses may take: the
   very next, or one by the tags of their first literals, which all have. */
static uint32_t message_next(lua_State *L, md_mails *mails, uint32_t p,
                             uint32_t after) {
  int count = clauses_count(L, 1);
  uint32_t very = md_mails_find(mails, p, 0, after), next = 0;
  if (very == 0 || count > MESSAGE_TAGS ||
      clauses_may(L, 1, mails->envelopes[very].mail.tag))
    return very;
  for (int c = 1; c <= count; c++) {
    uint32_t e = md_mails_find(mails, p, clauses_tag(L, 1, c), after);
    if (e != 0 &&
        (next == 0 || (int32_t)(mails->envelopes[e].mail.arrival -
                                mails->envelopes[next].mail.arrival) < 0))
      next = e;
  }
  return next;
}

void message_take(lua_State *L, host_sim *s, uint32_t p, int fn) {
  const md_mails *mails = md_sim_mails(s->kernel);
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  uint32_t e = md_sim_proc(s->kernel, p)->inbox_first, top = lua_gettop(L);
  bool line = e == 0;
  if (line) e = extra ? extra->line_first : 0;
  while (e != 0) {
    md_mail mail = mails->envelopes[e].mail;
    lua_pushvalue(L, fn);
    host_fetch(L, s, mail.slot, (int)mail.count);
    lua_call(L, (int)mail.count, 1);
    bool wanted = lua_toboolean(L, -1);
    lua_settop(L, (int)top);
    if (wanted) {
      message_accept(L, s, p, e, line);
      return;
    }
    e = mails->envelopes[e].next;
    if (e != 0 || line) continue;
    line = true;
    e = extra ? extra->line_first : 0;
  }
}

/* The same for a filter, which drops what does not match. */
static bool message_look_filter(lua_State *L, host_sim *s, uint32_t p) {
  uint32_t e;
  while ((e = md_sim_proc(s->kernel, p)->inbox_first) != 0) {
    if (message_try_clauses(L, s, p, e, false)) return true;
    md_mail mail = md_sim_drop(s->kernel, p, e);
    if (s->host->recording) host_record_mail(L, s, p, "DROP", &mail);
    host_drop(L, s, mail.slot, (int)mail.count);
    md_sim_note_pids(s->kernel, MD_TRACE_DROP, mail.from,
                     md_sim_pid(s->kernel, p), 0);
  }
  return false;
}

static bool message_look_clauses(lua_State *L, host_sim *s, uint32_t p) {
  if (clauses_filter(L, 1)) return message_look_filter(L, s, p);
  md_mails *mails = md_sim_mails(s->kernel);
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  uint32_t e = message_next(L, mails, p, 0);
  for (; e != 0; e = message_next(L, mails, p, e))
    if (message_try_clauses(L, s, p, e, false)) return true;
  e = extra ? extra->line_first : 0;
  for (; e != 0; e = mails->envelopes[e].next)
    if (message_try_clauses(L, s, p, e, true)) return true;
  return false;
}

/* Waits with the compiled clauses, which are at 1, alone. */
static int message_receive(lua_State *L, host_sim *s, md_time deadline) {
  uint32_t p = s->host->process;
  if (message_look_clauses(L, s, p)) return message_clause(L);
  if (deadline == HOST_LOOK) return message_after(L, s);
  md_sim_wait(s->kernel, p, MD_WAIT_MESSAGE, deadline, 0);
  return host_block(L, s, deadline, message_received);
}

/* The deadline that `after = {d, fn}` sets, -1: none. */
static md_time message_deadline(lua_State *L, host_sim *s) {
  md_time deadline = -1;
  if (!clauses_timed(L, 1)) return deadline;
  lua_getiuservalue(L, 1, 1);
  lua_getfield(L, -1, "after");
  if (!lua_isnil(L, -1)) {
    if (!lua_istable(L, -1))
      host_raise(L, "usage",
                 "receive: expected {duration, function} as after, got %s",
                 host_describe(L, -1));
    lua_rawgeti(L, -1, 1);
    deadline = host_limit_arg(L, s, -1, "receive");
    lua_rawgeti(L, -2, 2);
    if (!lua_isnil(L, -1) && !lua_isfunction(L, -1))
      host_raise(L, "usage",
                 "receive: expected a function as the second item of after, "
                 "got %s",
                 host_describe(L, -1));
  }
  lua_settop(L, 1);
  return deadline;
}

/* receive{clause, ..., after = {d, fn}} -> what fn returns
   A clause is {p1, p2, ..., fn}, with an optional `when = guard`, which gets
   what fn would get and only looks. Messages are tried in order of arrival,
   each against the clauses in order, as wait does; the first that matches is
   taken, and fn gets its captures and the rest. A clause without a function
   returns them. When d units of time are over, receive calls the function of
   `after`, if it has one, and returns what that returns; with d = 0 it only
   looks. The functions may block, a guard may not. Raises usage for a clause
   that is none or that an earlier one hides, another option, and where nothing
   can block.
     md.receive { { "add", md.is.number, print }, after = { 5, print } } */
static int f_receive(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_may_block_in(L, s, "receive");
  lua_settop(L, 1);
  if (!clauses_at(L, 1)) {
    clauses_compile(L, 1, false);
    lua_replace(L, 1);
  }
  return message_receive(L, s, message_deadline(L, s));
}

/* A list of patterns in place of the patterns themselves: laid out from 1. */
static void message_unpack(lua_State *L) {
  if (lua_gettop(L) != 1 || !lua_istable(L, 1) || host_typed(L, 1)) return;
  int n = (int)lua_rawlen(L, 1);
  if (n == 0) return; /* named fields: one table pattern */
  luaL_checkstack(L, n, "too many patterns");
  for (int i = 1; i <= n; i++) lua_rawgeti(L, 1, i);
  lua_remove(L, 1);
}

static int message_selects(lua_State *L, const char *call, bool filter) {
  host_sim *s = host_sim_arg(L);
  host_may_block_in(L, s, call);
  message_unpack(L);
  int n = lua_gettop(L);
  if (n == 0)
    return host_raise(L, "usage",
                      "%s: expected patterns or a predicate, got nothing; "
                      "md.%s(\"add\", md._)",
                      call, call);
  bool predicate = n == 1 && lua_isfunction(L, 1);
  if (!predicate && !filter) return message_wait(L, s, -1);
  clauses_compile_one(L, call, 1, predicate ? -1 : n, filter);
  lua_replace(L, 1);
  lua_settop(L, 1);
  return message_receive(L, s, -1);
}

/* select(x, ...) -> captures and the rest, or the whole message
   Takes the first message that matches, and leaves the others in the inbox. x
   is a predicate, which gets all values of a message and only looks: then the
   whole message is returned; or patterns, or a list of them: then what wait
   returns. Raises usage for what is neither, and where nothing can block.
     local kind, n = md.select(function(kind, n) return n > 10 end) */
static int f_select(lua_State *L) {
  return message_selects(L, "select", false);
}

/* filter(x, ...) -> captures and the rest, or the whole message
   The same as select, but drops the messages that do not match, those in the
   inbox and those that come meanwhile; the signal DROP tells.
     local n = md.filter("add", md.is.number) */
static int f_filter(lua_State *L) { return message_selects(L, "filter", true); }

/* clauses{clause, ..., after = {d, fn}} -> clauses
   Compiles once what receive takes, for a loop that goes through it often.
   Raises usage for a clause that is none.
     local work = md.clauses { { "add", print }, { "stop", md.exit } } */
static int f_clauses(lua_State *L) {
  host_sim_arg(L);
  lua_settop(L, 1);
  clauses_compile(L, 1, true);
  return 1;
}

void host_open_receiving(lua_State *L) {
  static const luaL_Reg functions[] = {{"wait", f_wait},
                                       {"wait_timeout", f_wait_timeout},
                                       {"receive", f_receive},
                                       {"clauses", f_clauses},
                                       {"select", f_select},
                                       {"filter", f_filter},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
