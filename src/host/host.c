/* Opening and closing the program's Lua: its memory is the arena's, its
   libraries are Lua's and ours. */
#include "host/bond.h"
#include "host/files.h"
#include "host/modules.h"
#include "host/inside.h"

#include <stdlib.h>
#include <string.h>

/* Lua's allocator. It shrinks blocks at least as well as it must. */
static void *host_alloc(void *arena, void *block, size_t old, size_t size) {
  if (size == 0) {
    if (block != NULL) md_arena_free(arena, block, old);
    return NULL;
  }
  if (block == NULL) return md_arena_alloc(arena, size);
  return md_arena_resize(arena, block, old, size);
}

/* An error in a finalizer has nobody to go to: it is said, and the run goes
   on, as Lua does. */
static void host_warn(void *state, const char *text, int more) {
  (void)state;
  static const char *const prefix = "moondial: warning: ";
  if (text[0] == '@' && !more) return; /* a control message */
  if (*text != '\0') {
    md_host *h = state;
    fprintf(stderr, "%s%s", h->warning ? "" : prefix, text);
    h->warning = more;
    if (!more) fputc('\n', stderr);
  }
}

static int host_panic(lua_State *L) {
  const char *text = lua_tostring(L, -1);
  fprintf(stderr, "moondial: %s; please report this\n",
          text ? text : "an error outside of any protection");
  abort();
}

static int host_load_chunk(lua_State *L) {
  const host_chunk *chunk = lua_touserdata(L, lua_upvalueindex(1));
  char name[80];
  snprintf(name, sizeof name, "=[md %s]", chunk->name);
  if (luaL_loadbufferx(L, chunk->text, chunk->size, name, "t") != LUA_OK)
    return lua_error(L);
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

static int host_open_core(lua_State *L) {
  lua_newtable(L);
  host_open_values(L);
  host_open_time(L);
  host_open_limits(L);
  host_open_processes(L);
  host_open_awaitable(L);
  host_open_awaiting(L);
  host_open_events(L);
  host_open_flags(L);
  host_open_resources(L);
  host_open_stores(L);
  host_open_containers(L);
  host_open_gates(L);
  host_open_bodies(L);
  host_open_bonds(L);
  host_open_children(L);
  host_open_inspection(L);
  host_open_deadlock(L);
  host_open_messages(L);
  host_open_patterns(L);
  host_open_types(L);
  host_open_protocols(L);
  host_open_receiving(L);
  host_open_asking(L);
  host_open_mailboxes(L);
  host_open_chance(L);
  host_open_streams(L);
  host_open_records(L);
  host_open_failure(L);
  host_open_sims(L);
  host_open_pull(L);
  host_open_state(L);
  host_open_travel(L);
  return 1;
}

/* The modules that are built in: moondial.core in C, and moondial.inside, which
   the library alone uses; the others in Lua. */
static void host_preload(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  lua_pushcfunction(L, host_open_core);
  lua_setfield(L, -2, "moondial.core");
  lua_pushcfunction(L, host_open_inside);
  lua_setfield(L, -2, "moondial.inside");
  lua_pushcfunction(L, host_open_ffi);
  lua_setfield(L, -2, "moondial.native");
  for (const host_chunk *c = host_chunks; c->name != NULL; c++) {
    lua_pushlightuserdata(L, (void *)(uintptr_t)c);
    lua_pushcclosure(L, host_load_chunk, 1);
    lua_setfield(L, -2, c->name);
  }
  lua_pop(L, 1);
}

/* What is said when there is no memory must be there before. */
static void host_prepare_errors(lua_State *L) {
  host_error_value(L, L, "memory",
                   "out of memory: the model needs more than it may have; "
                   "raise the limit with --memory, or let the model keep "
                   "less");
  lua_setfield(L, LUA_REGISTRYINDEX, "md.nomemory");
  lua_pushboolean(L, 0);
  lua_setfield(L, LUA_REGISTRYINDEX, "md.error");
  lua_pushboolean(L, 0);
  lua_setfield(L, LUA_REGISTRYINDEX, "md.traceback");
}

static int host_set_up(lua_State *L) {
  md_host *h = host_of(L);
  host_open_library(L);
  host_open_errors(L);
  host_open_coroutines(L);
  host_open_files(L);
  host_preload(L);
  host_prepare_errors(L);
  if (h->options.sandbox) host_enter_sandbox(L);
  h->script = lua_newthread(L);
  lua_setfield(L, LUA_REGISTRYINDEX, "md.script");
  h->callbacks = lua_newthread(L);
  lua_setfield(L, LUA_REGISTRYINDEX, "md.callbacks");
  host_own(h->script, true);
  host_own(h->callbacks, true);
  return 0;
}

md_host *host_open(const host_options *options) {
  md_arena *arena = md_arena_open(options->memory);
  if (arena == NULL) return NULL;
  md_arena_fail_at(arena, options->fail_at);
  md_host *h = md_arena_alloc(arena, sizeof *h);
  lua_State *L = h ? lua_newstate(host_alloc, arena) : NULL;
  if (L == NULL) {
    md_arena_close(arena);
    return NULL;
  }
  memset(h, 0, sizeof *h);
  h->arena = arena;
  h->options = *options;
  h->out.script_folder = "";
  h->L = L;
  *(md_host **)lua_getextraspace(L) = h;
  lua_atpanic(L, host_panic);
  lua_setwarnf(L, host_warn, h);
  host_watch_instructions(h);
  lua_pushcfunction(L, host_set_up);
  if (lua_pcall(L, 0, 0, 0) == LUA_OK) return h;
  host_close(h);
  return NULL;
}

void host_close(md_host *h) {
  md_arena_set_limit(h->arena, 0); /* closing needs a little */
  lua_close(h->L);
  host_close_library(h);
  md_arena_close(h->arena);
}
