/* Messages: sending, and waiting for those that match.

   A message to a process that waits for it goes straight from the sender's
   stack to the receiver's, which is then woken. Any other is held, and an
   envelope for it is put into the inbox. A process that waits has its
   patterns on its own stack, at 1 .. top: they are what senders look at. One
   that waits with clauses has the compiled clauses there, alone. */
#include "host/clauses.h"
#include "host/host.h"

#include <string.h>

/* -- handing over -------------------------------------------------------------------- */

/* Does the message match what lies on the waiting coroutine's stack? */
static bool message_wanted(lua_State *leaf, lua_State *L, int first, int n) {
  int patterns = lua_gettop(leaf);
  if (patterns > n) return false;
  for (int i = 1; i <= patterns; i++)
    if (!host_match(leaf, i, L, first + i - 1)) return false;
  return true;
}

/* Moves the top n values, a message that matches the patterns 1 .. top of
   leaf, without the literals. False when there is no memory. [-n, +0, -] */
static bool message_move(lua_State *leaf, lua_State *L, int first, int n) {
  int patterns = lua_gettop(leaf), literals = 0;
  if (!lua_checkstack(leaf, n)) return false;
  while (literals < patterns && host_literal(leaf, literals + 1)) literals++;
  for (int i = literals; i < patterns; i++) {
    if (host_literal(leaf, i + 1)) continue;
    lua_pushvalue(L, first + i);
    lua_xmove(L, leaf, 1);
  }
  lua_xmove(L, leaf, n - patterns);
  lua_pop(L, patterns);
  return true;
}

static bool message_has_clauses(lua_State *leaf) {
  return lua_type(leaf, 1) == LUA_TUSERDATA && clauses_at(leaf, 1);
}

/* Does process `to` wait for the n values from `first` on? With clauses: the
   number of the one that takes them. */
static int message_awaited(lua_State *L, host_sim *s, uint32_t to, int first,
                           int n) {
  const md_proc *proc = md_sim_proc(s->kernel, to);
  if (proc->state != MD_WAITING ||
      (proc->wait != MD_WAIT_MESSAGE && proc->wait != MD_WAIT_REPLY))
    return 0;
  lua_State *leaf = host_leaf(s, to);
  if (message_has_clauses(leaf)) return clauses_find(leaf, 1, L, first, n);
  return message_wanted(leaf, L, first, n);
}

/* Hands the top n values of L to process `to` if it waits for them. [-n|0] */
static bool message_hand(lua_State *L, host_sim *s, uint32_t to, uint32_t from,
                         int first, int n) {
  int clause = message_awaited(L, s, to, first, n);
  if (clause == 0) return false;
  lua_State *leaf = host_leaf(s, to);
  bool moved = message_has_clauses(leaf)
                   ? clauses_move(leaf, clause, L, first, n)
                   : message_move(leaf, L, first, n);
  if (!moved) host_no_memory(L);
  md_sim_wake(s->kernel, to, MD_WHY_MESSAGE);
  md_sim_proc(s->kernel, to)->target = md_sim_mails(s->kernel)->arrivals++;
  md_sim_note(s->kernel, MD_TRACE_RECEIVE, to, from, 0);
  return true;
}

/* What was handed to p goes back to where it would lie had p not waited; a
   reply to an ask is dropped, as it would be had it come later. */
void host_unreceive(lua_State *L, host_sim *s, uint32_t p) {
  lua_State *leaf = host_leaf(s, p);
  const md_proc *proc = md_sim_proc(s->kernel, p);
  int base = lua_gettop(L), n;
  if (proc->wait == MD_WAIT_REPLY) {
    lua_settop(leaf, 1);
    md_sim_note(s->kernel, MD_TRACE_DROP, 0, p, 0);
    return;
  }
  if (clauses_at(leaf, 1)) {
    n = clauses_restore(leaf, L);
  } else {
    /* the stack is patterns, captures, rest; `prev` tells how many patterns */
    int patterns = (int)proc->prev, top = lua_gettop(leaf);
    int next = patterns + 1;
    luaL_checkstack(L, top + 1, NULL);
    for (int i = 1; i <= patterns; i++) {
      lua_pushvalue(leaf, host_literal(leaf, i) ? i : next++);
      lua_xmove(leaf, L, 1);
    }
    for (; next <= top; next++) {
      lua_pushvalue(leaf, next);
      lua_xmove(leaf, L, 1);
    }
    lua_settop(leaf, patterns);
    n = lua_gettop(L) - base;
  }
  md_mail mail = {.tag = host_tag(L, base + 1),
                  .count = (uint32_t)n,
                  .arrival = proc->target};
  mail.slot = host_hold(L, s, base + 1, n);
  if (!md_mails_put_back(md_sim_mails(s->kernel), p, &mail)) host_no_memory(L);
  lua_settop(L, base);
}

