/* A line of the prompt: Lua that runs between two events, on a coroutine of its
   own. It cannot wait, as it is no process; running the sim lets time pass. */
#include "host/loop.h"
#include "host/state.h"

#include <string.h>

static const char line_environment; /* its address is the key */

/* __index(_, name): a global, or one of md's functions. */
static int line_index(lua_State *L) {
  lua_settop(L, 2);
  lua_pushglobaltable(L);
  lua_pushvalue(L, 2);
  lua_gettable(L, -2);
  if (!lua_isnil(L, -1)) return 1;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, "moondial");
  if (strcmp(luaL_checkstring(L, 2), "md") == 0) return 1;
  lua_pushvalue(L, 2);
  lua_gettable(L, -2);
  return 1;
}

static int line_newindex(lua_State *L) {
  lua_pushglobaltable(L);
  lua_insert(L, 2);
  lua_settable(L, 2);
  return 0;
}

void host_push_environment(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &line_environment) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "moondial");
  lua_call(L, 1, 0);
  lua_newtable(L);
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, line_index);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, line_newindex);
  lua_setfield(L, -2, "__newindex");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &line_environment);
}

int host_load_line(lua_State *L, const char *text, size_t size) {
  lua_pushliteral(L, "return ");
  lua_pushlstring(L, text, size);
  lua_concat(L, 2);
  size_t n;
  const char *expression = lua_tolstring(L, -1, &n);
  int status = luaL_loadbufferx(L, expression, n, "=prompt", "t");
  if (status != LUA_OK) {
    lua_pop(L, 1);
    status = luaL_loadbufferx(L, text, size, "=prompt", "t");
  }
  lua_remove(L, -2);
  return status;
}

/* In a copy that only looks, it is called on the main state. */
bool host_at_prompt(lua_State *L) {
  const md_host *h = host_of(L);
  return h->process == 0 && (h->out.copy ? L == h->L : h->prompting);
}

typedef struct line_text {
  const char *text;
  size_t size;
} line_text;

/* Puts the line on its coroutine. */
static int line_load(lua_State *L) {
  md_host *h = host_of(L);
  const line_text *line = lua_touserdata(L, 1);
  if (h->line == NULL || lua_status(h->line) != LUA_OK) {
    h->line = lua_newthread(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "md.line");
    host_own(h->line, true);
  }
  lua_settop(h->line, 0);
  if (host_load_line(L, line->text, line->size) != LUA_OK) return lua_error(L);
  host_push_environment(L);
  if (lua_setupvalue(L, -2, 1) == NULL) lua_pop(L, 1);
  lua_xmove(L, h->line, 1);
  return 0;
}

/* The line has called md.run: on the sim whose run stands still, that goes on,
   no further than the line wants. */
static void line_reach(md_host *h, host_sim *s, host_pause *pause) {
  host_pause_reached(h, s, pause);
  pause->time = INT64_MAX;
  pause->events = UINT64_MAX;
  h->out.halt = true;
}

void host_pause_reached(md_host *h, host_sim *s, const host_pause *pause) {
  md_time next;
  if (s != h->first || pause->time == INT64_MAX ||
      md_sim_now(s->kernel) >= pause->time)
    return;
  if (!md_sim_peek(s->kernel, &next) || next > pause->time)
    md_sim_forward(s->kernel, pause->time);
}

static void line_run(md_host *h) {
  host_sim *s = h->line_sim;
  host_limits limits = h->line_limits;
  h->line_sim = NULL;
  if (!s->running) {
    host_run_nested(h, s, &limits);
    return;
  }
  uint64_t done = md_sim_events(s->kernel);
  host_pause pause = {.time = limits.to >= 0 ? limits.to : INT64_MAX,
                      .events = limits.events < UINT64_MAX - done
                                    ? done + limits.events
                                    : UINT64_MAX,
                      .reach = line_reach,
                      .next = h->out.pauses,
                      .stops = true};
  h->out.pauses = &pause;
  s->outcome = limits.to >= 0 ? "time" : "events"; /* unless it ends */
  h->line_waits = true;
  if (host_drive(h) != LUA_OK) lua_pop(h->L, 1);
  h->line_waits = false;
  h->out.pauses = pause.next;
}

/* Kilobytes that lines may allocate, besides as many as there are, before the
   collector goes on: it may be behind by all that stacks have grown in a run,
   and would take longer for that than all else that a line does. They are paid
   back when a run goes on. */
enum { LINE_CREDIT = 4 << 10 };

static void line_lend(md_host *h) {
  if (h->line_credit > 0) return;
  h->line_credit = lua_gc(h->L, LUA_GCCOUNT) + LINE_CREDIT;
  lua_gc(h->L, LUA_GCSTEP, -h->line_credit);
}

void host_line_settle(md_host *h) {
  int credit = h->line_credit;
  h->line_credit = 0;
  if (credit > 0) lua_gc(h->callbacks, LUA_GCSTEP, credit);
}

/* Ctrl-C: the line is not gone on with. */
static int line_break(md_host *h) {
  h->wish.kind = HOST_NO_WISH;
  h->line = NULL;
  lua_pushliteral(h->L, "interrupted by Ctrl-C");
  return LUA_ERRRUN;
}

int host_line(md_host *h, const char *text, size_t size, bool *gone) {
  line_text line = {text, size};
  int results;
  line_lend(h);
  *gone = false;
  lua_pushcfunction(h->L, line_load);
  lua_pushlightuserdata(h->L, &line);
  int status = lua_pcall(h->L, 1, 0, 0);
  if (status != LUA_OK) return status;
  for (;;) {
    h->prompting = true;
    status = host_resume(h, h->line, h->L, 0, &results);
    h->prompting = false;
    if (status != LUA_YIELD) break;
    lua_pop(h->line, results);
    if (h->wish.kind == HOST_BREAK) return line_break(h);
    h->out.broken = false;
    if (h->line_sim != NULL) line_run(h);
    else if (h->wish.kind) host_grant(h);
    h->out.halt = false;
    if (h->out.broken) return line_break(h);
    *gone = h->line == NULL || lua_status(h->line) != LUA_YIELD;
    if (*gone) return LUA_OK;
  }
  if (status != LUA_OK) lua_xmove(h->line, h->L, 1);
  return status;
}
