/* Units of resources: who holds them, who loses them to whom is more urgent. */
#include "host/resource.h"

#include "host/modules.h"
#include "host/pattern.h"

#include <string.h>

typedef struct unit {
  host_sim *sim;
  uint32_t holding, generation;
  int64_t n, priority;
  md_pid holder;
} unit;

static const char unit_type; /* its address is the metatable's key */

/* -- holdings -- */

static uint32_t holding_new(lua_State *L, host_sim *s) {
  holding_table *t = &s->holdings;
  uint32_t i = t->free;
  if (i != 0) {
    t->free = t->records[i].next;
    return i;
  }
  if (t->used == t->capacity) {
    uint32_t wanted = t->capacity ? t->capacity * 2 : 16;
    void *grown = md_arena_resize(s->host->arena, t->records,
                                  t->capacity * sizeof *t->records,
                                  wanted * sizeof *t->records);
    if (grown == NULL) host_no_memory(L);
    t->records = grown;
    t->capacity = wanted;
    if (t->used == 0) t->used = 1; /* 0 is none */
  }
  i = t->used++;
  t->records[i].generation = 0;
  return i;
}

void resource_close(host_sim *s) {
  md_arena_free(s->host->arena, s->holdings.records,
                s->holdings.capacity * sizeof *s->holdings.records);
}

static void holding_unlink(const host_sim *s, const struct holding *it) {
  resource *r = it->of;
  if (it->prev != 0) holding_at(s, it->prev)->next = it->next;
  else r->first = it->next;
  if (it->next != 0) holding_at(s, it->next)->prev = it->prev;
  else r->last = it->prev;
  if (it->more != 0) holding_at(s, it->more)->before = it->before;
  uint32_t p = md_sim_index(s->kernel, it->holder);
  if (it->before != 0) holding_at(s, it->before)->more = it->more;
  else if (p != 0) md_sim_extra(s->kernel, p)->words[HOST_UNITS] = it->more;
}

/* It is held no more. */
static void holding_end(host_sim *s, uint32_t i) {
  struct holding *it = holding_at(s, i);
  holding_unlink(s, it);
  resource_add(it->of, -it->n);
  it->of = NULL;
  it->generation++;
}

static void holding_forget(host_sim *s, uint32_t i) {
  holding_at(s, i)->next = s->holdings.free;
  s->holdings.free = i;
}

static void holding_free(host_sim *s, uint32_t i) {
  holding_end(s, i);
  holding_forget(s, i);
}

void unit_push(lua_State *L, resource *r, int64_t n, int64_t priority) {
  host_sim *s = r->of.sim;
  uint32_t p = s->host->process;
  md_proc_extra *extra = md_sim_make_extra(s->kernel, p);
  if (extra == NULL) host_no_memory(L);
  unit *u = lua_newuserdatauv(L, sizeof *u, 0);
  uint32_t i = holding_new(L, s);
  struct holding *it = holding_at(s, i);
  *u = (unit){s, i, it->generation, n, priority, md_sim_pid(s->kernel, p)};
  *it = (struct holding){.of = r,
                         .n = n,
                         .priority = priority,
                         .holder = u->holder,
                         .prev = r->last,
                         .more = (uint32_t)extra->words[HOST_UNITS],
                         .generation = it->generation};
  if (r->last != 0) holding_at(s, r->last)->next = i;
  else r->first = i;
  r->last = i;
  if (it->more != 0) holding_at(s, it->more)->before = i;
  extra->words[HOST_UNITS] = i;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &unit_type);
  lua_setmetatable(L, -2);
}

/* What the unit names, 0: it is held no more. */
static uint32_t unit_holding(const unit *u) {
  const struct holding *it = holding_at(u->sim, u->holding);
  return it->of != NULL && it->generation == u->generation ? u->holding : 0;
}

/* All is free before others are served: none of it can be preempted then. */
void resource_return(lua_State *L, host_sim *s, uint32_t p) {
  uint32_t i;
  lua_Integer n = 0;
  lua_newtable(L);
  int list = lua_gettop(L);
  while ((i = (uint32_t)md_sim_extra(s->kernel, p)->words[HOST_UNITS]) != 0) {
    thing_push(L, &holding_at(s, i)->of->of);
    lua_rawseti(L, list, ++n);
    holding_free(s, i);
  }
  for (lua_Integer k = 1; k <= n; k++) {
    lua_rawgeti(L, list, k);
    thing_serve(L, lua_touserdata(L, -1));
    lua_pop(L, 1);
  }
  lua_settop(L, list - 1);
}

void resource_abandon(resource *r) {
  while (r->first != 0) holding_free(r->of.sim, r->first);
}

