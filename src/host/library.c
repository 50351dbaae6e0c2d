/* Lua's own library, where it would let the outside into a run: time, chance,
   addresses, the environment, bytecode. And how modules are found. */
#include "host/modules.h"
#include "host/outside.h"
#include "host/reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The one global of the program: time() and clock(), which Lua calls, have no
   argument that would lead to the host. They show the virtual time, in
   seconds and in 10^-6 seconds of a unit each. */
static md_host *library_host;

static double library_now(void) {
  const md_host *h = library_host;
  const host_sim *s = h == NULL ? NULL : h->sim ? h->sim : h->first;
  if (s == NULL) return 0;
  return md_time_show(md_sim_scale(s->kernel), md_sim_now(s->kernel));
}

#define LIBRARY_LINKED __attribute__((externally_visible))

LIBRARY_LINKED time_t __wrap_time(time_t *at);
LIBRARY_LINKED clock_t __wrap_clock(void);
LIBRARY_LINKED unsigned __wrap_luaS_hash(const char *, size_t, unsigned seed);

time_t __wrap_time(time_t *at) {
  time_t now = (time_t)library_now();
  if (at != NULL) *at = now;
  return now;
}

clock_t __wrap_clock(void) { return (clock_t)(library_now() * 1e6); }

/* Called across object files only where Lua makes its seed from addresses. */
unsigned __wrap_luaS_hash(const char *text, size_t length, unsigned seed) {
  (void)text, (void)length, (void)seed;
  return 0x6d6f6f6e;
}

/* -- text only -- */

/* load(chunk [, name [, mode [, env]]]) -> function or nil, message
   As in Lua 5.4, but of text alone: bytecode is refused, as a damaged one can
   crash the program.
     print(load("return 6 * 7")()) */
static int f_load(lua_State *L) {
  lua_settop(L, lua_gettop(L) < 3 ? 3 : lua_gettop(L));
  const char *mode = luaL_optstring(L, 3, "t");
  if (strchr(mode, 't') == NULL) {
    lua_pushnil(L);
    lua_pushliteral(L, "only text can be loaded, not bytecode (mode \"t\")");
    return 2;
  }
  lua_pushliteral(L, "t");
  lua_replace(L, 3);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  uint64_t before = host_unwinding(host_of(L));
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  /* an error in a function that gives the text is one of load's results */
  if (lua_isnil(L, 1) && host_passes(L, before)) return lua_error(L);
  return lua_gettop(L);
}

void host_find_file(const md_host *h, const char *name, char *path,
                    size_t size) {
  FILE *f = fopen(name, "r");
  if (f != NULL) fclose(f);
  if (f != NULL || *name == '/') snprintf(path, size, "%s", name);
  else snprintf(path, size, "%s%s", h->out.script_folder, name);
}

/* Skips a first line that begins with #, as lua does, keeping its number;
   false when the file is bytecode. */
static bool library_skip(FILE *file) {
  int c = getc(file);
  if (c == 0xef) { /* a byte order mark, as lua does */
    if (getc(file) == 0xbb && getc(file) == 0xbf) c = getc(file);
    else rewind(file), c = getc(file);
  }
  if (c != '#') {
    if (c != EOF) ungetc(c, file);
    return c != *LUA_SIGNATURE;
  }
  while (c != EOF && c != '\n') c = getc(file);
  if (c == '\n') ungetc(c, file);
  return true;
}

/* Pushes what is left of the file. */
static void library_rest(lua_State *L, FILE *file) {
  luaL_Buffer b;
  size_t size;
  luaL_buffinit(L, &b);
  do {
    size = fread(luaL_prepbuffer(&b), 1, LUAL_BUFFERSIZE, file);
    luaL_addsize(&b, size);
  } while (size > 0);
  luaL_pushresult(&b);
}

