/* Where streams come from: the seed and a name, or a process; and math.random,
   which has one of its own. */
#include "host/stream.h"

#include "host/modules.h"
#include "kernel/dist.h"

#include <string.h>

static md_rng *chance_new(lua_State *L) {
  chance_stream *stream = lua_newuserdatauv(L, sizeof *stream, 0);
  stream->mark = chance_mark;
  luaL_setmetatable(L, "md.rng");
  return &stream->rng;
}

md_rng *host_stream(lua_State *L, host_sim *s, const char *name, size_t n) {
  host_push(L, s, HOST_STREAMS);
  int streams = lua_gettop(L);
  lua_pushlstring(L, name, n);
  lua_pushvalue(L, -1);
  lua_rawget(L, streams);
  md_rng *rng = chance_test(L, -1);
  if (rng == NULL) {
    lua_pop(L, 1);
    rng = chance_new(L);
    md_rng_seed(rng, md_sim_seed(s->kernel), name, n);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, streams);
  }
  lua_replace(L, streams);
  lua_settop(L, streams);
  return rng;
}

/* Pushes the own stream of the process that runs. */
static void chance_own(lua_State *L, host_sim *s) {
  uint32_t p = s->host->process;
  md_proc_extra *extra = md_sim_make_extra(s->kernel, p);
  if (extra == NULL) host_no_memory(L);
  uint32_t slot = (uint32_t)extra->words[HOST_PENDING];
  if (slot != 0) {
    host_fetch(L, s, slot, 1);
    return;
  }
  md_rng *rng = chance_new(L);
  md_rng_derive(rng, md_sim_seed(s->kernel), md_sim_cold(s->kernel, p)->stream,
                0);
  slot = host_hold(L, s, lua_gettop(L), 1);
  md_sim_extra(s->kernel, p)->words[HOST_PENDING] |= slot;
}

/* rng([name]) -> stream
   The stream of that name, the same whoever asks and in whatever order: it
   comes from the sim's seed and the name alone. Without a name the process's
   own, which comes from its name, or from its parent and its number among that
   one's children; outside of a process the script's. Its methods draw from it.
   Raises usage when the name is no string.
     print(md.rng("arrivals"):exponential(2)) */
static int f_rng(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  md_host *h = s->host;
  if (lua_isnoneornil(L, 1)) {
    if (h->sim == s && h->process != 0) chance_own(L, s);
    else host_stream(L, s, "", 0); /* the script's own */
    return 1;
  }
  if (lua_type(L, 1) != LUA_TSTRING)
    return host_raise(L, "usage",
                      "rng: expected a name, a string, got %s; the seed is "
                      "the sim's: md.sim{seed = 1} or --seed 1",
                      host_describe(L, 1));
  size_t n;
  const char *name = lua_tolstring(L, 1, &n);
  host_stream(L, s, name, n);
  return 1;
}

/* -- math.random -- */

/* math.random([m [, n]]) -> number
   As in Lua 5.4, but on the sim's own stream, which needs no seed: the same
   numbers in each run. It is shared; a stream of a name is not disturbed by
   what others draw, see rng.
     print(math.random(1, 6)) */
static int f_random(lua_State *L) {
  md_host *h = host_of(L);
  host_sim *s = h->sim ? h->sim : host_default(L);
  lua_Integer low = 1, high;
  switch (lua_gettop(L)) {
  case 0:
    lua_pushnumber(L, md_rng_unit(&s->chance));
    return 1;
  case 1:
    high = luaL_checkinteger(L, 1);
    if (high == 0) {
      lua_pushinteger(L, (lua_Integer)md_rng_next(&s->chance));
      return 1;
    }
    break;
  case 2:
    low = luaL_checkinteger(L, 1);
    high = luaL_checkinteger(L, 2);
    break;
  default:
    return luaL_error(L, "wrong number of arguments");
  }
  luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
  lua_pushinteger(L, md_dist_integer(&s->chance, low, high));
  return 1;
}

/* math.randomseed([x [, y]])
   Sets math.random to the stream of these numbers in this sim; without them to
   the one that it began with, never to one by chance. Returns nothing.
     math.randomseed(7) */
static int f_randomseed(lua_State *L) {
  md_host *h = host_of(L);
  host_sim *s = h->sim ? h->sim : host_default(L);
  if (lua_isnoneornil(L, 1)) {
    md_rng_seed(&s->chance, md_sim_seed(s->kernel), "math.random", 11);
    return 0;
  }
  uint64_t x, y = (uint64_t)luaL_optinteger(L, 2, 0);
  if (lua_isinteger(L, 1)) {
    x = (uint64_t)lua_tointeger(L, 1);
  } else {
    lua_Number n = luaL_checknumber(L, 1);
    memcpy(&x, &n, sizeof x);
  }
  md_rng_derive(&s->chance, md_sim_seed(s->kernel), x, y + 1);
  return 0;
}

void host_open_streams(lua_State *L) {
  lua_pushcfunction(L, f_rng);
  lua_setfield(L, -2, "rng");
  lua_getglobal(L, "math");
  lua_pushcfunction(L, f_random);
  lua_setfield(L, -2, "random");
  lua_pushcfunction(L, f_randomseed);
  lua_setfield(L, -2, "randomseed");
  lua_pop(L, 1);
}
