/* Each is a userdata that its functions share as an upvalue: what adds, what
   reads the state and what writes it. What is wrong with an argument is said by
   a function of Lua's, the second upvalue: refuse(call, object, x). Numbers are
   kept as they came, an integer as one. */
#include "host/adder.h"

#include <float.h>
#include <math.h>

typedef struct number {
  double d;
  lua_Integer i;
  bool whole;
} number;

/* What begins each of them. */
typedef struct adder {
  const void *object; /* the table that it is part of */
} adder;

enum { ADDER_STATE = 1, ADDER_REFUSE, ADDER_ROLL };

#define ADDER_EXACT 0x1p53 /* up to here each integer is a double */

static inline void *adder_of(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(ADDER_STATE));
}

/* Are the arguments the object and a number? */
static inline bool adder_takes(lua_State *L, const adder *it) {
  return lua_topointer(L, 1) == it->object && lua_type(L, 2) == LUA_TNUMBER;
}

static int adder_refuse(lua_State *L, const char *call) {
  lua_settop(L, 2);
  lua_pushvalue(L, lua_upvalueindex(ADDER_REFUSE));
  lua_pushstring(L, call);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_call(L, 3, 0);
  return 0;
}

/* -- numbers -- */

static inline number number_at(lua_State *L, int i) {
  number n = {.d = lua_tonumber(L, i), .whole = lua_isinteger(L, i)};
  if (n.whole) n.i = lua_tointeger(L, i);
  return n;
}

static void number_push(lua_State *L, number n) {
  if (n.whole) lua_pushinteger(L, n.i);
  else lua_pushnumber(L, n.d);
}

/* As Lua compares them, exactly. */
static bool number_less(lua_State *L, number a, number b) {
  if (!a.whole && !b.whole) return a.d < b.d;
  if (fabs(a.d) < ADDER_EXACT && fabs(b.d) < ADDER_EXACT) return a.d < b.d;
  number_push(L, a);
  number_push(L, b);
  bool less = lua_compare(L, -2, -1, LUA_OPLT);
  lua_pop(L, 2);
  return less;
}

static number number_sum(number a, number b) {
  if (!a.whole || !b.whole) return (number){.d = a.d + b.d};
  lua_Integer i = (lua_Integer)((lua_Unsigned)a.i + (lua_Unsigned)b.i);
  return (number){.d = (double)i, .i = i, .whole = true};
}

/* -- tallies; see tally.lua -- */

enum { TALLY_BLOCK = 64 };

/* It is sum + rest. */
typedef struct double_sum {
  double sum, rest;
} double_sum;

typedef struct tally {
  adder of;
  double first, low, high; /* and the least and the greatest as doubles */
  double sum, squares;     /* of this block */
  lua_Integer count, full; /* when the block is full */
  double_sum all_sum, all_squares; /* of the blocks before */
  number min, max;
} tally;

/* Increases it by x; nothing is lost (Knuth's TwoSum). */
static void double_sum_add(double_sum *w, double x) {
  double t = w->sum + x, z = t - w->sum;
  w->rest = w->rest + ((w->sum - (t - z)) + (x - z));
  w->sum = t;
}

static void tally_fold(tally *it) {
  double_sum_add(&it->all_sum, it->sum);
  double_sum_add(&it->all_squares, it->squares);
  it->sum = it->squares = 0;
  it->full = it->count + TALLY_BLOCK;
}

/* The number at 2 may be the first, or beyond the others; false: it is not
   finite. */
static __attribute__((noinline)) bool tally_widen(lua_State *L, tally *it) {
  number x = number_at(L, 2);
  if (x.d - x.d != 0) return false;
  if (it->count == 0) it->first = x.d;
  if (number_less(L, x, it->min)) it->min = x;
  if (number_less(L, it->max, x)) it->max = x;
  it->low = it->min.d;
  it->high = it->max.d;
  return true;
}

static int adder_tally_add(lua_State *L) {
  tally *it = adder_of(L);
  if (!adder_takes(L, &it->of)) return adder_refuse(L, "add");
  double x = lua_tonumber(L, 2);
  bool within = x >= it->low && x <= it->high && fabs(x) < ADDER_EXACT;
  if (!within && !tally_widen(L, it)) return adder_refuse(L, "add");
  double d = x - it->first;
  it->sum += d;
  it->squares += d * d;
  if (++it->count == it->full) tally_fold(it);
  return 0;
}