/* -- sending ------------------------------------------------------------------------- */

typedef enum message_fate {
  MESSAGE_GONE,  /* handed over, queued, or dropped */
  MESSAGE_LINED, /* waits for room, as the envelope says */
  MESSAGE_OVER,  /* the inbox is full, and that is an error */
} message_fate;

/* A reply to an ask of `to` that is over: nobody can want it any more. One to
   an ask whose message waited for room, and has been taken before `to` could
   go on, is in time. The ref of an ask is at index 1 while it waits. */
static bool message_late(lua_State *L, host_sim *s, uint32_t to, int first,
                         int n) {
  if (n == 0 || host_kind(L, first) != HOST_REF ||
      host_asker(lua_touserdata(L, first)) != to)
    return false;
  const md_proc *proc = md_sim_proc(s->kernel, to);
  bool asks = proc->state == MD_WAITING ? proc->wait == MD_WAIT_REPLY
                                        : proc->state == MD_READY &&
                                              proc->why == MD_WHY_ROOM;
  return !asks || lua_touserdata(host_leaf(s, to), 1) !=
                      lua_touserdata(L, first);
}

static message_fate message_drop(host_sim *s, uint32_t to, uint32_t from) {
  md_sim_note(s->kernel, MD_TRACE_DROP, from, to, 0);
  return MESSAGE_GONE;
}

/* Keeps the message for `to`, in its inbox or in the line before it. */
static message_fate message_queue(lua_State *L, host_sim *s, uint32_t to,
                                  uint32_t from, int first, int n, bool room,
                                  uint32_t *envelope) {
  md_mail mail = {.tag = host_tag(L, first),
                  .count = (uint32_t)n,
                  .from = from,
                  .to = to,
                  .sender = s->host->sim == s ? s->host->process : 0};
  if (n == 0) mail.tag = 0;
  mail.slot = host_hold(L, s, first, n);
  if (room) mail.sender = 0;
  *envelope = room ? md_sim_post(s->kernel, to, &mail)
                   : md_mails_line(md_sim_mails(s->kernel), to, &mail);
  if (*envelope == 0) {
    host_drop(L, s, mail.slot, n);
    host_no_memory(L);
  }
  if (room) return MESSAGE_GONE;
  md_sim_note(s->kernel, MD_TRACE_BACKOFF, from, to, 0);
  return MESSAGE_LINED;
}

/* Sends the top n values of L, from `first` on. */
static message_fate message_send(lua_State *L, host_sim *s, uint32_t to,
                                 uint32_t from, int first, int n,
                                 uint32_t *envelope) {
  md_sim_note(s->kernel, MD_TRACE_SEND, from, to, host_digest(L, first, n));
  if (to == 0 || message_late(L, s, to, first, n))
    return message_drop(s, to, from);
  if (message_hand(L, s, to, from, first, n)) return MESSAGE_GONE;
  /* it only unwinds; what its closers wait for it has got by now */
  if (md_sim_proc(s->kernel, to)->flags & MD_DYING)
    return message_drop(s, to, from);
  if (md_sim_room(s->kernel, to))
    return message_queue(L, s, to, from, first, n, true, envelope);
  switch ((md_full)md_sim_extra(s->kernel, to)->full) {
  case MD_FULL_DROP: return message_drop(s, to, from);
  case MD_FULL_ERROR: return MESSAGE_OVER;
  case MD_FULL_BLOCK: break;
  }
  return message_queue(L, s, to, from, first, n, false, envelope);
}

static int message_overflow(lua_State *L, host_sim *s, uint32_t to,
                            const char *call) {
  char label[64];
  uint32_t n = md_sim_extra(s->kernel, to)->capacity;
  return host_raise(L, "overflow",
                    "%s: the inbox of %s is full (%I message%s); send less, "
                    "give it a larger inbox, or let its senders wait: on_full "
                    "= \"block\"",
                    call, host_label(s, to, label), (LUAI_UACINT)n,
                    n == 1 ? "" : "s");
}