/* -- preemption -- */

/* The holding that is the least urgent, of those less urgent than that. */
static uint32_t resource_victim(const resource *r, int64_t priority) {
  const host_sim *s = r->of.sim;
  uint32_t victim = 0;
  for (uint32_t i = r->first; i != 0; i = holding_at(s, i)->next) {
    int64_t its = holding_at(s, i)->priority;
    if (its > priority &&
        (victim == 0 || its >= holding_at(s, victim)->priority))
      victim = i;
  }
  return victim;
}

bool resource_could(const resource *r, int64_t n, int64_t priority) {
  const host_sim *s = r->of.sim;
  int64_t free = r->capacity - r->used;
  for (uint32_t i = r->first; i != 0; i = holding_at(s, i)->next)
    if (holding_at(s, i)->priority > priority) free += holding_at(s, i)->n;
  return free >= n;
}

void resource_preempt(resource *r, int64_t n, int64_t priority, md_pid by) {
  host_sim *s = r->of.sim;
  while (r->capacity - r->used < n) {
    uint32_t i = resource_victim(r, priority), *last = &r->lost;
    struct holding *it = holding_at(s, i);
    holding_end(s, i);
    it->own = it->holder == by;
    it->more = 0;
    while (*last != 0) last = &holding_at(s, *last)->more;
    *last = i;
    r->preempted++;
  }
}

/* Interrupts those who lost a unit by a grant, now that this is done: what they
   give back may go to anybody, and come round to this resource. */
void resource_settle(lua_State *L, thing *t) {
  resource *r = (resource *)t;
  host_sim *s = t->sim;
  while (r->lost != 0) {
    uint32_t i = r->lost;
    const struct holding lost = *holding_at(s, i);
    uint32_t p = md_sim_index(s->kernel, lost.holder);
    r->lost = lost.more;
    holding_forget(s, i);
    if (p == 0 || lost.own || md_sim_proc(s->kernel, p)->flags & MD_DYING)
      continue;
    lua_pushliteral(L, "preempted");
    host_interrupt(L, s, s->host->sim == s ? s->host->process : 0, p,
                   lua_gettop(L));
    lua_pop(L, 1);
  }
}

/* -- its methods -- */

/* unit:release() -> boolean
   Gives the unit back, so that the next in line has it. False, and nothing
   happens, when it has been given back already or was preempted.
     local till = md.resource()
     md.spawn(function() till:acquire():release() end) */
static int m_release(lua_State *L) {
  unit *u = lua_touserdata(L, 1);
  bool is = u != NULL && lua_getmetatable(L, 1) &&
            lua_rawequal(L, -1, lua_upvalueindex(1));
  if (!is)
    return host_raise(L, "usage",
                      "release: expected a unit, got %s; unit:release() gives "
                      "back what r:acquire() returned",
                      host_describe(L, 1));
  host_no_guard(L, "release");
  uint32_t i = unit_holding(u);
  if (i != 0) {
    resource *r = holding_at(u->sim, i)->of;
    holding_free(u->sim, i);
    thing_serve(L, &r->of);
  }
  lua_pushboolean(L, i != 0);
  return 1;
}

static const char *const unit_fields[] = {
    "held", "n", "priority", "holder", "resource", "release", NULL};

static int unit_field(lua_State *L) {
  const unit *u = lua_touserdata(L, 1);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
  const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "";
  uint32_t i = unit_holding(u);
  if (strcmp(name, "held") == 0) lua_pushboolean(L, i != 0);
  else if (strcmp(name, "n") == 0) lua_pushinteger(L, u->n);
  else if (strcmp(name, "priority") == 0) lua_pushinteger(L, u->priority);
  else if (strcmp(name, "holder") == 0) host_push_name(L, u->sim, u->holder);
  else if (strcmp(name, "resource") == 0 && i != 0)
    thing_push(L, &holding_at(u->sim, i)->of->of);
  else if (strcmp(name, "resource") == 0) lua_pushnil(L);
  else return field_refuse(L, "unit", unit_fields, NULL);
  return 1;
}

static int mt_unit_tostring(lua_State *L) {
  const unit *u = lua_touserdata(L, 1);
  lua_pushstring(L, unit_holding(u) != 0 ? "<unit, held>" : "<unit, not held>");
  return 1;
}

void host_open_units(lua_State *L) {
  lua_createtable(L, 0, 3);
  lua_newtable(L);
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, m_release, 1);
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "__close");
  lua_setfield(L, -2, "release");
  lua_pushcclosure(L, unit_field, 1);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, mt_unit_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, "unit");
  lua_setfield(L, -2, "__name");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &unit_type);
}
