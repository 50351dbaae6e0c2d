/* Errors: what is raised is a table {kind=, message=, time=, process=,
   traceback=} whose tostring is its message, placed at the model's own line.
   What a model raises itself is passed on as it is. */
#include "host/modules.h"
#include "host/pattern.h"
#include "host/plain.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char error_meta; /* its address is the metatable's key */

/* The library's own Lua chunks are called "=[md ...]" and do not count. */
static bool error_model_frame(const lua_Debug *ar) {
  return ar->currentline > 0 && strncmp(ar->source, "=[md", 4) != 0;
}

void host_where(lua_State *L, char *buffer, size_t size) {
  lua_Debug ar;
  buffer[0] = '\0';
  for (int level = 0; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (!error_model_frame(&ar)) continue;
    snprintf(buffer, size, "%s:%d: ", ar.short_src, ar.currentline);
    return;
  }
}

static void error_frame(luaL_Buffer *b, const lua_Debug *ar) {
  char line[LUA_IDSIZE + 160];
  const char *name = ar->name ? ar->name : "?";
  if (*ar->what == 'm')
    snprintf(line, sizeof line, "\n\t%s:%d: in the main chunk", ar->short_src,
             ar->currentline);
  else if (*ar->what == 'C')
    snprintf(line, sizeof line, "\n\t[C]: in %s", name);
  else if (ar->name != NULL)
    snprintf(line, sizeof line, "\n\t%s:%d: in %s '%s'", ar->short_src,
             ar->currentline, *ar->namewhat ? ar->namewhat : "function", name);
  else
    snprintf(line, sizeof line, "\n\t%s:%d: in the function at line %d",
             ar->short_src, ar->currentline, ar->linedefined);
  luaL_addstring(b, line);
}

void host_traceback(lua_State *L, lua_State *of) {
  enum { FRAMES = 24 };
  lua_Debug ar;
  luaL_Buffer b;
  int shown = 0;
  luaL_buffinit(L, &b);
  luaL_addstring(&b, "stack traceback:");
  for (int level = 0; lua_getstack(of, level, &ar); level++) {
    lua_getinfo(of, "Sln", &ar);
    if (!error_model_frame(&ar)) continue;
    if (++shown > FRAMES) {
      luaL_addstring(&b, "\n\t...");
      break;
    }
    error_frame(&b, &ar);
  }
  luaL_pushresult(&b);
}

const char *host_name(const host_sim *s, uint32_t p, char buffer[64]) {
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  if (extra == NULL || extra->name == NULL) return host_label(s, p, buffer);
  return extra->name;
}

const char *host_label(const host_sim *s, uint32_t p, char buffer[64]) {
  const md_proc_extra *extra = md_sim_extra(s->kernel, p);
  uint32_t generation = md_sim_proc(s->kernel, p)->generation;
  if (extra != NULL && extra->name != NULL)
    snprintf(buffer, 64, "'%.60s'", extra->name);
  else if (generation == 0) snprintf(buffer, 64, "process %u", p);
  else snprintf(buffer, 64, "process %u.%u", p, generation);
  return buffer;
}

/* Fills in where an error table was raised. [-0, +0, m] */
static void error_place(lua_State *L, lua_State *at, int i) {
  md_host *h = host_of(L);
  char label[64];
  host_sim *s = h->sim ? h->sim : h->first;
  if (s != NULL) {
    host_push_time(L, s, md_sim_now(s->kernel));
    lua_setfield(L, i, "time");
  }
  if (h->sim != NULL && h->process != 0) {
    lua_pushstring(L, host_name(h->sim, h->process, label));
    lua_setfield(L, i, "process");
  }
  host_traceback(L, at);
  lua_setfield(L, i, "traceback");
}

static void error_push(lua_State *L, lua_State *at, const char *kind,
                       const char *format, va_list arguments) {
  char where[LUA_IDSIZE + 24];
  luaL_checkstack(L, 8, NULL);
  lua_createtable(L, 0, 5);
  int table = lua_gettop(L);
  host_where(at, where, sizeof where);
  lua_pushstring(L, where);
  lua_pushvfstring(L, format, arguments);
  lua_concat(L, 2);
  lua_setfield(L, table, "message");
  lua_pushstring(L, kind);
  lua_setfield(L, table, "kind");
  error_place(L, at, table);
  host_make_error(L);
}