int host_read_text(lua_State *L, const char *path, const char *name) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    lua_pushfstring(L, "cannot open '%s': %s", name, strerror(errno));
    return LUA_ERRFILE;
  }
  bool text = library_skip(file);
  if (text) library_rest(L, file);
  else
    lua_pushfstring(L,
                    "'%s' is bytecode, and only text is loaded; give the "
                    "source instead",
                    name);
  bool failed = text && ferror(file);
  fclose(file);
  if (!failed) return text ? LUA_OK : LUA_ERRSYNTAX;
  lua_pop(L, 1);
  lua_pushfstring(L, "cannot read '%s': is it a folder?", name);
  return LUA_ERRFILE;
}

int host_load_file(lua_State *L, const char *path, const char *name) {
  const md_host *h = host_of(L);
  size_t folder = strlen(h->out.script_folder);
  bool beside = strncmp(path, h->out.script_folder, folder) == 0 &&
                strcmp(path + folder, name) == 0;
  int status = host_read_text(L, path, name);
  if (status != LUA_OK) return status;
  host_journal_text(L, false);
  status = host_load_text(L, name, beside);
  return status;
}

/* loadfile(name [, mode [, env]]) -> function or nil, message
   As in Lua 5.4, of text alone. A file that is not there is looked for beside
   the script. Not with --sandbox.
     print(loadfile("missing.lua")) */
static int f_loadfile(lua_State *L) {
  char path[4096];
  const char *name = luaL_checkstring(L, 1);
  bool environment = !lua_isnone(L, 3);
  host_find_file(host_of(L), name, path, sizeof path);
  if (host_load_file(L, path, name) != LUA_OK) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  if (environment) {
    lua_pushvalue(L, 3);
    if (lua_setupvalue(L, -2, 1) == NULL) lua_pop(L, 1);
  }
  return 1;
}

static int library_done(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  return lua_gettop(L) - 1;
}

/* dofile(name) -> what the file returns
   As in Lua 5.4; finds the file as loadfile does. Not with --sandbox.
     print(pcall(dofile, "missing.lua")) */
static int f_dofile(lua_State *L) {
  char path[4096];
  const char *name = luaL_checkstring(L, 1);
  lua_settop(L, 1);
  host_find_file(host_of(L), name, path, sizeof path);
  if (host_load_file(L, path, name) != LUA_OK) return lua_error(L);
  lua_callk(L, 0, LUA_MULTRET, 0, library_done);
  return library_done(L, LUA_OK, 0);
}

/* -- modules -- */

/* One template, such as "?.lua", in one folder; pushes the loader. */
static bool library_try(lua_State *L, const char *folder, const char *file) {
  char path[4096];
  snprintf(path, sizeof path, "%s%s", folder, file);
  FILE *f = fopen(path, "r");
  if (f == NULL) return false;
  fclose(f);
  if (host_load_file(L, path, file) != LUA_OK)
    luaL_error(L, "error loading module '%s':\n\t%s", lua_tostring(L, 1),
               lua_tostring(L, -1));
  lua_pushstring(L, file);
  return true;
}

/* Finds a module beside the script. The folder never enters Lua's memory: the
   same model in another folder must get the same addresses. */
static int library_search(lua_State *L) {
  const md_host *h = host_of(L);
  char name[256], file[300];
  snprintf(name, sizeof name, "%s", luaL_checkstring(L, 1));
  for (char *c = name; *c != '\0'; c++)
    if (*c == '.') *c = '/';
  snprintf(file, sizeof file, "%s.lua", name);
  if (library_try(L, h->out.script_folder, file)) return 2;
  snprintf(file, sizeof file, "%s/init.lua", name);
  if (library_try(L, h->out.script_folder, file)) return 2;
  lua_pushfstring(L, "no file '%s.lua' beside the script", name);
  return 1;
}

/* Puts the searcher after the preloaded modules. */
static void library_searchers(lua_State *L) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchers");
  for (lua_Integer i = (lua_Integer)lua_rawlen(L, -1); i >= 2; i--) {
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushcfunction(L, library_search);
  lua_rawseti(L, -2, 2);
  lua_pop(L, 2);
}

