/* Messages: sending, and waiting for those that match.

   A message to a process that waits for it goes straight from the sender's
   stack to the receiver's, which is then woken. Any other is held, and an
   envelope for it is put into the inbox. A process that waits has its
   patterns on its own stack, at 1 .. top: they are what senders look at. One
   that waits with clauses has the compiled clauses there, alone. */
#include "host/loop.h"
#include "host/message.h"
#include "host/bond.h"
#include "host/clauses.h"
#include "host/cproc.h"
#include "host/mailbox.h"
#include "host/modules.h"
#include "host/pattern.h"

#include <string.h>

/* -- handing over -- */

/* Does the message match the patterns on the waiting coroutine's stack? */
static inline __attribute__((always_inline)) bool
message_wanted(lua_State *leaf, int patterns, lua_State *L, int first, int n) {
  if (patterns > n) return false;
  for (int i = 1; i <= patterns; i++)
    if (!host_match(leaf, i, L, first + i - 1)) return false;
  return true;
}

/* Moves the top n values, a message that matches the patterns 1 .. top of
   leaf, without the literals. False when there is no memory. [-n, +0, -] */
static inline __attribute__((always_inline)) bool
message_move(lua_State *leaf, int patterns, lua_State *L, int first, int n) {
  int prefix = 0, last = patterns;
  /* a C function that has blocked has so many slots free */
  if (n > LUA_MINSTACK - 2 && !lua_checkstack(leaf, n)) return false;
  while (prefix < patterns && host_literal(leaf, prefix + 1)) prefix++;
  while (last > prefix && !host_literal(leaf, last)) last--;
  for (int i = prefix; i < last; i++) { /* captures among literals */
    if (host_literal(leaf, i + 1)) continue;
    lua_pushvalue(L, first + i);
    lua_xmove(L, leaf, 1);
  }
  lua_xmove(L, leaf, n - last);
  return true;
}

static bool message_awaits(const md_proc *proc) {
  return proc->state == MD_WAITING &&
         (proc->wait == MD_WAIT_MESSAGE || proc->wait == MD_WAIT_REPLY);
}

static bool message_has_clauses(lua_State *leaf) {
  return lua_type(leaf, 1) == LUA_TUSERDATA && clauses_at(leaf, 1);
}

/* For whom guards are asked. */
static inline void message_receiver(host_sim *s, uint32_t to) {
  s->host->guard_failed = false;
  s->host->receiver_sim = s;
  s->host->receiver = to;
}

/* True when a guard has failed on behalf of the receiver, once: it will look
   itself when the message is there. */
static inline bool message_unjudged(host_sim *s) {
  bool failed = s->host->guard_failed;
  s->host->guard_failed = false;
  return failed;
}

/* True when process `to` waits with a filter, which drops what it does not
   want. */
static bool message_filtered(host_sim *s, uint32_t to) {
  if (!message_awaits(md_sim_proc(s->kernel, to))) return false;
  if (cproc_of(s, to) != NULL) return false;
  lua_State *leaf = host_leaf(s, to);
  return message_has_clauses(leaf) && clauses_filter(leaf, 1);
}

/* Does process `to` wait for the n values from `first` on? */
static bool message_awaited(lua_State *L, host_sim *s, uint32_t to, int first,
                            int n) {
  if (!message_awaits(md_sim_proc(s->kernel, to)))
    return mailbox_awaits(L, s, to, first, n);
  if (cproc_of(s, to) != NULL)
    return cmail_awaited(L, cproc_of(s, to), first, n);
  lua_State *leaf = host_leaf(s, to);
  message_receiver(s, to);
  if (message_has_clauses(leaf)) return clauses_find(leaf, 1, L, first, n);
  return message_wanted(leaf, lua_gettop(leaf), L, first, n);
}

/* The number of an ask's ref, never 0. */
static uint32_t message_number(lua_State *L, int ref) {
  return (uint32_t)host_bits(lua_touserdata(L, ref)) | 1u << 31;
}