void host_make_error(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &error_meta);
  lua_setmetatable(L, -2);
}

bool host_is_error(lua_State *L, int i) {
  if (!lua_istable(L, i) || !lua_getmetatable(L, i)) return false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &error_meta);
  bool is = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return is;
}

void host_error_value(lua_State *L, lua_State *at, const char *kind,
                      const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  error_push(L, at, kind, format, arguments);
  va_end(arguments);
}

int host_raise(lua_State *L, const char *kind, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  error_push(L, L, kind, format, arguments);
  va_end(arguments);
  return lua_error(L);
}

/* What a userdata is called: by its metatable, with its article. */
static void error_userdata(lua_State *L, int i) {
  static const char *const names[] = {"md.combination",
                                      "several things to await",
                                      "md.request",
                                      "something to await",
                                      "md.timing",
                                      "a timer",
                                      "md.end",
                                      "the end of a process",
                                      "md.mailbox",
                                      "an inbox",
                                      "md.rng",
                                      "a random stream",
                                      "clauses",
                                      "clauses",
                                      "FILE*",
                                      "a file",
                                      NULL};
  int top = lua_gettop(L);
  int type = luaL_getmetafield(L, i, "__name");
  const char *name = type == LUA_TSTRING ? lua_tostring(L, -1) : "userdata";
  int k = 0;
  while (names[k] != NULL && strcmp(names[k], name) != 0) k += 2;
  if (names[k] == NULL && strncmp(name, "md.", 3) == 0) name += 3;
  bool vowel = *name != '\0' && strchr("aeio", *name) != NULL;
  if (names[k] != NULL) lua_pushstring(L, names[k + 1]);
  else lua_pushfstring(L, "%s %s", vowel ? "an" : "a", name);
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
}

/* The error was made before, when there was memory. */
_Noreturn void host_no_memory(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, "md.nomemory");
  lua_error(L);
  __builtin_unreachable();
}

const char *host_describe(lua_State *L, int i) {
  switch (lua_type(L, i)) {
  case LUA_TNONE:
    lua_pushliteral(L, "nothing");
    break;
  case LUA_TNIL:
    lua_pushliteral(L, "nil");
    break;
  case LUA_TSTRING:
    if (lua_rawlen(L, i) > 40) lua_pushliteral(L, "a long string");
    else lua_pushfstring(L, "'%s'", lua_tostring(L, i));
    break;
  case LUA_TNUMBER:
    if (lua_tonumber(L, i) != lua_tonumber(L, i)) { /* -nan on some machines */
      lua_pushliteral(L, "nan");
      break;
    }
    lua_pushvalue(L, i);
    lua_tostring(L, -1);
    break;
  case LUA_TBOOLEAN:
    lua_pushstring(L, lua_toboolean(L, i) ? "true" : "false");
    break;
  case LUA_TLIGHTUSERDATA:
    luaL_tolstring(L, i, NULL);
    break;
  case LUA_TUSERDATA:
    error_userdata(L, i);
    break;
  default:
    lua_pushfstring(L, "a %s", luaL_typename(L, i));
  }
  return lua_tostring(L, -1);
}

/* -- unknown fields -- */

/* Letters that are missing, too many or wrong, or two that have changed places
   (the optimal string alignment of Damerau and Levenshtein); capped by the
   buffer, as names are short. */
static int error_distance(const char *a, const char *b) {
  enum { MOST = 40 };
  int rows[3][MOST + 1];
  int *before = rows[0], *last = rows[1], *row = rows[2];
  int n = (int)strlen(b);
  if (n > MOST || strlen(a) > MOST) return MOST;
  for (int j = 0; j <= n; j++) last[j] = before[j] = j;
  for (int i = 1; a[i - 1] != '\0'; i++) {
    row[0] = i;
    for (int j = 1; j <= n; j++) {
      int least = last[j - 1] + (a[i - 1] != b[j - 1]);
      if (last[j] + 1 < least) least = last[j] + 1;
      if (row[j - 1] + 1 < least) least = row[j - 1] + 1;
      bool swapped =
          i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped && before[j - 2] + 1 < least) least = before[j - 2] + 1;
      row[j] = least;
    }
    int *oldest = before;
    before = last;
    last = row;
    row = oldest;
  }
  return last[n];
}

