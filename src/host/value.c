/* Pids, refs, patterns and timers: light userdata, so they cost nothing to
   make, compare by value, may be keys of tables, and are the same after a
   resume. The four top bits tell the kind; no address of a user's program
   has them.

        63  60 59     52 51            24 23        0
       +------+---------+----------------+-----------+
       | kind | sim     | generation     | index     |   a pid
       +------+---------+----------------+-----------+

   The lower half is then scattered by the upper one, see host_scatter. */
#include "host/modules.h"

#include <assert.h>
#include <string.h>

enum { VALUE_SIM_SHIFT = 52 };

void *host_pid_light(const host_sim *s, md_pid pid) {
  uint64_t sim = (uint64_t)(s->id & 0xff) << VALUE_SIM_SHIFT;
  return host_light(HOST_PID, host_scatter(sim | pid));
}

void *host_pid_value(const host_sim *s, uint32_t p) {
  return host_pid_light(s, md_sim_pid(s->kernel, p));
}

void host_push_name(lua_State *L, const host_sim *s, md_pid pid) {
  lua_pushlightuserdata(L, host_pid_light(s, pid));
}

void host_push_pid(lua_State *L, const host_sim *s, uint32_t p) {
  lua_pushlightuserdata(L, host_pid_value(s, p));
}

/* 59..52 the sim, 51 whether it is an ask's, which has its process in 50..27;
   below a number that is never given again. */
void *host_ref_value(host_sim *s, uint32_t asker) {
  uint64_t bits = (uint64_t)(s->id & 0xff) << VALUE_SIM_SHIFT;
  uint64_t number = ++s->refs;
  if (asker != 0)
    number = (number & ((1u << 27) - 1)) | (uint64_t)asker << 27 | 1ull << 51;
  return host_light(HOST_REF, bits | number);
}

/* 50 tells a monitor's from those that are counted, which do not get so far;
   below is the bond's id. */
void *host_monitor_value(const host_sim *s, md_bond_id id) {
  static_assert(MD_BOND_INDEX_BITS + MD_BOND_GENERATION_BITS <= 50,
                "a bond's id has its place in a ref");
  uint64_t bits = (uint64_t)(s->id & 0xff) << VALUE_SIM_SHIFT;
  return host_light(HOST_REF, host_scatter(bits | 1ull << 50 | id));
}

md_bond_id host_monitor_id(const host_sim *s, const void *ref) {
  uint64_t bits = host_bits(ref);
  bool own = host_kind_of(ref) == HOST_REF &&
             bits >> VALUE_SIM_SHIFT == (s->id & 0xff);
  if (!own || (bits >> 50 & 3) != 1) return 0;
  return host_scatter(bits) & ((1ull << 50) - 1);
}

/* Is that the name of a living process, of which it makes no address? The first
   are looked at: who catches the error does not pay for all. */
static bool value_spawned(const host_sim *s, const char *name) {
  uint32_t p = 0;
  for (int n = 0; n < 1000 && (p = md_sim_after(s->kernel, p)) != 0; n++) {
    const md_proc_extra *extra = md_sim_extra(s->kernel, p);
    if (extra != NULL && extra->name && strcmp(extra->name, name) == 0)
      return true;
  }
  return false;
}

static uint32_t value_named(lua_State *L, host_sim *s, int i,
                            const char *call) {
  host_push(L, s, HOST_NAMES);
  lua_pushvalue(L, i);
  lua_rawget(L, -2);
  if (host_kind(L, -1) != HOST_PID)
    host_raise(L, "noproc",
               "%s: no process is registered as '%s'; %smd.register(name, pid) "
               "registers one",
               call, lua_tostring(L, i),
               value_spawned(s, lua_tostring(L, i))
                   ? "one is named so, which makes it no address: "
                   : "");
  md_pid pid = host_pid_bits(lua_touserdata(L, -1));
  lua_pop(L, 2);
  return md_sim_index(s->kernel, pid);
}