/* -- the rest -- */

/* os.exit([code]) -> never
   Ends the program with that status: an integer, true (0, also without a code)
   or false (1). What was recorded and printed is written first, <close>
   variables are not closed. Not with --sandbox.
     os.exit(0) */
static int f_exit_program(lua_State *L) {
  md_host *h = host_of(L);
  int status = EXIT_SUCCESS;
  if (lua_isboolean(L, 1)) status = lua_toboolean(L, 1) ? 0 : 1;
  else status = (int)luaL_optinteger(L, 1, 0);
  if (h->out.at_exit != NULL) status = h->out.at_exit(h, status);
  fflush(NULL);
  exit(status);
}

/* os.getenv(name) -> string or nil
   As in Lua 5.4: a variable of the environment. Not with --sandbox.
     print(os.getenv "HOME") */
static int f_getenv(lua_State *L) {
  /* by its length: Lua would remember the text by an address that is another
     in each run */
  const char *value = getenv(luaL_checkstring(L, 1));
  if (value == NULL) lua_pushnil(L);
  else lua_pushlstring(L, value, strlen(value));
  return 1;
}

/* A file prints as what it is, not as an address of the C library's. */
static int mt_file_tostring(lua_State *L) {
  const luaL_Stream *file = luaL_checkudata(L, 1, LUA_FILEHANDLE);
  if (file->closef == NULL) lua_pushliteral(L, "file (closed)");
  else lua_pushfstring(L, "file (%d)", fileno(file->f));
  return 1;
}

/* Without io, os and what leads out of the program: --sandbox. */
static void library_sandbox(lua_State *L) {
  static const char *const os[] = {"execute", "exit",    "getenv",   "remove",
                                   "rename",  "tmpname", "setlocale"};
  static const char *const globals[] = {"io", "dofile", "loadfile", "debug"};
  lua_getglobal(L, "os");
  for (size_t i = 0; i < sizeof os / sizeof *os; i++) {
    lua_pushnil(L);
    lua_setfield(L, -2, os[i]);
  }
  lua_pop(L, 1);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  for (size_t i = 0; i < sizeof globals / sizeof *globals; i++) {
    lua_pushnil(L);
    lua_setglobal(L, globals[i]);
    lua_pushnil(L);
    lua_setfield(L, -2, globals[i]);
  }
  lua_pop(L, 1);
  lua_getglobal(L, "package");
  lua_pushnil(L);
  lua_setfield(L, -2, "loadlib");
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "cpath");
  lua_pop(L, 1);
}

void host_open_library(lua_State *L) {
  md_host *h = host_of(L);
  host_wake_library(h);
  lua_pushboolean(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
  luaL_openlibs(L);
  lua_getglobal(L, "load");
  lua_pushcclosure(L, f_load, 1);
  lua_setglobal(L, "load");
  lua_pushcfunction(L, f_loadfile);
  lua_setglobal(L, "loadfile");
  lua_pushcfunction(L, f_dofile);
  lua_setglobal(L, "dofile");
  lua_getglobal(L, "os");
  lua_pushcfunction(L, f_exit_program);
  lua_setfield(L, -2, "exit");
  lua_pushcfunction(L, f_getenv);
  lua_setfield(L, -2, "getenv");
  lua_pop(L, 1);
  luaL_getmetatable(L, LUA_FILEHANDLE);
  lua_pushcfunction(L, mt_file_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pop(L, 1);
  library_searchers(L);
}

void host_wake_library(md_host *h) {
  library_host = h;
  setenv("TZ", "UTC0", 1); /* os.date is the same everywhere */
}

void host_close_library(md_host *h) {
  if (library_host == h) library_host = NULL;
}

void host_enter_sandbox(lua_State *L) { library_sandbox(L); }