/* Two letters or more in which they begin alike are likeness enough. */
static bool error_begins(const char *text, const char *start) {
  size_t n = strlen(start);
  return n >= 2 && strncmp(text, start, n) == 0;
}

const char *host_nearest(const char *name, const char *const known[]) {
  const char *nearest = known[0];
  int least = 1000;
  for (int i = 0; known[i] != NULL; i++) {
    int distance = error_distance(name, known[i]);
    if (distance > 1 && error_begins(known[i], name)) distance = 1;
    if (distance >= least) continue;
    least = distance;
    nearest = known[i];
  }
  return nearest;
}

bool host_unlike(const char *name, const char *known) {
  int most = (int)strlen(name) / 3;
  return error_distance(name, known) > (most > 1 ? most : 1) &&
         !error_begins(name, known) && !error_begins(known, name);
}

const char *host_suggest(lua_State *L, const char *name,
                         const char *const known[]) {
  const char *nearest = host_nearest(name, known);
  int n = 0;
  while (known[n] != NULL) n++;
  if (n == 1 || !host_unlike(name, nearest))
    return lua_pushfstring(L, "did you mean '%s'?", nearest);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addstring(&b, "there are ");
  for (int i = 0; i < n; i++) {
    if (i > 0) luaL_addstring(&b, i == n - 1 ? " and " : ", ");
    luaL_addstring(&b, known[i]);
  }
  luaL_pushresult(&b);
  return lua_tostring(L, -1);
}

const char *host_nearest_kind(const char *name, const char *const known[]) {
  char capitals[32];
  snprintf(capitals, sizeof capitals, "%s", name);
  for (char *c = capitals; *c != '\0'; c++)
    *c = (char)toupper((unsigned char)*c);
  return host_nearest(capitals, known);
}

void host_check_fields(lua_State *L, int i, const char *call,
                       const char *const known[]) {
  lua_pushnil(L);
  while (lua_next(L, i) != 0) {
    lua_pop(L, 1);
    const char *name =
        lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    int k = 0;
    while (name != NULL && known[k] != NULL && strcmp(known[k], name) != 0) k++;
    if (name != NULL && known[k] != NULL) continue;
    if (name == NULL)
      host_raise(L, "usage", "%s: options are named fields, got the key %s",
                 call, host_describe(L, -1));
    host_raise(L, "usage", "%s: there is no option '%s'; %s", call, name,
               host_suggest(L, name, known));
  }
}

/* -- the handler -- */

/* Runs where an error is raised that nobody in the coroutine catches: the
   traceback is taken here, while the stack still stands. The error's value
   stays as it is. */
int host_handler(lua_State *L) {
  if (host_kind(L, 1) == HOST_UNWIND) return 1;
  host_traceback(L, L);
  lua_setfield(L, LUA_REGISTRYINDEX, "md.traceback");
  return 1;
}

/* failure(kind, message) -> error value
   Makes an error value of the library's kind, with the place of the caller in
   its message, the time, the process and the traceback; error() raises it.
   Raises usage for what is no string.
     print(md.failure("closed", "the shop is closed").message) */
static int f_failure(lua_State *L) {
  host_skip_sim(L);
  for (int i = 1; i <= 2; i++)
    if (lua_type(L, i) != LUA_TSTRING)
      return host_raise(L, "usage",
                        "failure: expected a string as argument %d, got %s; "
                        "md.failure(\"closed\", \"the shop is closed\")",
                        i, host_describe(L, i));
  host_error_value(L, L, lua_tostring(L, 1), "%s", lua_tostring(L, 2));
  return 1;
}

/* "failed: " .. err: an error is written as its text. */
static int mt_error_concat(lua_State *L) {
  luaL_tolstring(L, 1, NULL);
  luaL_tolstring(L, 2, NULL);
  lua_concat(L, 2);
  return 1;
}

static int mt_error_tostring(lua_State *L) {
  lua_getfield(L, 1, "message");
  if (!lua_isstring(L, -1)) lua_pushliteral(L, "error");
  return 1;
}

void host_open_failure(lua_State *L) {
  lua_pushcfunction(L, f_failure);
  lua_setfield(L, -2, "failure");
}

void host_open_errors(lua_State *L) {
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, mt_error_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushcfunction(L, mt_error_concat);
  lua_setfield(L, -2, "__concat");
  lua_pushliteral(L, "error");
  lua_setfield(L, -2, "__name");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &error_meta);
}
