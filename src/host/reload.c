/* What stands around a reload: nothing collects, nothing else is reloaded, and
   an error leaves all as it was. And what reload.lua needs to know of
   functions. */
#include "host/reload.h"
#include "host/pattern.h"

#include <string.h>

void host_no_reload(lua_State *L, const char *call) {
  if (!host_of(L)->reloading) return;
  host_raise(L, "usage",
             "%s: the text of a module that is reloaded, and its migrate, may "
             "change nothing but the module; do it where the module is used",
             call);
}

/* -- all or nothing -- */

/* undo(walk): as if nothing had been. */
static int reload_undo(lua_State *L) {
  luaL_checkstack(L, 32, NULL);
  walk_restore(L, 1, 0);
  lua_getiuservalue(L, 1, WALK_INVERSE);
  if (lua_istable(L, 2)) walk_swap(L, 1, 2);
  return 0;
}

/* atomically(walk, fn, ...) -> what fn returns
   The collector stands still; an error takes everything back. */
static int reload_atomically(lua_State *L) {
  md_host *h = host_of(L);
  walk *all = walk_arg(L);
  bool collects = lua_gc(L, LUA_GCISRUNNING);
  h->reloading = true;
  lua_gc(L, LUA_GCSTOP);
  int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 0);
  if (status != LUA_OK) {
    host_caught(L, status);
    lua_pushcfunction(L, reload_undo);
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1);
  }
  md_arena_free(all->arena, all->slots, all->capacity * sizeof *all->slots);
  all->slots = NULL;
  all->capacity = all->count = 0;
  h->reloading = false;
  for (int k = WALK_OBJECTS; k <= WALK_VALUES; k++) {
    lua_pushnil(L);
    lua_setiuservalue(L, 1, k);
  }
  if (collects) lua_gc(L, LUA_GCRESTART);
  if (status != LUA_OK) return lua_error(L);
  return lua_gettop(L) - 1;
}

/* run(fn, ...) -> results: as a guard, which changes nothing. */
static int reload_run(lua_State *L) {
  md_host *h = host_of(L);
  h->guarding++;
  h->careful++;
  int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  h->guarding--;
  h->careful--;
  if (status == LUA_OK) return lua_gettop(L);
  host_caught(L, status);
  return lua_error(L);
}

/* allowed(): raises inside of a guard, and of a reload. */
static int reload_allowed(lua_State *L) {
  host_no_guard(L, "reload");
  return 0;
}

/* note(sim, text): the signal. */
static int reload_note(lua_State *L) {
  size_t size;
  host_sim *s = *(host_sim **)luaL_checkudata(L, 1, "md.sim");
  const md_host *h = s->host;
  const char *text = luaL_checklstring(L, 2, &size);
  md_sim_note(s->kernel, MD_TRACE_RELOAD, h->sim == s ? h->process : 0, 0,
              md_rng_hash(text, size));
  return 0;
}

/* -- functions -- */

/* about(fn) -> text's number, first line, last line */
static int reload_about(lua_State *L) {
  lua_Debug ar;
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_getinfo(L, ">S", &ar);
  lua_pushinteger(L, host_text_number(&ar));
  lua_pushinteger(L, ar.linedefined);
  lua_pushinteger(L, ar.lastlinedefined);
  return 3;
}

/* upvalue(fn, i) -> name, id, value; nothing when there is none. */
static int reload_upvalue(lua_State *L) {
  int i = (int)luaL_checkinteger(L, 2);
  const char *name = lua_getupvalue(L, 1, i);
  if (name == NULL) return 0;
  lua_pushstring(L, name);
  lua_pushlightuserdata(L, lua_upvalueid(L, 1, i));
  lua_rotate(L, -3, 2);
  return 3;
}

/* join(fn, i, other, k): they share it from now on. */
static int reload_join(lua_State *L) {
  lua_upvaluejoin(L, 1, (int)luaL_checkinteger(L, 2), 3,
                  (int)luaL_checkinteger(L, 4));
  return 0;
}

/* set(fn, i, value) */
static int reload_set(lua_State *L) {
  lua_settop(L, 3);
  if (lua_setupvalue(L, 1, (int)luaL_checkinteger(L, 2)) == NULL)
    return luaL_error(L, "no such upvalue");
  return 0;
}

/* threads() -> {thread = what the process is called}, {thread = pid} */
static int reload_threads(lua_State *L) {
  char label[64];
  lua_newtable(L);
  lua_newtable(L);
  lua_getfield(L, LUA_REGISTRYINDEX, "md.script");
  lua_pushliteral(L, "the script");
  lua_rawset(L, 1);
  for (host_sim *s = host_of(L)->sims; s != NULL; s = s->next) {
    host_push(L, s, HOST_THREADS);
    for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;) {
      if (lua_rawgeti(L, 3, p) == LUA_TTHREAD) {
        lua_pushstring(L, host_name(s, p, label));
        lua_rawset(L, 1);
        lua_rawgeti(L, 3, p);
        host_push_pid(L, s, p);
        lua_rawset(L, 2);
      }
      lua_settop(L, 3);
    }
    lua_settop(L, 2);
  }
  return 2;
}

int reload_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"atomically", reload_atomically},
                                       {"run", reload_run},
                                       {"allowed", reload_allowed},
                                       {"note", reload_note},
                                       {"about", reload_about},
                                       {"upvalue", reload_upvalue},
                                       {"join", reload_join},
                                       {"set", reload_set},
                                       {"threads", reload_threads},
                                       {"save", undo_save},
                                       {"restore", undo_restore},
                                       {NULL, NULL}};
  luaL_newlib(L, functions);
  walk_open(L);
  lua_setfield(L, -2, "walk");
  text_open(L);
  lua_setfield(L, -2, "text");
  dump_open(L);
  lua_setfield(L, -2, "dump");
  return 1;
}