/* A process that was handed a message, and has not seen it yet, has its sender
   in `next`: the index, and of the generation what tells it from the few that
   may have had the slot in this instant. */
static inline uint32_t message_sender_word(const host_sim *s, uint32_t from) {
  return from | md_sim_proc(s->kernel, from)->generation << MD_INDEX_BITS;
}

static md_pid message_sender_pid(const host_sim *s, uint32_t word) {
  uint32_t from = word & ((1u << MD_INDEX_BITS) - 1);
  uint32_t now = md_sim_proc(s->kernel, from)->generation;
  uint8_t since = (uint8_t)(now - (word >> MD_INDEX_BITS));
  return (md_pid)(now - since) << MD_INDEX_BITS | from;
}

/* Hands the top n values of L to process `to` if it waits for them. A part of
   every send, and not called. [-n|0] */
static inline __attribute__((always_inline)) bool
message_hand(lua_State *L, host_sim *s, uint32_t to, uint32_t from, int first,
             int n) {
  md_proc *proc = md_sim_proc(s->kernel, to);
  if (!message_awaits(proc)) return false;
  if (__builtin_expect(cproc_of(s, to) != NULL, 0))
    return cmail_hand(L, s, cproc_of(s, to), from, first, n);
  lua_State *leaf = host_leaf(s, to);
  int patterns = 1; /* or the clauses */
  bool moved;
  message_receiver(s, to);
  if (message_has_clauses(leaf)) {
    int clause = clauses_find(leaf, 1, L, first, n);
    if (clause == 0) return false;
    if (s->host->recording) host_record_values(L, s, to, "RECEIVE", first, n);
    moved = clauses_move(leaf, clause, L, first, n);
  } else {
    patterns = lua_gettop(leaf);
    if (!message_wanted(leaf, patterns, L, first, n)) return false;
    if (s->host->recording) host_record_values(L, s, to, "RECEIVE", first, n);
    moved = message_move(leaf, patterns, L, first, n);
  }
  if (!moved) host_no_memory(L);
  if (proc->wait == MD_WAIT_REPLY)
    md_sim_cold(s->kernel, to)->answered = message_number(L, first);
  md_sim_wake(s->kernel, to, MD_WHY_MESSAGE);
  md_mails *mails = md_sim_mails(s->kernel);
  md_mails_handed(mails, to);
  proc->target = mails->arrivals++;
  proc->prev = (uint32_t)patterns;
  proc->next = message_sender_word(s, from);
  md_sim_sent(s->kernel, from, to, MD_SENT_RECEIVED);
  return true;
}

/* What was handed to p goes back to where it would lie had p not waited; a
   reply to an ask is dropped, as it would be had it come later. */
void host_unreceive(lua_State *L, host_sim *s, uint32_t p) {
  if (cproc_of(s, p) != NULL) {
    cmail_unreceive(L, s, cproc_of(s, p));
    return;
  }
  lua_State *leaf = host_leaf(s, p);
  const md_proc *proc = md_sim_proc(s->kernel, p);
  int base = lua_gettop(L), n;
  if (proc->wait == MD_WAIT_REPLY) {
    if (s->host->recording) host_record_leaf(L, s, p, "DROP", leaf);
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
                  .from = message_sender_pid(s, proc->next),
                  .arrival = proc->target};
  if (s->host->recording) host_record_values(L, s, p, "RETURN", base + 1, n);
  mail.slot = host_hold(L, s, base + 1, n);
  if (!md_mails_put_back(md_sim_mails(s->kernel), p, &mail)) host_no_memory(L);
  lua_settop(L, base);
}

/* -- sending -- */

/* A reply to an ask of `to` that is over: nobody can want it any more. One to
   an ask whose message waited for room, and has been taken before `to` could
   go on, is in time. The ref of an ask is at index 1 while it waits. */