/* () -> count, first, min, max, sum, its rest, sum of squares, its rest */
static int adder_tally_read(lua_State *L) {
  tally now = *(tally *)adder_of(L);
  tally_fold(&now);
  lua_pushinteger(L, now.count);
  lua_pushnumber(L, now.first);
  number_push(L, now.min);
  number_push(L, now.max);
  lua_pushnumber(L, now.all_sum.sum);
  lua_pushnumber(L, now.all_sum.rest);
  lua_pushnumber(L, now.all_squares.sum);
  lua_pushnumber(L, now.all_squares.rest);
  return 8;
}

/* The same, the other way round. */
static int adder_tally_write(lua_State *L) {
  tally *it = adder_of(L);
  *it = (tally){.of = it->of,
                .count = lua_tointeger(L, 1),
                .first = lua_tonumber(L, 2),
                .min = number_at(L, 3),
                .max = number_at(L, 4),
                .all_sum = {lua_tonumber(L, 5), lua_tonumber(L, 6)},
                .all_squares = {lua_tonumber(L, 7), lua_tonumber(L, 8)}};
  it->low = it->min.d;
  it->high = it->max.d;
  it->full = it->count + TALLY_BLOCK;
  return 0;
}

/* -- levels; see level.lua -- */

typedef struct level {
  adder of;
  host_sim *sim;
  double first, area, squares, since, edge; /* when a bin ends */
  number value, min, max;
} level;

/* Ends the bins up to now: roll(time, since, area, rate) -> the next end. */
static __attribute__((noinline)) void level_roll(lua_State *L, level *it,
                                                 double rate) {
  lua_pushvalue(L, lua_upvalueindex(ADDER_ROLL));
  host_push_time(L, it->sim, md_sim_now(it->sim->kernel));
  lua_pushnumber(L, it->since);
  lua_pushnumber(L, it->area);
  lua_pushnumber(L, rate);
  lua_call(L, 4, 1);
  it->edge = lua_tonumber(L, -1);
  lua_pop(L, 1);
}

static double level_now(const level *it) {
  const md_sim *kernel = it->sim->kernel;
  return md_time_show(md_sim_scale(kernel), md_sim_now(kernel));
}

static int level_change(lua_State *L, level *it, number v) {
  double t = level_now(it);
  if (t != it->since) {
    double rate = it->value.d - it->first;
    if (t >= it->edge) level_roll(L, it, rate);
    double part = rate * (t - it->since);
    it->area += part;
    it->squares += rate * part;
    it->since = t;
  }
  it->value = v;
  if (number_less(L, v, it->min)) it->min = v;
  else if (number_less(L, it->max, v)) it->max = v;
  return 0;
}

static int level_take(lua_State *L, bool more, const char *call) {
  level *it = adder_of(L);
  if (!adder_takes(L, &it->of)) return adder_refuse(L, call);
  number v = number_at(L, 2);
  if (v.d - v.d != 0) return adder_refuse(L, call);
  if (!more) return level_change(L, it, v);
  v = number_sum(it->value, v);
  if (v.d - v.d == 0) return level_change(L, it, v);
  lua_settop(L, 1); /* the sum is what is wrong */
  lua_pushnumber(L, v.d);
  return adder_refuse(L, "set");
}

static int adder_level_set(lua_State *L) { return level_take(L, false, "set"); }
static int adder_level_add(lua_State *L) { return level_take(L, true, "add"); }

/* () -> since, first, value, min, max, area, squares */
static int adder_level_read(lua_State *L) {
  const level *it = adder_of(L);
  lua_pushnumber(L, it->since);
  lua_pushnumber(L, it->first);
  number_push(L, it->value);
  number_push(L, it->min);
  number_push(L, it->max);
  lua_pushnumber(L, it->area);
  lua_pushnumber(L, it->squares);
  return 7;
}

/* (value): it begins anew, now. */
static int adder_level_write(lua_State *L) {
  level *it = adder_of(L);
  number v = number_at(L, 1);
  double now = level_now(it);
  *it = (level){.of = it->of,
                .sim = it->sim,
                .first = v.d,
                .since = now,
                .edge = now,
                .value = v,
                .min = v,
                .max = v};
  return 0;
}

/* -- histograms; see histogram.lua -- */

typedef struct histogram {
  adder of;
  number lo, hi, min, max;
  double scale; /* bins a unit */
  lua_Integer bins, below, above;
  lua_Integer *counts;
  double edges[]; /* bins + 1 of them, and behind them the counts */
} histogram;

