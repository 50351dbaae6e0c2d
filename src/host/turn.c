#include "host/turn.h"
#include "host/inside.h"
#include "host/loop.h"

/* -- counting -- */

static void turn_add(host_family *family, uint64_t word) {
  if (family->count == family->capacity) {
    uint32_t capacity = family->capacity ? 2 * family->capacity : 8;
    void *grown = md_arena_resize(family->arena, family->since,
                                  family->capacity * sizeof *family->since,
                                  capacity * sizeof *family->since);
    if (grown == NULL) return;
    family->since = grown;
    family->capacity = capacity;
  }
  family->since[family->count++] = word;
}

/* Time has moved on: what was due with nothing else is forgotten. */
static void turn_settle(const host_sim *s, host_family *family) {
  if (md_sim_order(s->kernel) != MD_RANDOM) family->count = 0;
  else if (!family->tied) family->count = family->first;
  family->first = family->count;
  family->at = -1;
  family->tied = false;
}

static void turn_count(const host_sim *s, host_family *family, uint64_t word) {
  md_time now = md_sim_now(s->kernel);
  family->turns++;
  if (family->at != now) {
    turn_settle(s, family);
    family->at = now;
    if (md_sim_order(s->kernel) == MD_RANDOM) {
      turn_add(family, TURN_AT);
      turn_add(family, (uint64_t)now);
    }
  }
  md_time next;
  turn_add(family, word);
  if (md_sim_order(s->kernel) == MD_RANDOM && !family->tied)
    family->tied = md_sim_peek(s->kernel, &next) && next == now;
}

/* Not of one in md.use, and not of a stand-in. */
void host_record_turn(const host_sim *s, uint32_t p) {
  uint64_t word = host_recorded(s, p);
  if (word == 0 || word & (HOST_USES | HOST_STANDS)) return;
  turn_count(s, host_family_of(s, p), md_sim_pid(s->kernel, p));
}

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

/* Where in the order in which they were made a timer stands among those that
   the process has planned for this time; 0: that follows from the tie rule. It
   costs a look at all timers, of families under "random" alone. */
static uint64_t turn_number(const host_sim *s, const md_event *event,
                            md_pid whose) {
  const md_timer *timer = NULL;
  uint64_t number = 1;
  if (md_sim_order(s->kernel) != MD_RANDOM) return 0;
  while ((timer = md_sim_timer_after(s->kernel, timer)) != NULL)
    number += timer->due == md_sim_now(s->kernel) &&
              timer->made < event->made &&
              turn_planner(s, timer->kind, timer->words) == whose;
  return number > TURN_NUMBER_MOST ? 0 : number;
}

/* Of a message, whose sender may have ended, the library tells. */
void host_record_timer(host_sim *s, const md_event *event) {
  md_pid whose = turn_planner(s, event->timer_kind, event->words);
  if (whose == 0) return;
  uint64_t number = turn_number(s, event, whose) << TURN_NUMBER;
  s->host->timed = number | TURN_TIMED;
  if (event->timer_kind == HOST_MESSAGE) return;
  host_family *family = host_family_of(s, md_sim_index(s->kernel, whose));
  if (event->timer_kind == HOST_CALLBACK)
    family = host_family_numbered(s->host->L, event->words[2]);
  if (family != NULL) turn_count(s, family, whose | s->host->timed);
}

/* -- telling -- */

static md_pid turn_whose(uint64_t word) {
  return word & ((1ull << TURN_NUMBER) - 1);
}

/* Pushes one as it is in a signal: a pid or {pid, number or nothing}. */
static void turn_push(lua_State *L, const host_sim *s, uint64_t word) {
  lua_Integer number = (lua_Integer)(word >> TURN_NUMBER) & TURN_NUMBER_MOST;
  if (word & TURN_TIMED) lua_createtable(L, 2, 0);
  host_push_name(L, s, turn_whose(word));
  if (!(word & TURN_TIMED)) return;
  lua_rawseti(L, -2, 1);
  if (number == 0) return;
  lua_pushinteger(L, number);
  lua_rawseti(L, -2, 2);
}

