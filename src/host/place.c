#include "host/place.h"

#include "host/heap.h"

#include <string.h>

enum { PLACES_FIRST = 16 };

/* -- things -- */

thing *thing_new(lua_State *L, host_sim *s, const thing_class *class,
                 size_t size, int values) {
  thing *t = lua_newuserdatauv(L, size, values);
  memset(t, 0, size);
  t->class = class;
  t->sim = s;
  t->number = ++s->things;
  host_push(L, s, HOST_SELF); /* its sim lives as long as it does */
  lua_setiuservalue(L, -2, 1);
  host_push(L, s, HOST_THINGS);
  lua_pushvalue(L, -2);
  lua_rawsetp(L, -2, t);
  lua_pop(L, 1);
  return t;
}

host_sim *thing_read_options(lua_State *L, const char *call,
                             const char *const known[], const char *example) {
  host_sim *s = host_sim_arg(L);
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_newtable(L);
    lua_replace(L, 1);
  }
  if (!lua_istable(L, 1))
    host_raise(L, "usage", "%s: expected a table of options, got %s; %s", call,
               host_describe(L, 1), example);
  host_check_fields(L, 1, call, known);
  return s;
}

void thing_read_name(lua_State *L, int i, const char *call) {
  lua_getfield(L, i, "name");
  if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING)
    host_raise(L, "usage", "%s: expected a string as name, got %s", call,
               host_describe(L, -1));
}

