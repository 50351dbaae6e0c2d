#include "host/inbox.h"

#include "host/inside.h"
#include "host/modules.h"

#include <stdlib.h>

/* The inboxes of so many processes, for so many ticks together. */
typedef struct inbox_sum {
  md_inbox_figures of; /* but for its times */
  uint64_t count;
  double time;
} inbox_sum;

/* So many names are told apart of those that have ended; the rest is `others`,
   as is who has none. */
enum { INBOX_NAMES = 1000 };

static bool inbox_read(const host_sim *s, uint32_t p, inbox_sum *it) {
  bool kept = md_mails_figures(md_sim_mails(s->kernel), p, &it->of);
  it->count = 1;
  it->time = (double)(it->of.until - it->of.from);
  return kept;
}

/* Is it in a report: something has lain in it, or was dropped, or it is told
   to. What was handed over at once is not worth a line of its own. */
static bool inbox_shown(const host_sim *s, uint32_t p) {
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  return md_mails_kept(md_sim_mails(s->kernel), p) ||
         (extra != NULL && extra->words[HOST_OBSERVED] != 0);
}

/* -- tables -- */

static void inbox_number(lua_State *L, double x, const char *field) {
  lua_pushnumber(L, x);
  lua_setfield(L, -2, field);
}

static void inbox_integer(lua_State *L, uint64_t n, const char *field) {
  lua_pushinteger(L, (lua_Integer)n);
  lua_setfield(L, -2, field);
}

static void inbox_push_sum(lua_State *L, const host_sim *s,
                           const inbox_sum *it) {
  double unit = md_sim_scale(s->kernel).factor; /* in ticks */
  const md_inbox_figures *of = &it->of;
  double taken = (double)of->taken, time = it->time;
  lua_createtable(L, 0, 10);
  inbox_integer(L, of->level, "level");
  inbox_number(L, time > 0 ? of->area / time : of->level, "mean_level");
  inbox_integer(L, of->most, "max_level");
  inbox_integer(L, of->taken, "taken");
  inbox_number(L, time > 0 ? taken / (time / unit) : 0, "rate");
  inbox_integer(L, of->dropped, "dropped");
  inbox_number(L, taken > 0 ? of->waited / taken / unit : 0, "mean_wait");
  inbox_number(L, of->longest / unit, "max_wait");
}

void inbox_push(lua_State *L, host_sim *s, uint32_t p) {
  inbox_sum it;
  if (inbox_read(s, p, &it)) inbox_push_sum(L, s, &it);
  else lua_pushnil(L);
}

/* -- those that have ended -- */

static void inbox_add(inbox_sum *to, const inbox_sum *it) {
  md_inbox_figures *sum = &to->of;
  const md_inbox_figures *of = &it->of;
  if (of->most > sum->most) sum->most = of->most;
  if (of->longest > sum->longest) sum->longest = of->longest;
  sum->taken += of->taken;
  sum->dropped += of->dropped;
  sum->area += of->area;
  sum->waited += of->waited;
  to->time += it->time;
  to->count += it->count;
}

/* Pushes the key of p's sum: its name, or false. The table is on the top. */
static void inbox_push_key(lua_State *L, const host_sim *s, uint32_t p) {
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  if (extra == NULL || extra->name == NULL) {
    lua_pushboolean(L, false);
    return;
  }
  lua_pushlstring(L, extra->name, extra->name_length);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TNIL && s->inbox_names >= INBOX_NAMES) {
    lua_pop(L, 2);
    lua_pushboolean(L, false);
    return;
  }
  lua_pop(L, 1);
}

static __attribute__((noinline)) void inbox_keep(lua_State *L, host_sim *s,
                                                 uint32_t p) {
  inbox_sum it;
  if (!inbox_read(s, p, &it)) return;
  int top = lua_gettop(L);
  luaL_checkstack(L, 6, NULL);
  host_push(L, s, HOST_INBOXES);
  inbox_push_key(L, s, p);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, top + 1) == LUA_TNIL) {
    lua_pop(L, 1);
    inbox_sum *sum = lua_newuserdatauv(L, sizeof *sum, 0);
    *sum = (inbox_sum){.count = 0};
    if (lua_type(L, top + 2) == LUA_TSTRING) s->inbox_names++;
    lua_pushvalue(L, top + 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, top + 1);
  }
  inbox_add(lua_touserdata(L, -1), &it);
  lua_settop(L, top);
}

void inbox_close(lua_State *L, host_sim *s, uint32_t p) {
  if (inbox_shown(s, p)) inbox_keep(L, s, p);
}

/* -- for reports -- */

typedef struct inbox_rank {
  double area;
  uint32_t process;
} inbox_rank;

static int inbox_by_area(const void *left, const void *right) {
  const inbox_rank *a = left, *b = right;
  if (a->area != b->area) return a->area < b->area ? 1 : -1;
  return a->process < b->process ? -1 : 1;
}

static int inbox_by_process(const void *left, const void *right) {
  const inbox_rank *a = left, *b = right;
  return a->process < b->process ? -1 : 1;
}

/* inboxes(sim, most) -> list of tables, how many there are: of living processes
   in whose inboxes something has lain, those that were the fullest. */
int inside_inboxes(lua_State *L) {
  host_sim *s = inside_sim(L);
  size_t most = (size_t)luaL_checkinteger(L, 2), n = 0, live;
  inbox_sum it;
  char label[64];
  live = md_sim_live(s->kernel);
  inbox_rank *ranks = lua_newuserdatauv(L, (live + 1) * sizeof *ranks, 0);
  for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;)
    if (inbox_shown(s, p) && inbox_read(s, p, &it))
      ranks[n++] = (inbox_rank){it.of.area, p};
  if (most > n) most = n;
  if (most < n) qsort(ranks, n, sizeof *ranks, inbox_by_area);
  qsort(ranks, most, sizeof *ranks, inbox_by_process);
  lua_createtable(L, (int)most, 0);
  for (size_t i = 0; i < most; i++) {
    inbox_push(L, s, ranks[i].process);
    lua_pushstring(L, host_name(s, ranks[i].process, label));
    lua_setfield(L, -2, "name");
    host_push_pid(L, s, ranks[i].process);
    lua_setfield(L, -2, "pid");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_pushinteger(L, (lua_Integer)n);
  return 2;
}

/* ended_inboxes(sim) -> table: by the name of processes that have ended, what
   their inboxes have kept; false is the name of all others. */
int inside_ended_inboxes(lua_State *L) {
  host_sim *s = inside_sim(L);
  lua_settop(L, 1);
  lua_newtable(L);
  host_push(L, s, HOST_INBOXES);
  lua_pushnil(L);
  while (lua_next(L, 3) != 0) {
    const inbox_sum *it = lua_touserdata(L, -1);
    lua_pushvalue(L, -2);
    inbox_push_sum(L, s, it);
    inbox_integer(L, it->count, "ended");
    lua_rawset(L, 2);
    lua_pop(L, 1);
  }
  lua_settop(L, 2);
  return 1;
}

/* reset_inboxes(sim): what they have kept is forgotten. */
int inside_reset_inboxes(lua_State *L) {
  host_sim *s = inside_sim(L);
  md_mails_reset(md_sim_mails(s->kernel));
  lua_settop(L, 1);
  host_push(L, s, HOST_INBOXES);
  lua_pushnil(L);
  while (lua_next(L, 2) != 0) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_rawset(L, 2);
  }
  s->inbox_names = 0;
  return 0;
}
