#include "host/turn.h"
#include "host/inside.h"
#include "host/loop.h"

/* -- counting -- */

static void turn_count(const host_sim *s, host_family *family, md_pid whose) {
  md_time now = md_sim_now(s->kernel);
  family->turns++;
  if (family->at != now) family->count = 0;
  family->at = now;
  if (family->count == family->capacity) {
    uint32_t capacity = family->capacity ? 2 * family->capacity : 8;
    void *grown = md_arena_resize(family->arena, family->since,
                                  family->capacity * sizeof *family->since,
                                  capacity * sizeof *family->since);
    if (grown == NULL) return;
    family->since = grown;
    family->capacity = capacity;
  }
  family->since[family->count++] = whose;
}

/* Not of one in md.use, and not of a stand-in. */
static void turn_of(const host_sim *s, uint32_t p, uint64_t mark) {
  uint64_t word = host_recorded(s, p);
  if (word == 0 || word & (HOST_USES | HOST_STANDS)) return;
  turn_count(s, host_family_of(s, p), md_sim_pid(s->kernel, p) | mark);
}

void host_record_turn(const host_sim *s, uint32_t p) { turn_of(s, p, 0); }

/* Who has planned a timer and is recorded, as far as it is known, else 0. */
static md_pid turn_planner(const host_sim *s, uint32_t kind,
                           const uint64_t words[3]) {
  uint32_t p = 0;
  switch (kind) {
  case HOST_CALLBACK:
    return words[1];
  case HOST_MESSAGE:
    return words[2] >> 63 ? host_later_pid(words[2]) : 0;
  case HOST_SCOPE:
    p = md_sim_index(s->kernel, words[1]);
    break;
  case HOST_DUE:
    p = host_due_first(words);
    break;
  default: /* HOST_LOST */
    p = md_sim_index(s->kernel, words[0]);
  }
  uint64_t word = host_recorded(s, p);
  bool counts = word != 0 && !(word & (HOST_USES | HOST_STANDS));
  return counts ? md_sim_pid(s->kernel, p) : 0;
}

/* Of a message, whose sender may have ended, the library tells. */
void host_record_timer(host_sim *s, const md_event *event) {
  if (event->timer_kind == HOST_MESSAGE) return;
  md_pid whose = turn_planner(s, event->timer_kind, event->words);
  if (whose == 0) return;
  host_family *family = host_family_of(s, md_sim_index(s->kernel, whose));
  if (event->timer_kind == HOST_CALLBACK)
    family = host_family_numbered(s->host->L, event->words[2]);
  if (family != NULL) turn_count(s, family, whose | TURN_TIMED);
}

/* -- telling -- */

void turn_push_since(lua_State *L, const host_sim *s, host_family *family,
                     const void *pid) {
  bool now = family->at == md_sim_now(s->kernel);
  bool none = family->turns == family->told;
  uint32_t count = now ? family->count : 0;
  family->told = family->turns;
  family->count = 0;
  luaL_checkstack(L, 3, NULL);
  if (none || (count == 1 && family->since[0] >> 63 == 0 &&
               host_pid_light(s, family->since[0]) == pid)) {
    lua_pushnil(L);
    return;
  }
  lua_createtable(L, (int)count, 0);
  for (uint32_t i = 0; i < count; i++) {
    host_push_name(L, s, family->since[i] & ~TURN_TIMED);
    if (family->since[i] & TURN_TIMED) {
      lua_createtable(L, 1, 0);
      lua_insert(L, -2);
      lua_rawseti(L, -2, 1);
    }
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

int turn_forget(lua_State *L) {
  const host_family *family = lua_touserdata(L, 1);
  md_arena_free(family->arena, family->since,
                family->capacity * sizeof *family->since);
  return 0;
}

/* -- for the library -- */

int inside_turns(lua_State *L) {
  const host_family *family = lua_touserdata(L, 1);
  lua_pushinteger(L, (lua_Integer)family->turns);
  return 1;
}

int inside_since(lua_State *L) {
  const host_sim *s = inside_sim(L);
  const void *pid = lua_touserdata(L, 2);
  turn_push_since(L, s, lua_touserdata(L, 3), pid);
  return 1;
}

int inside_timed(lua_State *L) {
  const host_sim *s = inside_sim(L);
  md_pid whose = host_pid_bits(lua_touserdata(L, 2));
  turn_count(s, lua_touserdata(L, 3), whose | TURN_TIMED);
  return 0;
}

int inside_last(lua_State *L) {
  const host_sim *s = inside_sim(L);
  const host_family *family = lua_touserdata(L, 2);
  if (family->count == 0 || family->at != md_sim_now(s->kernel)) return 0;
  md_pid last = family->since[family->count - 1];
  host_push_name(L, s, last & ~TURN_TIMED);
  lua_pushboolean(L, last >> 63 != 0);
  return 2;
}

/* That of the timers of a process which comes first at that time, else NULL. */
static const md_timer *turn_timer(const host_sim *s, md_time at, md_pid whose) {
  const md_timer *first = NULL, *timer = NULL;
  while ((timer = md_sim_timer_after(s->kernel, timer)) != NULL)
    if (timer->due == at &&
        turn_planner(s, timer->kind, timer->words) == whose &&
        (first == NULL || timer->wake < first->wake))
      first = timer;
  return first;
}

int inside_hasten(lua_State *L) {
  host_sim *s = inside_sim(L);
  md_time at = host_time_arg(L, s, 3, "replay");
  uint32_t p = inside_process_arg(L, s);
  bool found = false, done = true;
  if (lua_toboolean(L, 4)) {
    const md_timer *timer =
        turn_timer(s, at, host_pid_bits(lua_touserdata(L, 2)));
    found = timer != NULL;
    if (found) done = md_sim_hasten_timer(s->kernel, timer);
  } else if (p != 0) {
    found = md_sim_proc(s->kernel, p)->wake != 0 &&
            md_sim_proc(s->kernel, p)->due == at;
    if (found) done = md_sim_hasten(s->kernel, p);
  }
  if (!done) host_no_memory(L);
  lua_pushboolean(L, found);
  return 1;
}