static bool message_late(lua_State *L, host_sim *s, uint32_t to, int first,
                         int n) {
  void *ref = n > 0 ? lua_touserdata(L, first) : NULL;
  if (ref == NULL || host_asker(ref) != to) return false;
  if (cproc_of(s, to) != NULL)
    return !cmail_asks(cproc_of(s, to), (md_ref)(uintptr_t)ref);
  const md_proc *proc = md_sim_proc(s->kernel, to);
  bool asks = proc->state == MD_WAITING
                  ? proc->wait == MD_WAIT_REPLY
                  : proc->state == MD_READY && proc->why == MD_WHY_ROOM;
  return !asks || lua_touserdata(host_leaf(s, to), 1) != ref;
}

static message_fate message_drop(lua_State *L, host_sim *s, uint32_t to,
                                 uint32_t from, int first, int n) {
  if (to != 0) md_mails_lost(md_sim_mails(s->kernel), to);
  if (s->host->recording) host_record_values(L, s, to, "DROP", first, n);
  md_sim_sent(s->kernel, from, to, MD_SENT);
  md_sim_note(s->kernel, MD_TRACE_DROP, from, to, 0);
  return MESSAGE_LOST;
}

/* Keeps the message for `to`, in its inbox or in the line before it. */
static message_fate message_queue(lua_State *L, host_sim *s, uint32_t to,
                                  uint32_t from, int first, int n, bool room,
                                  uint32_t *envelope) {
  md_mail mail = {.tag = host_tag(L, first),
                  .count = (uint32_t)n,
                  .from = md_sim_pid(s->kernel, from),
                  .to = to,
                  .sender = s->host->sim == s ? s->host->process : 0};
  if (n == 0) mail.tag = 0;
  if (cproc_of(s, to) != NULL) cmail_fill(L, s, &mail, first, n);
  else mail.slot = host_hold(L, s, first, n);
  *envelope = room ? md_sim_post(s->kernel, to, mail.tag, mail.from, mail.slot,
                                 mail.count)
                   : md_mails_line(md_sim_mails(s->kernel), to, &mail);
  if (*envelope == 0) {
    host_forget_mail(L, s, to, &mail);
    host_no_memory(L);
  }
  md_sim_sent(s->kernel, from, to, room ? MD_SENT_QUEUED : MD_SENT);
  if (room) return MESSAGE_GONE;
  md_sim_note(s->kernel, MD_TRACE_BACKOFF, from, to, 0);
  if (s->host->recording) host_record_backoff(L, s, to, first, n);
  return MESSAGE_LINED;
}

/* A second reply to the ask that `to` made last. */
static bool message_twice(lua_State *L, host_sim *s, uint32_t to, int first) {
  return md_sim_cold(s->kernel, to)->answered == message_number(L, first);
}

/* Who makes a chart learns what is sent. */
static inline void message_show(lua_State *L, host_sim *s, int first, int n) {
  md_host *h = s->host;
  if (__builtin_expect(h->out.label != NULL, 0))
    h->out.label(h, s, L, first, n);
}

message_fate message_deliver(lua_State *L, host_sim *s, uint32_t to,
                             uint32_t from, int first, int n, uint64_t digest,
                             uint32_t *envelope) {
  message_show(L, s, first, n);
  md_sim_send(s->kernel, from, to, digest);
  if (to == 0) return message_drop(L, s, to, from, first, n);
  if (message_late(L, s, to, first, n)) {
    message_fate fate = message_drop(L, s, to, from, first, n);
    return message_twice(L, s, to, first) ? MESSAGE_TWICE : fate;
  }
  if (message_hand(L, s, to, from, first, n) ||
      mailbox_hand(L, s, to, from, first, n))
    return MESSAGE_GONE;
  bool unjudged = message_unjudged(s);
  /* it only unwinds; what its closers wait for it has got by now */
  if (md_sim_proc(s->kernel, to)->flags & MD_DYING)
    return message_drop(L, s, to, from, first, n);
  if (!unjudged && message_filtered(s, to))
    return message_drop(L, s, to, from, first, n);
  bool room = md_sim_room(s->kernel, to);
  md_full full = room ? MD_FULL_BLOCK : md_sim_extra(s->kernel, to)->full;
  if (full == MD_FULL_DROP) return message_drop(L, s, to, from, first, n);
  if (full == MD_FULL_ERROR) {
    md_sim_sent(s->kernel, from, to, MD_SENT);
    return MESSAGE_OVER;
  }
  message_fate fate = message_queue(L, s, to, from, first, n, room, envelope);
  if (unjudged) md_sim_wake(s->kernel, to, MD_WHY_LOOK);
  return fate;
}

