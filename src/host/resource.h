/* Resources, and what processes hold of them. A holding is a record of the
   sim's, in the list of its resource and in that of its process, whose end
   gives it back; a unit is a userdata that names one, and is not needed. */
#ifndef MD_HOST_RESOURCE_H
#define MD_HOST_RESOURCE_H

#include "host/gauge.h"
#include "host/heap.h"
#include "host/place.h"

typedef enum resource_kind {
  RESOURCE_FIFO,
  RESOURCE_LIFO,
  RESOURCE_PRIORITY
} resource_kind;

typedef struct resource {
  thing of;
  int64_t capacity, used;
  int64_t most; /* of the capacities it has had; 0: it may become any */
  resource_kind kind;
  bool preemptive, observe;
  struct place_heap line; /* who waits, if that is by priority */
  uint32_t first, last;   /* holdings, in the order of their grants */
  uint32_t lost;          /* preempted, their holders have yet to hear of it */
  gauge busy, queue, room;
  waits waited, gone; /* until they were served, or gave up */
  uint64_t preempted;
} resource;

struct holding {
  resource *of; /* NULL: it is held no more */
  int64_t n, priority;
  md_pid holder;
  uint32_t prev, next;   /* of the resource's; of the free */
  uint32_t before, more; /* of the process's, the last first; of the lost */
  uint32_t generation;
  bool own; /* lost to a request of the holder's own: it knows */
};

static inline struct holding *holding_at(const host_sim *s, uint32_t i) {
  return &s->holdings.records[i];
}

static inline md_time resource_now(const resource *r) {
  return md_sim_now(r->of.sim->kernel);
}

/* What is observed follows the changes. */
void resource_changed(thing *);
void resource_add(resource *, int64_t n);

/* Pushes the unit that the process that runs holds from now on. [-0, +1, m] */
void unit_push(lua_State *L, resource *, int64_t n, int64_t priority);

/* Nobody knows the resource any more: what is held of it is nobody's. */
void resource_abandon(resource *);

/* Could n units be had, if those less urgent lost theirs? */
bool resource_could(const resource *, int64_t n, int64_t priority);

/* Takes units from their holders, who hear of it by resource_settle. */
void resource_preempt(resource *, int64_t n, int64_t priority, md_pid by);
void resource_settle(lua_State *L, thing *);

/* Makes the metatable of units. [-0, +0, m] */
void host_open_units(lua_State *L);

#endif