static uint32_t message_sender(const host_sim *s) {
  return s->host->sim == s ? s->host->process : 0;
}

static int message_sent(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  host_woken(L);
  return 0;
}

/* A send of the values from 2 on that would have to wait: only a process
   may. */
static bool message_would_wait(lua_State *L, host_sim *s, uint32_t to) {
  return to != 0 && !md_sim_room(s->kernel, to) &&
         md_sim_extra(s->kernel, to)->full == MD_FULL_BLOCK &&
         !(md_sim_proc(s->kernel, to)->flags & MD_DYING) &&
         !message_late(L, s, to, 2, lua_gettop(L) - 1) &&
         !message_awaited(L, s, to, 2, lua_gettop(L) - 1);
}

static int message_send_call(lua_State *L, host_sim *s, const char *call) {
  uint32_t to = host_pid_arg(L, s, 1, call), envelope = 0;
  if (message_would_wait(L, s, to))
    host_may_block_in(L, s, "send to a full inbox");
  message_fate fate = message_send(L, s, to, message_sender(s), 2,
                                   lua_gettop(L) - 1, &envelope);
  if (fate == MESSAGE_GONE) return 0;
  if (fate == MESSAGE_OVER) return message_overflow(L, s, to, call);
  md_sim_wait(s->kernel, s->host->process, MD_WAIT_ROOM, -1, envelope);
  return host_block(L, s, 0, message_sent);
}

/* send(to, ...) */
static int f_send(lua_State *L) {
  return message_send_call(L, host_sim_arg(L), "send");
}

/* reply(from, ref, ...) */
static int f_reply(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  if (host_kind(L, 2) != HOST_REF)
    return host_raise(L, "usage",
                      "reply: expected a ref as argument 2, got %s; "
                      "md.reply(from, ref, ...) answers a message that came "
                      "from md.ask as (method, from, ref, ...)",
                      host_describe(L, 2));
  return message_send_call(L, s, "reply");
}

/* The values at 2 .. top are sent at `at`. words: held, pid, sender's pid */
static int message_later(lua_State *L, host_sim *s, md_time at,
                         const char *call) {
  uint32_t to = host_pid_arg(L, s, 2, call);
  uint32_t from = message_sender(s);
  int n = lua_gettop(L) - 2;
  uint32_t slot = host_hold(L, s, 3, n);
  uint64_t words[3] = {(uint64_t)n << 32 | slot,
                       to ? md_sim_pid(s->kernel, to) : 0,
                       from ? md_sim_pid(s->kernel, from) : 0};
  md_timer_id id = md_sim_at(s->kernel, at, HOST_MESSAGE, words, 0);
  if (id == 0) {
    host_drop(L, s, slot, n);
    host_no_memory(L);
  }
  return host_push_timer(L, s, id);
}

/* send_after(d, to, ...) -> timer */
static int f_send_after(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_time d = host_duration_arg(L, s, 1, "send_after");
  return message_later(L, s, md_sim_now(s->kernel) + d, "send_after");
}

/* send_at(t, to, ...) -> timer */
static int f_send_at(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  return message_later(L, s, host_time_arg(L, s, 1, "send_at"), "send_at");
}

/* On the callbacks' coroutine; words as message_later made them. */
int host_arrive(lua_State *L, host_sim *s, const uint64_t words[3]) {
  uint32_t slot = (uint32_t)words[0], envelope = 0;
  int n = (int)(words[0] >> 32), first = lua_gettop(L) + 1;
  uint32_t to = words[1] ? md_sim_index(s->kernel, words[1]) : 0;
  uint32_t from = words[2] ? md_sim_index(s->kernel, words[2]) : 0;
  host_fetch(L, s, slot, n);
  host_drop(L, s, slot, n);
  if (message_send(L, s, to, from, first, n, &envelope) == MESSAGE_OVER)
    return message_overflow(L, s, to, "send_after");
  return 0;
}

/* Takes envelope e of p, whose values have been fetched. */
static void message_release(lua_State *L, host_sim *s, uint32_t p, uint32_t e,
                            bool line) {
  md_mail mail;
  if (line) {
    mail = md_mails_unline(md_sim_mails(s->kernel), p, e);
    if (mail.sender) md_sim_wake(s->kernel, mail.sender, MD_WHY_ROOM);
  } else {
    mail = md_sim_take(s->kernel, p, e);
  }
  host_drop(L, s, mail.slot, (int)mail.count);
  md_sim_note(s->kernel, MD_TRACE_RECEIVE, p, mail.from, 0);
}