message_fate message_pass_on(lua_State *L, host_sim *s, uint32_t to,
                             uint32_t from, int first, int n, uint64_t digest,
                             uint32_t *envelope) {
  bool reply = n > 0 && host_asker(lua_touserdata(L, first)) == to;
  luaL_checkstack(L, n, "a message has too many values");
  for (int i = 0; i < n; i++) lua_pushvalue(L, first + i);
  message_fate fate =
      message_deliver(L, s, to, from, first + n, n, digest, envelope);
  if (!reply && (fate == MESSAGE_GONE || fate == MESSAGE_LINED))
    child_forward(L, s, to, from, first, n);
  lua_settop(L, first + n - 1);
  return fate;
}

void message_tell(lua_State *L, host_sim *s, uint32_t to, uint32_t from,
                  int first, int n) {
  uint32_t envelope;
  if (message_hand(L, s, to, from, first, n) ||
      mailbox_hand(L, s, to, from, first, n))
    return;
  bool unjudged = message_unjudged(s);
  const md_proc *proc = md_sim_proc(s->kernel, to);
  if (proc->flags & MD_DYING && proc->state != MD_RUNNING) {
    message_drop(L, s, to, from, first, n);
    return;
  }
  message_queue(L, s, to, from, first, n, true, &envelope);
  if (unjudged) md_sim_wake(s->kernel, to, MD_WHY_LOOK);
}

int message_overflow(lua_State *L, host_sim *s, uint32_t to, const char *call) {
  char label[64];
  uint32_t n = md_sim_extra(s->kernel, to)->capacity;
  return host_raise(L, "overflow",
                    "%s: the inbox of %s is full (%I message%s); send less, "
                    "give it a larger inbox, or let its senders wait: on_full "
                    "= \"block\"",
                    call, host_label(s, to, label), (LUAI_UACINT)n,
                    n == 1 ? "" : "s");
}

static int message_twice_refuse(lua_State *L, host_sim *s, uint32_t to,
                                const char *call) {
  char label[64];
  return host_raise(L, "usage",
                    "%s: %s has had a reply to this ask; an ask takes one, and "
                    "md.send(pid, ...) sends what else there is to say",
                    call, host_label(s, to, label));
}

static int message_sent(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  host_woken(L);
  return 0;
}

/* A send of the values from 2 on that would have to wait: only a process
   may. */
static bool message_would_wait(lua_State *L, host_sim *s, uint32_t to) {
  return to != 0 && !message_filtered(s, to) && !md_sim_room(s->kernel, to) &&
         md_sim_extra(s->kernel, to)->full == MD_FULL_BLOCK &&
         !(md_sim_proc(s->kernel, to)->flags & MD_DYING) &&
         !message_late(L, s, to, 2, lua_gettop(L) - 1) &&
         !message_awaited(L, s, to, 2, lua_gettop(L) - 1);
}

/* The values from `first` on are sent to a process that has ended. */
static void message_lose(lua_State *L, host_sim *s, md_pid to, md_pid from,
                         int first, int n, uint64_t digest) {
  message_show(L, s, first, n);
  md_sim_note_pids(s->kernel, MD_TRACE_SEND, from, to, digest);
  md_sim_note_pids(s->kernel, MD_TRACE_DROP, from, to, 0);
}