bool thing_read_boolean(lua_State *L, int i, const char *field, bool otherwise,
                        const char *call) {
  lua_getfield(L, i, field);
  if (!lua_isnil(L, -1) && !lua_isboolean(L, -1))
    host_raise(L, "usage", "%s: expected a boolean as %s, got %s", call, field,
               host_describe(L, -1));
  bool value = lua_isnil(L, -1) ? otherwise : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

void thing_name(lua_State *L, int name) {
  const thing *t = lua_touserdata(L, -1);
  if (lua_isnil(L, name)) return;
  lua_pushvalue(L, name);
  lua_setiuservalue(L, -2, 2);
  host_hold(L, t->sim, lua_gettop(L), 1);
}

const char *thing_called(lua_State *L, const thing *t) {
  thing_push(L, t);
  if (lua_getiuservalue(L, -1, 2) == LUA_TSTRING)
    lua_pushfstring(L, "'%s'", lua_tostring(L, -1));
  else lua_pushfstring(L, "a %s", t->class->name + strlen("md."));
  lua_replace(L, -3);
  lua_pop(L, 1);
  return lua_tostring(L, -1);
}

void thing_push(lua_State *L, const thing *t) {
  host_push(L, t->sim, HOST_THINGS);
  lua_rawgetp(L, -1, t);
  lua_remove(L, -2);
}

thing *thing_arg(lua_State *L, int i, const thing_class *class,
                 const char *call) {
  thing *t = lua_touserdata(L, i);
  if (t != NULL && lua_getmetatable(L, i)) {
    bool is = lua_rawequal(L, -1, lua_upvalueindex(1));
    lua_pop(L, 1);
    if (is) return t;
  }
  const char *name = class->name + strlen("md.");
  host_raise(
      L, "usage",
      "%s: expected %s %s before the arguments, got %s; write x:%s(...), "
      "with a colon",
      call, *name == 'e' ? "an" : "a", name, host_describe(L, i), call);
  return NULL;
}

/* -- the table of places -- */

place *place_at(const host_sim *s, uint32_t e) { return &s->places.records[e]; }

static void place_grow(lua_State *L, host_sim *s) {
  place_table *t = &s->places;
  uint32_t wanted = t->capacity ? t->capacity * 2 : PLACES_FIRST;
  void *grown = md_arena_resize(s->host->arena, t->records,
                                t->capacity * sizeof *t->records,
                                wanted * sizeof *t->records);
  if (grown == NULL) host_no_memory(L);
  t->records = grown;
  t->capacity = wanted;
  if (t->used == 0) t->used = 1; /* 0 is none */
}

static struct place_heap *thing_heap(thing *t) {
  return t->class->heap != NULL ? t->class->heap(t) : NULL;
}

uint32_t place_new(lua_State *L, thing *of, int line) {
  host_sim *s = of->sim;
  struct place_heap *h = thing_heap(of);
  if (h != NULL) heap_reserve(L, s, h, of->lines[line].count);
  place_table *t = &s->places;
  uint32_t e = t->free;
  if (e == 0 && t->used == t->capacity) place_grow(L, s);
  if (e != 0) t->free = t->records[e].next;
  else e = t->used++;
  t->records[e] = (place){.of = of,
                          .process = s->host->process,
                          .line = (uint8_t)line,
                          .since = md_sim_now(s->kernel)};
  return e;
}

void place_free(lua_State *L, host_sim *s, uint32_t e) {
  place *pl = place_at(s, e);
  host_drop(L, s, pl->slot, (int)pl->count);
  pl->process = 0;
  pl->next = s->places.free;
  s->places.free = e;
}

void place_close(host_sim *s) {
  md_arena_free(s->host->arena, s->places.records,
                s->places.capacity * sizeof *s->places.records);
}

/* -- lines -- */

/* A key that is not in order of arrival is that of a line whose newest goes
   first, or of one that is a heap. */
static void place_link(host_sim *s, thing_line *line, uint32_t e) {
  place *pl = place_at(s, e);
  bool leads = line->first && place_at(s, line->first)->key > pl->key;
  pl->prev = leads ? 0 : line->last;
  pl->next = leads ? line->first : 0;
  if (pl->prev) place_at(s, pl->prev)->next = e;
  else line->first = e;
  if (pl->next) place_at(s, pl->next)->prev = e;
  else line->last = e;
}

static void place_unlink(host_sim *s, thing_line *line, uint32_t e) {
  place *pl = place_at(s, e);
  if (pl->prev) place_at(s, pl->prev)->next = pl->next;
  else line->first = pl->next;
  if (pl->next) place_at(s, pl->next)->prev = pl->prev;
  else line->last = pl->prev;
  pl->prev = pl->next = 0;
}

static void place_enter(host_sim *s, uint32_t e) {
  place *pl = place_at(s, e);
  thing *t = pl->of;
  thing_line *line = &t->lines[pl->line];
  struct place_heap *h = thing_heap(t);
  if (h != NULL) {
    heap_push(s, h, line->count, e);
    line->first = h->places[0];
  } else {
    place_link(s, line, e);
  }
  pl->state = PLACE_WAITING;
  line->count++;
  if (t->class->changed != NULL) t->class->changed(t);
}

static void place_leave(host_sim *s, uint32_t e) {
  thing *t = place_at(s, e)->of;
  thing_line *line = &t->lines[place_at(s, e)->line];
  struct place_heap *h = thing_heap(t);
  if (h != NULL) {
    heap_remove(s, h, line->count, e);
    line->first = line->count > 1 ? h->places[0] : 0;
  } else {
    place_unlink(s, line, e);
  }
  line->count--;
  if (t->class->changed != NULL) t->class->changed(t);
}

/* The place has what it waited for, or has failed. */
static void place_take(lua_State *L, thing *t, place *pl) {
  if (pl->state != PLACE_FAILED) pl->state = PLACE_GRANTED;
  if (t->class->settle != NULL) t->class->settle(L, t);
}

bool place_join(lua_State *L, host_sim *s, uint32_t e) {
  place *pl = place_at(s, e);
  thing *t = pl->of;
  uint32_t first = t->lines[pl->line].first;
  bool leads =
      first == 0 || t->class->passes || pl->key < place_at(s, first)->key;
  if (leads) {
    bool serving = t->serving; /* what it sets free is its own */
    t->serving = true;
    bool taken = t->class->take(L, t, pl);
    t->serving = serving;
    if (taken) {
      place_take(L, t, place_at(s, e));
      thing_serve(L, t);
      return true;
    }
  }
  place_enter(s, e);
  return false;
}

void place_grant(lua_State *L, host_sim *s, uint32_t e) {
  place *pl = place_at(s, e);
  uint32_t p = pl->process;
  thing *t = pl->of;
  place_leave(s, e);
  if (pl->state != PLACE_FAILED) pl->state = PLACE_GRANTED;
  if ((pl->of_tree == NULL || tree_granted(L, s, e)) &&
      md_sim_proc(s->kernel, p)->state == MD_WAITING)
    md_sim_wake(s->kernel, p, MD_WHY_GRANT);
  if (t->class->settle != NULL) t->class->settle(L, t);
}

/* The first place of the line that can be served now, 0: none can. */
static uint32_t thing_served(lua_State *L, thing *t, int line) {
  host_sim *s = t->sim;
  uint32_t e = t->lines[line].first;
  if (e == 0 || (t->class->ready != NULL && !t->class->ready(t, line)))
    return 0;
  for (; e != 0; e = place_at(s, e)->next) {
    if (t->class->take(L, t, place_at(s, e))) return e;
    if (!t->class->passes) return 0;
  }
  return 0;
}

/* What is granted may change the thing again, and the lines: from the start. */
void thing_serve(lua_State *L, thing *t) {
  bool waited = t->lines[0].count != 0 || t->lines[1].count != 0;
  if (t->serving || !waited) {
    t->again = t->serving;
    return;
  }
  t->serving = true;
  do {
    t->again = false;
    for (int line = 0; line < THING_LINES; line++) {
      uint32_t e = thing_served(L, t, line);
      if (e == 0) continue;
      t->again = true;
      place_grant(L, t->sim, e);
    }
  } while (t->again);
  t->serving = false;
}

/* -- waiting -- */

void place_give_up(lua_State *L, host_sim *s, uint32_t e) {
  place *pl = place_at(s, e);
  thing *t = pl->of;
  if (pl->state == PLACE_GRANTED) {
    t->class->give_back(L, t, pl);
  } else if (pl->state == PLACE_WAITING) {
    place_leave(s, e);
    if (t->class->withdraw != NULL) t->class->withdraw(L, t, place_at(s, e));
  }
  place_free(L, s, e);
  thing_serve(L, t);
}

void place_abandon(lua_State *L, host_sim *s, uint32_t p) {
  md_proc *proc = md_sim_proc(s->kernel, p);
  uint32_t e = proc->target;
  if (e == 0) return; /* it is at it already: what it gave back came round */
  proc->target = 0;
  const place *pl = place_at(s, e);
  if (pl->of_tree != NULL) tree_abandon(L, s, pl->of_tree);
  else place_give_up(L, s, e);
}

/* What a granted place has for its process is pushed. */
int place_push(lua_State *L, host_sim *s, uint32_t e) {
  place copy = *place_at(s, e);
  int top = lua_gettop(L);
  luaL_checkstack(L, (int)copy.count + 4, "too many values");
  host_fetch(L, s, copy.slot, (int)copy.count);
  place_free(L, s, e);
  if (copy.state == PLACE_FAILED) return lua_error(L);
  int n = copy.of->class->push(L, copy.of, &copy);
  int left = lua_gettop(L) - top - n; /* what was held for it alone */
  lua_rotate(L, top + 1, -left);
  lua_pop(L, left);
  return n;
}

/* As host_guard, but the error is the place's, not that of who runs. */
bool place_holds(lua_State *L, host_sim *s, place *pl, int n) {
  md_host *h = s->host;
  host_sim *sim = h->sim;
  uint32_t process = h->process;
  h->sim = s;
  h->process = pl->process;
  h->guarding++;
  h->careful++;
  int status = lua_pcall(L, n, 1, 0);
  h->guarding--;
  h->careful--;
  h->sim = sim;
  h->process = process;
  bool over = status != LUA_OK || lua_toboolean(L, -1);
  if (status != LUA_OK) {
    if (h->aborting) lua_error(L);
    uint32_t slot = host_hold(L, s, lua_gettop(L), 1);
    host_drop(L, s, pl->slot, (int)pl->count);
    pl->slot = slot;
    pl->count = 1;
    pl->state = PLACE_FAILED;
  }
  lua_pop(L, 1);
  return over;
}

int place_timed_out(lua_State *L, host_sim *s) {
  place_abandon(L, s, s->host->process);
  host_timed_out(L, s);
  lua_pushnil(L);
  lua_pushliteral(L, "timeout");
  return 2;
}

static int place_woken(lua_State *L, int status, lua_KContext e) {
  (void)status;
  host_sim *s = host_of(L)->sim;
  host_woken(L);
  if (md_sim_proc(s->kernel, s->host->process)->why == MD_WHY_GRANT)
    return place_push(L, s, (uint32_t)e);
  return place_timed_out(L, s);
}

void place_block(host_sim *s, uint32_t e, md_time deadline) {
  uint32_t p = s->host->process;
  md_sim_wait(s->kernel, p, MD_WAIT_PLACE, deadline, e);
}

int place_wait(lua_State *L, host_sim *s, uint32_t e, md_time deadline) {
  if (place_join(L, s, e)) return place_push(L, s, e);
  if (md_sim_proc(s->kernel, s->host->process)->flags & MD_PENDING) {
    place_give_up(L, s, e); /* its own request came back to it */
    host_raise_pending(L, s, s->host->process);
  }
  place_block(s, e, deadline);
  return host_block(L, s, (lua_KContext)e, place_woken);
}

/* A place that is just being given up is none any more. */
md_pid place_waits_on(const host_sim *s, uint32_t p) {
  uint32_t e = md_sim_proc(s->kernel, p)->target;
  const place *pl = place_at(s, e);
  if (e == 0 || pl->of_tree != NULL || pl->of->class->holder == NULL) return 0;
  return pl->of->class->holder(pl->of);
}

void place_waiting(lua_State *L, host_sim *s, uint32_t p) {
  uint32_t e = md_sim_proc(s->kernel, p)->target;
  const place *pl = place_at(s, e);
  if (e == 0) lua_pushliteral(L, "what it gives up");
  else if (pl->of_tree != NULL) tree_describe(L, pl->of_tree);
  else pl->of->class->describe(L, pl->of, pl);
}