/* The process that runs gives up its place in the line it stands in. */
void host_unline(lua_State *L, host_sim *s, uint32_t p) {
  uint32_t envelope = md_sim_proc(s->kernel, p)->target;
  uint32_t to = md_sim_mails(s->kernel)->envelopes[envelope].mail.to;
  md_mail mail = md_mails_unline(md_sim_mails(s->kernel), to, envelope);
  host_drop(L, s, mail.slot, (int)mail.count);
}

/* -- waiting --------------------------------------------------------------------------- */

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
  message_release(L, s, p, e, line);
  return true;
}

/* Looks for a message that waits already; pushes what it gives. */
static bool message_look(lua_State *L, host_sim *s, uint32_t p, int patterns) {
  md_mails *mails = md_sim_mails(s->kernel);
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
  md_sim_note(s->kernel, MD_TRACE_TIMEOUT, s->host->process, 0, 0);
  return host_raise(L, "timeout", "%s: no message came in time", call);
}

static int message_waited(lua_State *L, int status, lua_KContext patterns) {
  (void)status;
  host_sim *s = host_of(L)->sim;
  host_woken(L);
  if (md_sim_proc(s->kernel, s->host->process)->why == MD_WHY_TIME)
    return message_timeout(L, s, "wait_timeout");
  return lua_gettop(L) - (int)patterns;
}

/* Waits with the patterns 1 .. top. */
static int message_wait(lua_State *L, host_sim *s, md_time deadline) {
  int patterns = lua_gettop(L);
  uint32_t p = s->host->process;
  if (message_look(L, s, p, patterns)) return lua_gettop(L) - patterns;
  if (deadline == md_sim_now(s->kernel))
    return message_timeout(L, s, "wait_timeout");
  md_sim_proc(s->kernel, p)->prev = (uint32_t)patterns;
  md_sim_wait(s->kernel, p, MD_WAIT_MESSAGE, deadline, 0);
  return host_block(L, s, patterns, message_waited);
}

/* wait(p1, p2, ...) -> captures and the rest of the first that matches */
static int f_wait(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_may_block_in(L, s, "wait");
  return message_wait(L, s, -1);
}

/* wait_timeout(d, p1, ...): raises when d is over. */
static int f_wait_timeout(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_may_block_in(L, s, "wait_timeout");
  md_time d = host_duration_arg(L, s, 1, "wait_timeout");
  lua_remove(L, 1);
  return message_wait(L, s, md_sim_now(s->kernel) + d);
}

/* -- asking ------------------------------------------------------------------------------ */

static int message_asked(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  host_sim *s = host_of(L)->sim;
  host_woken(L);
  switch (md_sim_proc(s->kernel, s->host->process)->why) {
  case MD_WHY_MESSAGE: return lua_gettop(L) - 1;
  case MD_WHY_END:
    return host_raise(L, "noproc", "ask: the process ended before it replied");
  default: return message_timeout(L, s, "ask_timeout");
  }
}

/* The message is on its way: waits for the ref at index 1. */
static int message_await_reply(lua_State *L, host_sim *s, uint32_t to,
                               md_time deadline) {
  lua_settop(L, 1);
  if (to == 0)
    return host_raise(L, "noproc", "ask: the process asked has ended");
  if (deadline >= 0 && deadline <= md_sim_now(s->kernel))
    return message_timeout(L, s, "ask_timeout");
  md_sim_proc(s->kernel, s->host->process)->prev = 1;
  md_sim_wait(s->kernel, s->host->process, MD_WAIT_REPLY, deadline, to);
  return host_block(L, s, 0, message_asked);
}