bool message_send_on(lua_State *L, host_sim *s, uint32_t to, uint64_t digest,
                     const char *call, uint32_t *envelope) {
  int n = lua_gettop(L) - 1;
  if (s->host->recording && host_record_send(L, s, to, 1, -1, 2, n))
    return false;
  if (to == 0) {
    host_unname(L, s);
    message_lose(L, s, host_pid_bits(lua_touserdata(L, 1)),
                 md_sim_pid(s->kernel, message_sender(s)), 2, n, digest);
    return false;
  }
  message_fate fate =
      message_send(L, s, to, message_sender(s), 2, n, digest, envelope);
  if (fate == MESSAGE_OVER) message_overflow(L, s, to, call);
  if (fate == MESSAGE_TWICE) message_twice_refuse(L, s, to, call);
  return fate == MESSAGE_LINED;
}

static int message_send_call(lua_State *L, host_sim *s, const char *call) {
  host_no_guard(L, call);
  uint32_t to = host_pid_arg(L, s, 1, call), envelope = 0;
  message_check(L, s, to, call, 2, lua_gettop(L) - 1);
  if (message_would_wait(L, s, to))
    host_may_block_in(L, s, "send to a full inbox");
  if (!message_send_on(L, s, to, host_digest(L, 2, lua_gettop(L) - 1), call,
                       &envelope))
    return 0;
  md_sim_wait(s->kernel, s->host->process, MD_WAIT_ROOM, -1, envelope);
  return host_block(L, s, 0, message_sent);
}

uint32_t message_plain(lua_State *L, const md_host *h) {
  if (h->process == 0 || h->careful) return 0;
  uint32_t to = host_pid_index(h->sim, lua_touserdata(L, 1));
  uint8_t flags = md_sim_proc(h->sim->kernel, to)->flags;
  return flags & (MD_BOUNDED | MD_FORWARDS) ? 0 : to;
}

void message_check(lua_State *L, host_sim *s, uint32_t to, const char *call,
                   int first, int n) {
  if (s->host->typed) host_check_records(L, call, first, n);
  if (to != 0 && md_sim_proc(s->kernel, to)->flags & MD_ACCEPTS)
    host_check_protocol(L, s, to, call, first, n);
}

/* Sends the arguments from 2 on, if argument 1 is plain. */
static bool message_send_plain(lua_State *L, const char *call) {
  md_host *h = host_of(L);
  uint32_t to = message_plain(L, h), envelope;
  int n = lua_gettop(L) - 1;
  if (to == 0) return false;
  if (h->typed || md_sim_proc(h->sim->kernel, to)->flags & MD_ACCEPTS)
    message_check(L, h->sim, to, call, 2, n);
  message_fate fate = message_deliver(L, h->sim, to, h->process, 2, n,
                                      host_digest(L, 2, n), &envelope);
  if (fate == MESSAGE_TWICE) message_twice_refuse(L, h->sim, to, call);
  return true;
}

/* send(to, ...)
   Sends the values as one message to a process, a pid or a registered name;
   tables travel by reference. Who waits for such a message is handed it now,
   even past a full inbox, and goes on at this time behind what is due. An
   inbox that is full does as its on_full says: "block" has the sender wait for
   room, "drop" loses the message, "error" raises {kind="overflow"}. To a
   process that has ended it is lost. Raises noproc for a name that nobody is
   registered by; usage for what is no pid, for what its receiver does not
   accept, and where it would have to wait and nothing can block.
     md.send(pid, "hello", 42) */
static int f_send(lua_State *L) {
  if (message_send_plain(L, "send")) return 0;
  return message_send_call(L, host_sim_arg(L), "send");
}

