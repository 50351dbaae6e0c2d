/* The values that wait: those of messages in inboxes, of timers, of ended
   runs. They stand in one Lua table a sim, in runs of slots; freed runs are
   kept by length. A freed slot holds false, so the table stays an array. */
#include "host/host.h"

enum { HELD_EXACT = 16, HELD_FIRST = 64 };

/* Runs of up to HELD_EXACT slots are as long as asked, longer ones a power of
   two. */
static int held_class(int n, uint32_t *length) {
  *length = (uint32_t)n;
  if (n <= HELD_EXACT) return n;
  int class = HELD_EXACT;
  for (*length = HELD_EXACT; *length < (uint32_t)n; *length *= 2) class ++;
  return class;
}

static bool held_grow(host_sim *s, uint32_t size) {
  host_held *held = &s->held;
  uint32_t capacity = held->capacity ? held->capacity : HELD_FIRST;
  while (capacity <= size) capacity *= 2;
  if (capacity == held->capacity) return true;
  uint32_t *next =
      md_arena_resize(s->host->arena, held->next, held->capacity * sizeof *next,
                      capacity * sizeof *next);
  if (next == NULL) return false;
  held->next = next;
  held->capacity = capacity;
  return true;
}

static uint32_t held_take(lua_State *L, host_sim *s, int n) {
  host_held *held = &s->held;
  uint32_t length;
  int class = held_class(n, &length);
  uint32_t slot = held->free[class];
  if (slot != 0) {
    held->free[class] = held->next[slot];
    return slot;
  }
  slot = held->size + 1;
  if (!held_grow(s, held->size + length)) host_no_memory(L);
  held->size += length;
  return slot;
}

uint32_t host_hold(lua_State *L, host_sim *s, int first, int n) {
  if (n == 0) return 0;
  luaL_checkstack(L, 2, "a message has too many values");
  host_push(L, s, HOST_HELD);
  uint32_t slot = held_take(L, s, n);
  for (int i = 0; i < n; i++) {
    lua_pushvalue(L, first + i);
    lua_rawseti(L, -2, slot + i);
  }
  lua_pop(L, 1);
  return slot;
}

void host_fetch(lua_State *L, host_sim *s, uint32_t slot, int n) {
  if (n == 0) return;
  luaL_checkstack(L, n + 1, "a message has too many values");
  host_push(L, s, HOST_HELD);
  int held = lua_gettop(L);
  for (int i = 0; i < n; i++) lua_rawgeti(L, held, slot + i);
  lua_remove(L, held);
}

/* Works on the sim's own state: setting a slot that exists needs no memory,
   so it can be done where no error could be raised. */
void host_drop(lua_State *L, host_sim *s, uint32_t slot, int n) {
  (void)L;
  if (n == 0) return;
  uint32_t length;
  int class = held_class(n, &length);
  for (int i = 0; i < n; i++) {
    lua_pushboolean(s->H, 0);
    lua_rawseti(s->H, HOST_HELD, slot + i);
  }
  s->held.next[slot] = s->held.free[class];
  s->held.free[class] = slot;
}