/* The message had to wait for room: ref, pid, deadline. */
static int message_asked_room(lua_State *L, int status, lua_KContext deadline) {
  (void)status;
  host_sim *s = host_of(L)->sim;
  uint32_t p = s->host->process;
  md_why why = (md_why)md_sim_proc(s->kernel, p)->why;
  if (why == MD_WHY_INTERRUPT || why == MD_WHY_UNWIND) {
    lua_settop(L, 1);
    message_look(L, s, p, 1); /* a reply that came before is of no use */
  }
  host_woken(L);
  if (why == MD_WHY_TIME) {
    host_unline(L, s, p);
    return message_timeout(L, s, "ask_timeout");
  }
  uint32_t to = host_pid_arg(L, s, 2, "ask");
  lua_settop(L, 1);
  if (message_look(L, s, p, 1)) return lua_gettop(L) - 1;
  return message_await_reply(L, s, to, deadline);
}

/* to, method, ...: sends (method, self, ref, ...). */
static int message_ask(lua_State *L, host_sim *s, md_time deadline) {
  md_host *h = s->host;
  uint32_t to = host_pid_arg(L, s, 1, "ask"), envelope = 0;
  if (to == h->process)
    return host_raise(L, "usage", "ask: a process that asks itself waits for "
                                  "ever; call the function instead");
  if (lua_gettop(L) < 2)
    return host_raise(L, "usage", "ask: expected a method after the pid, "
                                  "md.ask(pid, \"ping\", ...)");
  if (to == 0)
    return host_raise(L, "noproc", "ask: the process asked has ended");
  host_push_pid(L, s, to); /* a name may come to mean another */
  lua_replace(L, 1);
  host_push_ref(L, s, h->process);
  lua_pushvalue(L, 1);
  lua_insert(L, 1);
  lua_pushvalue(L, -1);
  lua_replace(L, 2);
  lua_rotate(L, 4, 1); /* pid, ref, method, ref, arguments */
  host_push_pid(L, s, h->process);
  lua_insert(L, 4); /* pid, ref, method, self, ref, arguments */
  message_fate fate = message_send(L, s, to, h->process, 3,
                                   lua_gettop(L) - 2, &envelope);
  if (fate == MESSAGE_OVER) return message_overflow(L, s, to, "ask");
  lua_settop(L, 2);
  lua_insert(L, 1); /* ref, pid */
  if (fate == MESSAGE_GONE) return message_await_reply(L, s, to, deadline);
  md_sim_wait(s->kernel, h->process, MD_WAIT_ROOM, deadline, envelope);
  return host_block(L, s, deadline, message_asked_room);
}

/* ask(to, method, ...) -> what follows the ref in the reply */
static int f_ask(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_may_block_in(L, s, "ask");
  return message_ask(L, s, -1);
}

/* ask_timeout(d, to, method, ...): raises when d is over. */
static int f_ask_timeout(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_may_block_in(L, s, "ask_timeout");
  md_time d = host_duration_arg(L, s, 1, "ask_timeout");
  lua_remove(L, 1);
  return message_ask(L, s, md_sim_now(s->kernel) + d);
}

/* -- receive ------------------------------------------------------------------------------- */

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
  md_sim_note(s->kernel, MD_TRACE_TIMEOUT, s->host->process, 0, 0);
  lua_settop(L, 1);
  lua_getiuservalue(L, 1, 1);
  lua_getfield(L, -1, "after");
  lua_rawgeti(L, -1, 2);
  if (lua_isnil(L, -1)) return 0;
  lua_callk(L, 0, LUA_MULTRET, 3, message_called);
  return message_called(L, LUA_OK, 3);
}

static int message_received(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  host_sim *s = host_of(L)->sim;
  host_woken(L);
  if (md_sim_proc(s->kernel, s->host->process)->why == MD_WHY_TIME)
    return message_after(L, s);
  return message_clause(L);
}

/* Tries envelope e of p against the clauses; on success pushes the clause's
   number and the values, and takes it. */
static bool message_try_clauses(lua_State *L, host_sim *s, uint32_t p,
                                uint32_t e, bool line) {
  md_mail mail = md_sim_mails(s->kernel)->envelopes[e].mail;
  int count = clauses_count(L, 1), base = lua_gettop(L), c = 1;
  while (c <= count && clauses_tag(L, 1, c) != 0 &&
         clauses_tag(L, 1, c) != mail.tag)
    c++;
  if (c > count) return false;
  luaL_checkstack(L, (int)mail.count + 2, "a message has too many values");
  host_fetch(L, s, mail.slot, (int)mail.count);
  c = clauses_find(L, 1, L, base + 1, (int)mail.count);
  if (c == 0) {
    lua_settop(L, base);
    return false;
  }
  clauses_gather(L, c, base + 1);
  message_release(L, s, p, e, line);
  return true;
}

