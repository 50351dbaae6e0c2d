/* Signals, as the model gets them: md.pull reads what the kernel has kept and
   makes a table of each. The names of the fields are those of events.def. */
#include "host/modules.h"
#include "host/pattern.h"

#include <string.h>

/* The kind LOST is pull's own: so many signals were forgotten. */
enum { PULL_LOST = MD_TRACE_KINDS };

_Static_assert(PULL_LOST < 64, "a set of kinds is 64 bits");

/* What an iterator gives: the signals before record `end` that are of these
   kinds and, unless it is 0, of this process. */
typedef struct pull_range {
  host_sim *sim;
  uint64_t end, kinds;
  md_pid pid;
} pull_range;

/* -- the filter -- */

/* The bit of the kind whose name is on the top. [-1, +0, e] */
static uint64_t pull_kind(lua_State *L) {
  const char *known[MD_TRACE_KINDS + 1], *name;
  int n = 0;
  if (lua_type(L, -1) != LUA_TSTRING)
    host_raise(L, "usage",
               "pull: expected a kind or a list of kinds as kind, got %s; "
               "md.pull{kind = \"SEND\"}",
               host_describe(L, -1));
  name = lua_tostring(L, -1);
  lua_pop(L, 1); /* the filter holds it */
  if (strcmp(name, "LOST") == 0) return 1ull << PULL_LOST;
  md_trace_kind kind = md_trace_kind_of(name);
  if (kind != MD_TRACE_KINDS && kind != MD_TRACE_WAKE) return 1ull << kind;
  if (kind == MD_TRACE_WAKE)
    host_raise(L, "usage",
               "pull: WAKE is not kept, as it follows from the others; "
               "--trace tells it");
  for (int k = 0; k < MD_TRACE_KINDS; k++)
    if (k != MD_TRACE_WAKE) known[n++] = md_trace_name((md_trace_kind)k);
  known[n] = NULL;
  host_raise(L, "usage", "pull: there is no kind '%s'; did you mean '%s'?",
             name, host_nearest_kind(name, known));
  return 0;
}

/* The kinds that the field `kind` of the filter at 1 asks for. */
static uint64_t pull_kinds(lua_State *L) {
  uint64_t kinds = 0;
  lua_getfield(L, 1, "kind");
  if (lua_isnil(L, -1)) kinds = UINT64_MAX;
  else if (!lua_istable(L, -1)) return pull_kind(L);
  else
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++)
      kinds |= pull_kind(L);
  lua_settop(L, 1);
  return kinds;
}

/* The pid of the process that the field `pid` of the filter at 1 names, which
   may have ended; 0: none. */
static md_pid pull_pid(lua_State *L, host_sim *s) {
  lua_getfield(L, 1, "pid");
  lua_replace(L, 1);
  if (lua_isnil(L, 1)) return 0;
  host_pid_arg(L, s, 1, "pull");
  host_unname(L, s);
  return host_pid_bits(lua_touserdata(L, 1));
}

/* -- the iterator -- */

/* The table of a signal. [-0, +1, m] */
static void pull_push(lua_State *L, const host_sim *s,
                      const md_signal *signal) {
  lua_createtable(L, 0, 5);
  lua_pushstring(L, md_trace_name(signal->kind));
  lua_setfield(L, -2, "kind");
  host_push_time(L, s, signal->time);
  lua_setfield(L, -2, "time");
  lua_pushinteger(L, (lua_Integer)signal->number);
  lua_setfield(L, -2, "seq");
  if (signal->process != 0) {
    lua_pushlightuserdata(L, host_pid_light(s, signal->process));
    lua_setfield(L, -2, "pid");
  }
  if (signal->other == 0) return;
  lua_pushlightuserdata(L, host_pid_light(s, signal->other));
  lua_setfield(L, -2, md_trace_field(signal->kind));
}

static int pull_next(lua_State *L) {
  const pull_range *pull = lua_touserdata(L, lua_upvalueindex(1));
  md_signals *signals = md_sim_signals(pull->sim->kernel);
  md_signal signal;
  uint64_t lost;
  lua_settop(L, 0);
  if (!md_signals_ready(signals, &lost)) host_no_memory(L);
  if (lost > 0) {
    lua_createtable(L, 0, 2);
    lua_pushliteral(L, "LOST");
    lua_setfield(L, 1, "kind");
    lua_pushinteger(L, (lua_Integer)lost);
    lua_setfield(L, 1, "count");
    return 1;
  }
  while (md_signals_read(signals, pull->end, &signal)) {
    if (pull->pid != 0 && signal.process != pull->pid) continue;
    if (!(pull->kinds >> signal.kind & 1)) continue;
    pull_push(L, pull->sim, &signal);
    return 1;
  }
  return 0;
}

/* pull([filter]) -> iterator
   Gives the signals since the last pull, in order: for s in md.pull() do. Each
   is a table {kind=, time=, seq=, pid=} with, by kind, one field more for the
   other process: help trace lists them. seq counts from 1; pid is nil where no
   process acts. filter: {kind = a kind or a list of them, pid = pid or name};
   what it leaves out is taken away as well. The last 65536 are kept; when more
   came, {kind = "LOST", count = n} tells so first, whatever the filter. Raises
   usage for an unknown kind or field.
     for s in md.pull { kind = "SEND" } do print(s.time, s.pid, s.to) end */
static int f_pull(lua_State *L) {
  static const char *const fields[] = {"kind", "pid", NULL};
  host_sim *s = host_sim_arg(L);
  pull_range pull = {s, md_sim_signals(s->kernel)->last, UINT64_MAX, 0};
  lua_settop(L, 1);
  if (!lua_isnil(L, 1)) {
    if (!lua_istable(L, 1))
      return host_raise(L, "usage",
                        "pull: expected a filter, got %s; md.pull{kind = "
                        "\"SEND\"}",
                        host_describe(L, 1));
    host_check_fields(L, 1, "pull", fields);
    pull.kinds = pull_kinds(L);
    pull.pid = pull_pid(L, s);
  }
  pull_range *own = lua_newuserdatauv(L, sizeof *own, 0);
  *own = pull;
  host_push(L, s, HOST_SELF); /* it lives as long as the iterator */
  lua_pushcclosure(L, pull_next, 2);
  return 1;
}

void host_open_pull(lua_State *L) {
  lua_pushcfunction(L, f_pull);
  lua_setfield(L, -2, "pull");
}
