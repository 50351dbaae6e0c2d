/* The bare floor: the least that any simulator with C underneath and Lua
   processes on top has to do, and nothing else. An event is one replacement of
   the heap's top and one lua_resume; there are no messages, no names, no
   errors, no trace. What a real simulator adds is read off against this.

     floor W1        hold, 1 000 processes, 2e6 events
     floor W3 N      hold, N processes, 2e6 events
     floor W4p       ping-pong of two processes, 2e6 messages
     floor W3c N     the heap alone, N entries, 2e7 events: no Lua, and delays
                     that were drawn before */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLOT_BITS = 24, EVENTS = 2000000, MESSAGES = 2000000 };

/* -- The queue: a 4-ary heap whose comparisons compile to no branches -- */

/* The bits of a non-negative double order as the double does, so time and
   sequence together are one unsigned number of 128 bits. The slot rides in the
   low bits of the sequence. */
typedef struct {
  uint64_t time, tag;
} event;

static event *heap;
static size_t heap_size;

static inline uint64_t bits_of(double time) {
  uint64_t bits;
  memcpy(&bits, &time, sizeof bits);
  return bits;
}

static inline double time_of(uint64_t bits) {
  double time;
  memcpy(&time, &bits, sizeof time);
  return time;
}

static inline bool before(event a, event b) {
  unsigned __int128 x = (unsigned __int128)a.time << 64 | a.tag;
  unsigned __int128 y = (unsigned __int128)b.time << 64 | b.tag;
  return x < y;
}

/* The children of i start at 4i + 1: shifting the array by three entries puts
   each family of four on one cache line. */
static void *heap_open(size_t capacity) {
  size_t bytes = (capacity + 7) * sizeof(event);
  event *raw = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
  if (raw == NULL) abort();
  heap = raw + 3;
  heap_size = 0;
  return raw;
}

static void heap_push(event e) {
  size_t i = heap_size++;
  while (i > 0) {
    size_t parent = (i - 1) / 4;
    if (!before(e, heap[parent])) break;
    heap[i] = heap[parent];
    i = parent;
  }
  heap[i] = e;
}

/* The first of up to four children that start at c; four are a tournament. */
static inline size_t first_child(size_t c) {
  if (c + 3 < heap_size) {
    size_t left = c + before(heap[c + 1], heap[c]);
    size_t right = c + 2 + before(heap[c + 3], heap[c + 2]);
    return before(heap[right], heap[left]) ? right : left;
  }
  size_t first = c;
  for (size_t k = c + 1; k < heap_size; k++)
    if (before(heap[k], heap[first])) first = k;
  return first;
}

/* A pop and a push in one walk: the process that ran sleeps again. */
static void heap_replace_top(event e) {
  size_t i = 0;
  for (size_t c = 1; c < heap_size; c = 4 * i + 1) {
    size_t child = first_child(c);
    if (!before(heap[child], e)) break;
    heap[i] = heap[child];
    i = child;
  }
  heap[i] = e;
}

/* -- What Lua calls -- */

static uint64_t random_state = 88172645463325252u;
static double delay; /* what the last sleep asked for */

/* A xorshift: the cheapest source that still spreads the times. */
static double uniform(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (double)((random_state >> 11) + 1) * 0x1p-53;
}

static int f_exponential(lua_State *L) {
  lua_pushnumber(L, -log(uniform()) * lua_tonumber(L, 1));
  return 1;
}

static int f_sleep(lua_State *L) {
  delay = lua_tonumber(L, 1);
  return lua_yield(L, 0);
}

/* Messages go from stack to stack. The ring holds who is due; the ping-pong
   never has more than one due at a time. */
static lua_State *threads[2];
static unsigned ring[4], ring_first, ring_end;

static int f_send(lua_State *L) {
  int to = (int)lua_tointeger(L, 1);
  lua_xmove(L, threads[to], 1);
  ring[ring_end++ % 4] = (unsigned)to;
  return 0;
}

static int f_receive(lua_State *L) {
  return lua_yield(L, 0);
}