uint32_t host_pid_arg(lua_State *L, host_sim *s, int i, const char *call) {
  if (lua_type(L, i) == LUA_TSTRING) return value_named(L, s, i, call);
  if (host_kind(L, i) != HOST_PID) {
    const char *came = host_describe(L, i);
    host_raise(L, "usage",
               "%s: expected a pid or a registered name as argument %d, got "
               "%s; md.spawn returns a pid",
               call, i, came);
  }
  uint64_t bits = host_bits(lua_touserdata(L, i));
  if (bits >> VALUE_SIM_SHIFT != (s->id & 0xff))
    host_raise(L, "usage",
               "%s: the pid belongs to another sim; processes of different "
               "sims cannot reach each other",
               call);
  return md_sim_index(s->kernel, host_pid_bits(lua_touserdata(L, i)));
}

/* _, is.number, is.integer, is.string, is.boolean, is.table, is.func,
   is.pid, is.ref
   Patterns for wait, wait_timeout, receive and clauses: md._ matches any one
   value, the others one of their type. What they match is captured: returned,
   where a literal is stripped. is.number takes integers and floats, is.integer
   only what math.type calls an integer.
     local from, n = md.wait("add", md.is.pid, md.is.integer) */
static const char *const value_patterns[] = {
    "md._",         "md.is.number",  "md.is.integer",
    "md.is.string", "md.is.boolean", "md.is.table",
    "md.is.func",   "md.is.pid",     "md.is.ref"};

static int mt_tostring(lua_State *L) {
  uint64_t bits = host_bits(lua_touserdata(L, 1));
  md_pid pid = host_pid_bits(lua_touserdata(L, 1));
  uint32_t index = pid & ((1u << MD_INDEX_BITS) - 1);
  uint32_t generation = (uint32_t)(pid >> MD_INDEX_BITS);
  char text[48];
  switch (host_kind(L, 1)) {
  case HOST_PID:
    if (generation == 0) snprintf(text, sizeof text, "<pid %u>", index);
    else snprintf(text, sizeof text, "<pid %u.%u>", index, generation);
    break;
  case HOST_REF:
    if ((bits >> 50 & 3) == 1) { /* a monitor's */
      bits = host_scatter(bits) & ((1ull << 50) - 1);
      snprintf(text, sizeof text, "<ref m%u.%u>",
               (unsigned)(bits & ((1u << MD_BOND_INDEX_BITS) - 1)),
               (unsigned)(bits >> MD_BOND_INDEX_BITS));
      break;
    }
    snprintf(text, sizeof text, "<ref %llu>",
             (unsigned long long)(bits & ((1ull << 51) - 1)));
    break;
  case HOST_PATTERN:
    snprintf(text, sizeof text, "%s", value_patterns[bits]);
    break;
  case HOST_UNWIND:
    snprintf(text, sizeof text, "killed");
    break;
  default:
    snprintf(text, sizeof text, "userdata: %p", lua_touserdata(L, 1));
  }
  lua_pushstring(L, text);
  return 1;
}

static int mt_name(lua_State *L) {
  static const char *const names[] = {"pid", "ref", "pattern", "unwind"};
  host_value kind = host_kind(L, 1);
  if (kind != HOST_NO_VALUE && strcmp(luaL_checkstring(L, 2), "kind") == 0)
    lua_pushstring(L, names[kind - HOST_PID]);
  else lua_pushnil(L);
  return 1;
}

void host_open_values(lua_State *L) {
  lua_pushlightuserdata(L, NULL);
  lua_createtable(L, 0, 4);
  lua_pushcfunction(L, mt_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushcfunction(L, mt_name);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
  int top = lua_gettop(L); /* md is on the top */
  lua_pushlightuserdata(L, host_light(HOST_PATTERN, 0));
  lua_setfield(L, top, "_");
  lua_newtable(L);
  for (int i = 1; i < (int)(sizeof value_patterns / sizeof *value_patterns);
       i++) {
    lua_pushlightuserdata(L, host_light(HOST_PATTERN, (uint64_t)i));
    lua_setfield(L, -2, value_patterns[i] + strlen("md.is."));
  }
  lua_setfield(L, top, "is");
}