/* Rounding may have led past an end. */
static lua_Integer histogram_bin(const histogram *it, double x) {
  lua_Integer i = (lua_Integer)floor((x - it->lo.d) * it->scale);
  if (i >= it->bins) i = it->bins - 1;
  if (x < it->edges[i]) return i - 1;
  return x >= it->edges[i + 1] ? i + 1 : i;
}

static int adder_histogram_add(lua_State *L) {
  histogram *it = adder_of(L);
  if (!adder_takes(L, &it->of)) return adder_refuse(L, "add");
  number x = number_at(L, 2);
  if (x.d - x.d != 0) return adder_refuse(L, "add");
  if (number_less(L, x, it->lo)) {
    it->below++;
    if (number_less(L, x, it->min)) it->min = x;
  } else if (!number_less(L, x, it->hi)) {
    it->above++;
    if (number_less(L, it->max, x)) it->max = x;
  } else {
    it->counts[histogram_bin(it, x.d)]++;
  }
  return 0;
}

/* () -> counts, below, above, min, max */
static int adder_histogram_read(lua_State *L) {
  const histogram *it = adder_of(L);
  lua_createtable(L, (int)it->bins, 0);
  for (lua_Integer i = 0; i < it->bins; i++) {
    lua_pushinteger(L, it->counts[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushinteger(L, it->below);
  lua_pushinteger(L, it->above);
  number_push(L, it->min);
  number_push(L, it->max);
  return 5;
}

/* (): all is forgotten. */
static int adder_histogram_write(lua_State *L) {
  histogram *it = adder_of(L);
  it->below = it->above = 0;
  it->min = (number){.d = HUGE_VAL};
  it->max = (number){.d = -HUGE_VAL};
  for (lua_Integer i = 0; i < it->bins; i++) it->counts[i] = 0;
  return 0;
}

/* -- making them -- */

/* Pushes the functions, each with the userdata at `state` and the upvalues
   from `first` to `last`. Returns how many. */
static int adder_push(lua_State *L, const lua_CFunction *functions, int state,
                      int first, int last) {
  int n = 0;
  for (; functions[n] != NULL; n++) {
    lua_pushvalue(L, state);
    for (int i = first; i <= last; i++) lua_pushvalue(L, i);
    lua_pushcclosure(L, functions[n], last - first + 2);
  }
  return n;
}

/* tally(object, refuse) -> add, read, write; not yet written */
static int adder_tally(lua_State *L) {
  static const lua_CFunction functions[] = {adder_tally_add, adder_tally_read,
                                            adder_tally_write, NULL};
  tally *it = lua_newuserdatauv(L, sizeof *it, 0);
  *it = (tally){.of = {lua_topointer(L, 1)}};
  return adder_push(L, functions, 3, 2, 2);
}

/* level(object, refuse, roll, sim) -> set, add, read, write; not yet written */
static int adder_level(lua_State *L) {
  static const lua_CFunction functions[] = {adder_level_set, adder_level_add,
                                            adder_level_read, adder_level_write,
                                            NULL};
  host_sim **box = luaL_checkudata(L, 4, "md.sim");
  level *it = lua_newuserdatauv(L, sizeof *it, 1);
  *it = (level){.of = {lua_topointer(L, 1)}, .sim = *box};
  lua_pushvalue(L, 4); /* the sim lives as long as it does */
  lua_setiuservalue(L, 5, 1);
  return adder_push(L, functions, 5, 2, 3);
}

/* histogram(object, refuse, lo, hi, edges) -> add, read, reset; not yet reset.
   The edges are a list, one more than bins. */
static int adder_histogram(lua_State *L) {
  static const lua_CFunction functions[] = {
      adder_histogram_add, adder_histogram_read, adder_histogram_write, NULL};
  size_t bins = lua_rawlen(L, 5) - 1;
  size_t size = (bins + 1) * sizeof(double) + bins * sizeof(lua_Integer);
  histogram *it = lua_newuserdatauv(L, sizeof *it + size, 0);
  *it = (histogram){.of = {lua_topointer(L, 1)},
                    .lo = number_at(L, 3),
                    .hi = number_at(L, 4),
                    .bins = (lua_Integer)bins};
  it->scale = (double)bins / (it->hi.d - it->lo.d);
  it->counts = (lua_Integer *)&it->edges[bins + 1];
  for (size_t i = 0; i <= bins; i++) {
    lua_rawgeti(L, 5, (lua_Integer)i + 1);
    it->edges[i] = lua_tonumber(L, -1);
    lua_pop(L, 1);
  }
  return adder_push(L, functions, 6, 2, 2);
}

void adder_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"tally", adder_tally},
                                       {"level", adder_level},
                                       {"histogram", adder_histogram},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