/* -- The workloads -- */

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static lua_State *open_lua(void) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  lua_register(L, "exponential", f_exponential);
  lua_register(L, "sleep", f_sleep);
  lua_register(L, "send", f_send);
  lua_register(L, "receive", f_receive);
  return L;
}

static const char hold_source[] =
    "local sleep, exponential = sleep, exponential "
    "return function() while true do sleep(exponential(1.0)) end end";

static void hold(const char *workload, size_t n) {
  lua_State *L = open_lua();
  lua_State **process = calloc(n, sizeof *process);
  void *raw = heap_open(n);
  uint64_t sequence = 0;
  int results;
  if (process == NULL || luaL_dostring(L, hold_source)) abort();
  lua_newtable(L); /* keeps the threads alive */
  for (size_t i = 0; i < n; i++) {
    process[i] = lua_newthread(L);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
    lua_pushvalue(L, -2);
    lua_xmove(L, process[i], 1);
    lua_resume(process[i], L, 0, &results);
    heap_push((event){bits_of(delay), sequence++ << SLOT_BITS | i});
  }
  double start = seconds();
  for (size_t k = 0; k < EVENTS; k++) {
    event e = heap[0];
    size_t slot = e.tag & ((1u << SLOT_BITS) - 1);
    lua_resume(process[slot], L, 0, &results);
    double next = time_of(e.time) + delay;
    heap_replace_top((event){bits_of(next), sequence++ << SLOT_BITS | slot});
  }
  double wall = seconds() - start;
  printf("RES w=%s n=%zu rate=%.0f\n", workload, n, EVENTS / wall);
  free(raw);
  free(process);
  lua_close(L);
}

static void heap_alone(size_t n) {
  enum { DELAYS = 1 << 16, TIMES = 20000000 };
  static double delays[DELAYS];
  void *raw = heap_open(n);
  uint64_t sequence = 0;
  for (size_t i = 0; i < DELAYS; i++) delays[i] = -log(uniform());
  for (size_t i = 0; i < n; i++)
    heap_push((event){bits_of(-log(uniform())), sequence++ << SLOT_BITS | i});
  double start = seconds();
  for (size_t k = 0; k < TIMES; k++) {
    event e = heap[0];
    double next = time_of(e.time) + delays[k % DELAYS];
    uint64_t slot = e.tag & ((1u << SLOT_BITS) - 1);
    heap_replace_top((event){bits_of(next), sequence++ << SLOT_BITS | slot});
  }
  double wall = seconds() - start;
  printf("RES w=W3c n=%zu rate=%.0f\n", n, TIMES / wall);
  free(raw);
}

static const char pingpong_source[] =
    "local other, send, receive = ..., send, receive "
    "while true do send(other, receive()) end";

static void pingpong(void) {
  lua_State *L = open_lua();
  int results;
  for (int i = 0; i < 2; i++) {
    threads[i] = lua_newthread(L);
    if (luaL_loadstring(threads[i], pingpong_source)) abort();
    lua_pushinteger(threads[i], 1 - i);
    lua_resume(threads[i], L, 1, &results);
  }
  lua_pushinteger(threads[0], 7); /* the ball */
  ring[ring_end++ % 4] = 0;
  double start = seconds();
  for (long k = 0; k < MESSAGES; k++)
    lua_resume(threads[ring[ring_first++ % 4]], L, 1, &results);
  double wall = seconds() - start;
  printf("RES w=W4p n=%d rate=%.0f\n", MESSAGES, MESSAGES / wall);
  lua_close(L);
}

int main(int argc, char **argv) {
  const char *workload = argc > 1 ? argv[1] : "W1";
  if (strcmp(workload, "version") == 0)
    puts("the floor on " LUA_RELEASE);
  else if (strcmp(workload, "W4p") == 0)
    pingpong();
  else if (strcmp(workload, "W3c") == 0)
    heap_alone(argc > 2 ? strtoul(argv[2], NULL, 10) : 1000);
  else
    hold(workload, argc > 2 ? strtoul(argv[2], NULL, 10) : 1000);
  return 0;
}
