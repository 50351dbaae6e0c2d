/* The texts that the model's functions come from. registry["md.texts"] has, by
   the name of a file, the list of its texts in the order in which they were
   loaded, and `beside`: it lies beside the script. A function tells by the name
   of its source which of them is its own: behind the zero that ends the name,
   where only who asks for its length looks, stands the text's number, unless
   that is 1. A text without any function is kept as "". */
#include "host/outside.h"
#include "host/reload.h"

#include <stdlib.h>
#include <string.h>

static const char text_key[] = "md.texts";

/* -- the number of a text -- */

/* Gives the main function on the top, which was loaded as `source`, the number
   of its text. [-1, +1, e] */
static void text_mark(lua_State *L, const char *source, lua_Integer number) {
  char name[1024];
  int fn = lua_gettop(L);
  size_t length = strlen(source) + 1;
  if (length + 24 > sizeof name) luaL_error(L, "a file's name is too long");
  memcpy(name, source, length);
  snprintf(name + length, 24, "%lld", (long long)number);
  host_dump_named(L, fn, name, length + strlen(name + length));
  lua_replace(L, fn);
}

lua_Integer host_text_number(const lua_Debug *ar) {
  size_t length = strlen(ar->source);
  return ar->srclen > length ? strtoll(ar->source + length + 1, NULL, 10) : 1;
}

/* -- keeping them -- */

/* Keeps the text on the top, and returns its number. [-1, +0, e] */
static lua_Integer text_keep(lua_State *L, const char *name, bool beside) {
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  if (memmem(text, size, "function", 8) == NULL) {
    lua_pop(L, 1);
    lua_pushliteral(L, "");
  }
  luaL_getsubtable(L, LUA_REGISTRYINDEX, text_key);
  /* Lua would remember where the name lies, which differs from run to run */
  lua_pushlstring(L, name, strlen(name));
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, -5);
  }
  lua_remove(L, -2);
  lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
  lua_rawgeti(L, -1, n);
  if (n == 0 || !lua_rawequal(L, -1, -4)) {
    lua_pushvalue(L, -4);
    lua_rawseti(L, -3, ++n);
  }
  lua_pushboolean(L, beside);
  lua_setfield(L, -3, "beside");
  lua_pop(L, 4);
  return n;
}

int host_load_text(lua_State *L, const char *name, bool beside) {
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  const char *source = lua_pushfstring(L, "@%s", name);
  int status = luaL_loadbufferx(L, text, size, source, "t");
  if (status == LUA_OK) {
    lua_pushvalue(L, -3);
    lua_Integer number = text_keep(L, name, beside);
    if (number > 1) text_mark(L, source, number);
  }
  lua_replace(L, -3);
  lua_pop(L, 1);
  return status;
}

/* -- for reload.lua: a table of functions -- */

/* kept() -> the table of texts */
static int text_kept(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, text_key);
  return 1;
}

/* file(path) -> string: what the file at that path is called here. */
static int text_file(lua_State *L) {
  const md_host *h = host_of(L);
  const char *path = luaL_checkstring(L, 1);
  size_t folder = strlen(h->out.script_folder);
  if (strncmp(path, "./", 2) == 0) path += 2;
  if (strncmp(path, h->out.script_folder, folder) == 0) path += folder;
  lua_pushlstring(L, path, strlen(path));
  return 1;
}

/* main() -> string: what the model's main file is called. */
static int text_main(lua_State *L) {
  const md_host *h = host_of(L);
  const char *name = h->out.script_path + strlen(h->out.script_folder);
  lua_pushlstring(L, name, strlen(name));
  return 1;
}

/* read(file, beside) -> text or nil, message: as it is now. */
static int text_read(lua_State *L) {
  char path[4096];
  const md_host *h = host_of(L);
  const char *name = luaL_checkstring(L, 1);
  if (lua_toboolean(L, 2))
    snprintf(path, sizeof path, "%s%s", h->out.script_folder, name);
  else host_find_file(h, name, path, sizeof path);
  if (host_journal_reload(L)) return 1;
  if (host_read_text(L, path, name) == LUA_OK) {
    host_journal_text(L, true);
    return 1;
  }
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

/* load(text, file, number) -> function or nil, message */
static int text_load(lua_State *L) {
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  const char *source = lua_pushfstring(L, "@%s", luaL_checkstring(L, 2));
  lua_Integer number = luaL_checkinteger(L, 3);
  if (luaL_loadbufferx(L, text, size, source, "t") != LUA_OK) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  if (number > 1) text_mark(L, source, number);
  return 1;
}

int text_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"kept", text_kept}, {"file", text_file},
                                       {"main", text_main}, {"read", text_read},
                                       {"load", text_load}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