/* Was there but one turn, at this instant, of that process? */
static bool turn_implied(const host_sim *s, const host_family *family,
                         const void *pid) {
  bool now = family->at >= 0 && family->first == 0 && family->count > 0;
  uint32_t i = now && family->since[0] == TURN_AT ? 2 : 0;
  if (!now || family->count != i + 1) return false;
  uint64_t word = family->since[i];
  return !(word & TURN_TIMED) && host_pid_light(s, word) == pid;
}

void turn_push_since(lua_State *L, const host_sim *s, host_family *family,
                     const void *pid) {
  bool none = family->turns == family->told;
  if (family->at != md_sim_now(s->kernel)) turn_settle(s, family);
  luaL_checkstack(L, 3, NULL);
  if (none || turn_implied(s, family, pid)) {
    lua_pushnil(L);
  } else {
    int n = 0;
    lua_createtable(L, (int)family->count, 0);
    for (uint32_t i = 0; i < family->count; i++) {
      if (family->since[i] == TURN_AT)
        host_push_time(L, s, (md_time)family->since[++i]);
      else turn_push(L, s, family->since[i]);
      lua_rawseti(L, -2, ++n);
    }
  }
  family->told = family->turns;
  family->count = family->first = 0;
  family->at = -1;
  family->tied = false;
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
  turn_count(s, lua_touserdata(L, 3), whose | s->host->timed);
  return 0;
}

int inside_last(lua_State *L) {
  const host_sim *s = inside_sim(L);
  const host_family *family = lua_touserdata(L, 2);
  if (family->count == 0 || family->at != md_sim_now(s->kernel)) return 0;
  uint64_t last = family->since[family->count - 1];
  host_push_name(L, s, turn_whose(last));
  lua_pushboolean(L, last >> 63 != 0);
  return 2;
}

/* Of the timers that a process has planned for that time, the one of that
   number in the order in which they were made; 0: which comes first anyway.
   NULL: there is none. */
static const md_timer *turn_timer(const host_sim *s, md_time at, md_pid whose,
                                  lua_Integer number) {
  const md_timer *found = NULL, *timer;
  uint64_t over = 0; /* those made before it have been looked at */
  do {
    const md_timer *next = NULL;
    timer = NULL;
    while ((timer = md_sim_timer_after(s->kernel, timer)) != NULL) {
      if (timer->due != at || (number > 0 && timer->made < over) ||
          turn_planner(s, timer->kind, timer->words) != whose)
        continue;
      bool before = number > 0 ? next == NULL || timer->made < next->made
                               : next == NULL || timer->wake < next->wake;
      if (before) next = timer;
    }
    if (next == NULL) return found;
    found = next;
    over = next->made + 1;
  } while (--number > 0);
  return found;
}

/* Is it next in any case, which is the rule? Then nobody is looked for. */
static bool turn_is_next(const host_sim *s, md_time at, md_pid whose,
                         bool timed) {
  const md_timer *timer;
  uint32_t p = md_sim_first(s->kernel, &timer);
  if (timed)
    return timer != NULL && timer->due == at &&
           turn_planner(s, timer->kind, timer->words) == whose;
  return p != 0 && md_sim_pid(s->kernel, p) == whose &&
         md_sim_proc(s->kernel, p)->due == at;
}

int inside_hasten(lua_State *L) {
  host_sim *s = inside_sim(L);
  md_time at = host_time_arg(L, s, 3, "replay");
  md_pid whose = host_pid_bits(lua_touserdata(L, 2));
  uint32_t p = inside_process_arg(L, s);
  bool timed = lua_toboolean(L, 4), found = false, done = true;
  lua_Integer number = luaL_optinteger(L, 5, 0);
  if (number == 0 && turn_is_next(s, at, whose, timed)) {
    found = true;
  } else if (timed) {
    const md_timer *timer = turn_timer(s, at, whose, number);
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