/* reply(from, ref, ...)
   Answers a message that came from ask as (method, from, ref, ...): the same
   as send(from, ref, ...). A reply to an ask that is over is lost. Raises
   usage when the second argument is no ref, for a second reply to the same ask,
   and what send raises.
     md.reply(from, ref, "done") */
static int f_reply(lua_State *L) {
  if (host_kind(L, 2) == HOST_REF && message_send_plain(L, "reply")) return 0;
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
  host_no_reload(L, call);
  int n = lua_gettop(L) - 2;
  message_check(L, s, to, call, 3, n);
  if (s->host->recording) host_record_send(L, s, to, 2, at, 3, n);
  uint32_t slot = host_hold(L, s, 3, n);
  uint64_t words[3] = {(uint64_t)n << 32 | slot,
                       to ? md_sim_pid(s->kernel, to) : 0,
                       host_record_later(s)};
  md_timer_id id = md_sim_at(s->kernel, at, HOST_MESSAGE, words, 0);
  if (id == 0) {
    host_drop(L, s, slot, n);
    host_no_memory(L);
  }
  return host_push_timer(L, s, id);
}

/* send_after(d, to, ...) -> timer
   Sends the values d units of time from now, d at least 0. A name is looked up
   now. It never waits: for a full inbox with on_full "block" the message
   stands in line, with "error" its overflow ends the run. Raises usage for a
   wrong d or pid, noproc for an unknown name.
     md.send_after(1.5, pid, "tick") */
static int f_send_after(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_time d = host_duration_arg(L, s, 1, "send_after");
  return message_later(L, s, md_sim_now(s->kernel) + d, "send_after");
}

/* send_at(t, to, ...) -> timer
   The same as send_after, at the time t. Raises usage when t is in the past.
     md.send_at(md.now() + 10, pid, "tick") */
static int f_send_at(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  return message_later(L, s, host_time_arg(L, s, 1, "send_at"), "send_at");
}

/* On the callbacks' coroutine; words as message_later made them. */
int host_arrive(lua_State *L, host_sim *s, const uint64_t words[3]) {
  uint32_t slot = (uint32_t)words[0], envelope = 0;
  int n = (int)(words[0] >> 32), first = lua_gettop(L) + 1;
  uint32_t to = words[1] ? md_sim_index(s->kernel, words[1]) : 0;
  md_pid sender = host_later_pid(words[2]);
  uint32_t from = sender ? md_sim_index(s->kernel, sender) : 0;
  host_fetch(L, s, slot, n);
  host_drop(L, s, slot, n);
  if (s->host->recording && host_record_late(L, s, to, words[2], first, n))
    lua_settop(L, first - 1); /* kept back */
  else if (to == 0 && words[1] != 0)
    message_lose(L, s, words[1], sender, first, n, host_digest(L, first, n));
  else if (message_send(L, s, to, from, first, n, host_digest(L, first, n),
                        &envelope) == MESSAGE_OVER)
    md_sim_note(s->kernel, MD_TRACE_DROP, from, to, 0); /* it is not told */
  return 0;
}

/* The process that runs gives up its place in the line it stands in. */
void host_unline(lua_State *L, host_sim *s, uint32_t p) {
  uint32_t envelope = md_sim_proc(s->kernel, p)->target;
  uint32_t to = md_sim_mails(s->kernel)->envelopes[envelope].mail.to;
  md_mail mail = md_mails_unline(md_sim_mails(s->kernel), to, envelope);
  host_forget_mail(L, s, to, &mail);
}

/* -- the rest -- */

/* ref() -> ref
   A value that is never given again, to find the answer to a question by.
     local question = md.ref() */
static int f_ref(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  lua_pushlightuserdata(L, host_ref_value(s, 0));
  return 1;
}

void host_open_messages(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"send", f_send},       {"reply", f_reply}, {"send_after", f_send_after},
      {"send_at", f_send_at}, {"ref", f_ref},     {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