static bool message_look_clauses(lua_State *L, host_sim *s, uint32_t p) {
  md_mails *mails = md_sim_mails(s->kernel);
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  uint32_t e = md_mails_find(mails, p, 0, 0);
  for (; e != 0; e = md_mails_find(mails, p, 0, e))
    if (message_try_clauses(L, s, p, e, false)) return true;
  e = extra ? extra->line_first : 0;
  for (; e != 0; e = mails->envelopes[e].next)
    if (message_try_clauses(L, s, p, e, true)) return true;
  return false;
}

/* The deadline that `after = {d, fn}` sets, -1: none. */
static md_time message_deadline(lua_State *L, host_sim *s) {
  md_time deadline = -1;
  lua_getiuservalue(L, 1, 1);
  lua_getfield(L, -1, "after");
  if (!lua_isnil(L, -1)) {
    if (!lua_istable(L, -1))
      host_raise(L, "usage",
                 "receive: expected {duration, function} as after, got %s",
                 host_describe(L, -1));
    lua_rawgeti(L, -1, 1);
    deadline = md_sim_now(s->kernel) + host_duration_arg(L, s, -1, "receive");
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

/* receive{ {p1, p2, ..., fn}, ..., after = {d, fn} } -> what fn returns */
static int f_receive(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_may_block_in(L, s, "receive");
  uint32_t p = s->host->process;
  lua_settop(L, 1);
  if (!clauses_at(L, 1)) {
    clauses_compile(L, 1);
    lua_replace(L, 1);
  }
  md_time deadline = message_deadline(L, s);
  if (message_look_clauses(L, s, p)) return message_clause(L);
  if (deadline == md_sim_now(s->kernel)) return message_after(L, s);
  md_sim_wait(s->kernel, p, MD_WAIT_MESSAGE, deadline, 0);
  return host_block(L, s, 0, message_received);
}

/* clauses{...} -> compiled clauses, for receive in a loop */
static int f_clauses(lua_State *L) {
  lua_settop(L, 1);
  clauses_compile(L, 1);
  return 1;
}

/* -- the rest --------------------------------------------------------------------------------- */

void host_flush(lua_State *L, host_sim *s, uint32_t p, bool line) {
  uint32_t n = md_sim_proc(s->kernel, p)->inbox_count;
  while (md_sim_proc(s->kernel, p)->inbox_count > 0 && (line || n-- > 0)) {
    uint32_t e = md_sim_proc(s->kernel, p)->inbox_first;
    md_mail mail = md_sim_take(s->kernel, p, e);
    host_drop(L, s, mail.slot, (int)mail.count);
    md_sim_note(s->kernel, MD_TRACE_DROP, mail.from, p, 0);
  }
}

/* inbox([pid]) -> messages that wait */
static int f_inbox(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_host *h = s->host;
  uint32_t p = h->sim == s ? h->process : 0;
  if (!lua_isnoneornil(L, 1)) p = host_pid_arg(L, s, 1, "inbox");
  else if (p == 0)
    return host_raise(L, "usage", "inbox: expected a pid outside of a process; "
                                  "md.inbox(pid)");
  lua_pushinteger(L, p ? md_sim_proc(s->kernel, p)->inbox_count : 0);
  return 1;
}

/* flush(): drops what waits in the inbox of the process that calls. */
static int f_flush(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_host *h = s->host;
  if (h->sim != s || h->process == 0)
    return host_raise(L, "usage", "flush: only a process has an inbox, and "
                                  "this is none");
  host_flush(L, s, h->process, false);
  return 0;
}

/* ref() -> a value that is never given again */
static int f_ref(lua_State *L) {
  host_push_ref(L, host_sim_arg(L), 0);
  return 1;
}

void host_open_messages(lua_State *L) {
  static const luaL_Reg functions[] = {{"send", f_send},
                                       {"reply", f_reply},
                                       {"send_after", f_send_after},
                                       {"send_at", f_send_at},
                                       {"wait", f_wait},
                                       {"wait_timeout", f_wait_timeout},
                                       {"ask", f_ask},
                                       {"ask_timeout", f_ask_timeout},
                                       {"receive", f_receive},
                                       {"clauses", f_clauses},
                                       {"inbox", f_inbox},
                                       {"flush", f_flush},
                                       {"ref", f_ref},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
