/* Asking: a message with a ref, and the wait for the reply that has it. */
#include "host/message.h"
#include "host/typed.h"

static int ask_timeout(lua_State *L, host_sim *s) {
  host_timed_out(L, s);
  return host_raise(L, "timeout", "ask_timeout: no reply came in time");
}

static int ask_answered(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  host_sim *s = host_of(L)->sim;
  host_woken(L);
  switch (md_sim_proc(s->kernel, s->host->process)->why) {
  case MD_WHY_MESSAGE:
    return lua_gettop(L) - 1;
  case MD_WHY_END:
    if (s->host->recording) host_record_own(L, s, "DOWN", 1, 0);
    return host_raise(L, "noproc", "ask: the process ended before it replied");
  default:
    return ask_timeout(L, s);
  }
}

/* The message is on its way: waits for the ref at index 1. */
static int ask_wait(lua_State *L, host_sim *s, uint32_t to, md_time deadline) {
  lua_settop(L, 1);
  if (to == 0)
    return host_raise(L, "noproc", "ask: the process asked has ended");
  if (deadline >= 0 && deadline <= md_sim_now(s->kernel))
    return ask_timeout(L, s);
  md_sim_wait(s->kernel, s->host->process, MD_WAIT_REPLY, deadline, to);
  return host_block(L, s, 0, ask_answered);
}

/* The message had to wait for room: ref, pid, deadline. */
static int ask_lined(lua_State *L, int status, lua_KContext deadline) {
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
    return ask_timeout(L, s);
  }
  uint32_t to = host_pid_arg(L, s, 2, "ask");
  lua_settop(L, 1);
  if (message_look(L, s, p, 1)) return lua_gettop(L) - 1;
  return ask_wait(L, s, to, deadline);
}

/* The process asked: argument 1, which must live and be another. */
static uint32_t ask_target(lua_State *L, host_sim *s, const char *call) {
  uint32_t to = host_pid_arg(L, s, 1, call);
  if (to == s->host->process)
    host_raise(L, "usage",
               "%s: a process that asks itself waits for ever; "
               "call the function instead",
               call);
  if (lua_gettop(L) < 2)
    host_raise(L, "usage",
               "%s: expected a method after the pid, "
               "md.ask(pid, \"ping\", ...)",
               call);
  if (to != 0) return to;
  /* a replay has the question on record, and goes on to it */
  if (!s->host->recording || !host_record_own(L, s, "ASK", 1, 1))
    host_raise(L, "noproc", "ask: the process asked has ended");
  return to;
}

/* to, method, ...: sends (method, self, ref, ...). */
static int ask_send(lua_State *L, host_sim *s, uint32_t to, md_time deadline) {
  md_host *h = s->host;
  uint32_t envelope = 0;
  int n = lua_gettop(L) - 1;
  void *pid = host_pid_value(s, to), *ref = host_ref_value(s, h->process);
  uint64_t digest = host_digest(L, 2, n);
  lua_pushlightuserdata(L, host_pid_value(s, h->process));
  lua_pushlightuserdata(L, ref);
  lua_rotate(L, 3, 2); /* pid, method, self, ref, arguments */
  if (h->typed || md_sim_proc(s->kernel, to)->flags & MD_ACCEPTS)
    message_check(L, s, to, "ask", 2, n + 2);
  if (h->recording && host_record_send(L, s, to, 1, -1, 2, n + 2)) {
    lua_settop(L, 0); /* kept back in a replay, which has the reply */
    lua_pushlightuserdata(L, ref);
    return ask_wait(L, s, h->process, deadline);
  }
  message_fate fate =
      message_send(L, s, to, h->process, 2, n + 2, digest, &envelope);
  if (fate == MESSAGE_OVER) return message_overflow(L, s, to, "ask");
  lua_settop(L, 0);
  lua_pushlightuserdata(L, ref);
  if (fate <= MESSAGE_LOST) return ask_wait(L, s, to, deadline);
  lua_pushlightuserdata(L, pid); /* a name may come to mean another */
  md_sim_wait(s->kernel, h->process, MD_WAIT_ROOM, deadline, envelope);
  return host_block(L, s, deadline, ask_lined);
}

/* ask(to, method, ...) -> what follows the ref in the reply
   Sends (method, self(), ref, ...) and waits for (ref, ...), which is what
   reply sends. Raises {kind="noproc"} when the process has ended, or ends
   before it replied; a reply that was sent before the end wins. A full inbox
   does as for send. Raises usage for the caller itself, without a method, and
   where nothing can block.
     print(md.ask(pid, "price", "tea")) */
static int f_ask(lua_State *L) {
  md_host *h = host_of(L);
  uint32_t to = host_free(L, h) ? message_plain(L, h) : 0;
  h->instructions = 0;
  if (to != 0 && to != h->process && lua_gettop(L) > 1)
    return ask_send(L, h->sim, to, -1);
  host_sim *s = host_sim_arg(L);
  host_may_block_in(L, s, "ask");
  return ask_send(L, s, ask_target(L, s, "ask"), -1);
}

/* ask_timeout(d, to, method, ...) -> what follows the ref in the reply
   The same as ask, but raises {kind="timeout"} when d units of time are over,
   the wait for room included; the reply is lost when it comes later. With d =
   0 nobody else goes first.
     print(pcall(md.ask_timeout, 5, pid, "price", "tea")) */
static int f_ask_timeout(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  host_may_block_in(L, s, "ask_timeout");
  md_time d = host_duration_arg(L, s, 1, "ask_timeout");
  lua_remove(L, 1);
  uint32_t to = ask_target(L, s, "ask_timeout");
  return ask_send(L, s, to, md_sim_now(s->kernel) + d);
}

void host_open_asking(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"ask", f_ask}, {"ask_timeout", f_ask_timeout}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
