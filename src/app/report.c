#include "app/app.h"
#include "host/cproc.h"

#include <inttypes.h>
#include <string.h>

enum { REPORT_LINES = 20 };

/* -- waiting -- */

static int report_waiting(lua_State *L) {
  host_sim *s = lua_touserdata(L, 1);
  const char *heading = lua_tostring(L, 2);
  char label[64], where[CPROC_WHERE + 4];
  int shown = 0, more = 0;
  for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;) {
    if (md_sim_proc(s->kernel, p)->state != MD_WAITING) continue;
    if (++shown > REPORT_LINES) {
      more++;
      continue;
    }
    if (shown == 1) fputs(heading, stderr);
    host_waiting(L, s, p);
    if (cproc_of(s, p) != NULL) {
      cproc_where(s, cproc_of(s, p), where);
      snprintf(where + strlen(where), 3, ": ");
    } else {
      host_where(host_leaf(s, p), where, sizeof where);
    }
    fprintf(stderr, "  %s%s waits for %s\n", where, host_label(s, p, label),
            lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  if (more > 0) fprintf(stderr, "  ... and %d more\n", more);
  return 0;
}

/* The cycle of those who wait for each other, if there is one. */
static int report_deadlock(lua_State *L) {
  host_sim *s = lua_touserdata(L, 1);
  char label[64];
  int shown = 0;
  uint32_t first = host_deadlock(L, s), p = first;
  if (first == 0) return 0;
  fputs("deadlock: each of these waits for the next, the last for the first:\n",
        stderr);
  do {
    if (++shown <= REPORT_LINES) {
      host_waiting(L, s, p);
      fprintf(stderr, "  %s waits for %s\n", host_label(s, p, label),
              lua_tostring(L, -1));
      lua_pop(L, 1);
    }
    p = host_deadlock_next(s, p);
  } while (p != first);
  if (shown > REPORT_LINES)
    fprintf(stderr, "  ... and %d more\n", shown - REPORT_LINES);
  return 0;
}

/* The list of who waits, if anybody does, under the heading. */
static void report_list(md_host *h, host_sim *s, const char *heading) {
  lua_pushcfunction(h->L, report_waiting);
  lua_pushlightuserdata(h->L, s);
  lua_pushstring(h->L, heading);
  if (lua_pcall(h->L, 2, 0, 0) != LUA_OK) lua_pop(h->L, 1);
}

void app_report_waiting(md_host *h, host_sim *s) {
  char now[40];
  md_time_text(md_sim_scale(s->kernel), md_sim_now(s->kernel), now, sizeof now);
  uint32_t n = md_sim_live(s->kernel);
  fflush(stdout);
  fprintf(stderr,
          "moondial: idle at %s: nothing is scheduled, and %u process%s\n", now,
          n, n == 1 ? " waits:" : "es wait:");
  report_list(h, s, "");
  lua_pushcfunction(h->L, report_deadlock);
  lua_pushlightuserdata(h->L, s);
  if (lua_pcall(h->L, 1, 0, 0) != LUA_OK) lua_pop(h->L, 1);
}

/* -- errors -- */

/* Pushes the traceback of the error at 1: its own if it is one of ours, else
   that of the process in which it was raised, or of the script. */
static void report_trace(lua_State *L, bool process) {
  if (lua_istable(L, 1) && luaL_getmetafield(L, 1, "__name") != LUA_TNIL) {
    lua_pushliteral(L, "traceback");
    lua_rawget(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING) return;
  }
  if (process) lua_getfield(L, LUA_REGISTRYINDEX, "md.traceback");
  else host_traceback(L, host_of(L)->script);
}

/* Leaves traceback and text of the error at 1, as strings; nothing here may
   fail but for want of memory. */
static int report_texts(lua_State *L) {
  md_host *h = host_of(L);
  lua_settop(L, 1);
  lua_getfield(L, LUA_REGISTRYINDEX, "md.error");
  bool process = h->failed_at[0] != '\0' && lua_rawequal(L, 1, 2);
  if (!process) h->failed_at[0] = '\0';
  report_trace(L, process);
  if (lua_type(L, 1) == LUA_TSTRING) {
    lua_pushvalue(L, 1);
  } else if (luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL) {
    lua_pop(L, 1);
    luaL_tolstring(L, 1, NULL);
  } else if (lua_isnil(L, 1)) {
    lua_pushliteral(L, "the error's value is nil");
  } else {
    lua_pushfstring(L, "the error's value is a %s without a text",
                    luaL_typename(L, 1));
  }
  return 2;
}

/* An error's own __tostring has failed, or there is no memory. */
static int report_poor(lua_State *L) {
  if (host_of(L)->failed_at[0] == '\0') lua_pushliteral(L, "");
  else lua_getfield(L, LUA_REGISTRYINDEX, "md.traceback");
  if (lua_type(L, 1) == LUA_TSTRING) lua_pushvalue(L, 1);
  else
    lua_pushfstring(L, "the error's value is a %s whose __tostring fails",
                    luaL_typename(L, 1));
  return 2;
}

static const char *report_kind(lua_State *L, int i) {
  if (!lua_istable(L, i)) return "";
  lua_pushliteral(L, "kind");
  lua_rawget(L, i);
  const char *kind = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  lua_pop(L, 1); /* the error holds it */
  return kind;
}

static void report_print(md_host *h, const char *text, const char *trace) {
  fflush(stdout);
  char hint[160];
  fprintf(stderr, "moondial: %s\n", text);
  if (app_hint(text, hint, sizeof hint)) fprintf(stderr, "  %s\n", hint);
  if (h->failed_at[0] != '\0')
    fprintf(stderr, "  in %s at time %s\n",
            h->failed_in[0] ? h->failed_in : "a callback", h->failed_at);
  if (strchr(trace, '\n') != NULL) fprintf(stderr, "%s\n", trace);
}

int app_report_error(md_host *h, const app_options *o) {
  lua_State *L = h->L;
  int value = lua_gettop(L);
  bool interrupted =
      h->aborting && strcmp(report_kind(L, value), "interrupt") == 0;
  lua_pushcfunction(L, report_texts);
  lua_pushvalue(L, value);
  if (lua_pcall(L, 1, 2, 0) != LUA_OK) {
    lua_settop(L, value);
    lua_pushcfunction(L, report_poor);
    lua_pushvalue(L, value);
    if (lua_pcall(L, 1, 2, 0) != LUA_OK) lua_pushliteral(L, "out of memory");
  }
  const char *text = lua_tostring(L, -1);
  const char *trace = lua_tostring(L, -2);
  if (strcmp(text, "not enough memory") == 0)
    text = "out of memory: the model needs more than it may have; raise the "
           "limit with --memory, or let the model keep less";
  int status = interrupted ? APP_INTERRUPTED : APP_FAILED;
  if (o->json) {
    app_report_json(h, "error", status, text);
    return status;
  }
  report_print(h, text, trace ? trace : "");
  if (interrupted && h->first != NULL)
    report_list(h, h->first, "what waits for what:\n");
  return status;
}

/* -- JSON -- */

static void report_json_text(const char *text) {
  fputc('"', stderr);
  for (; *text != '\0'; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') fprintf(stderr, "\\%c", c);
    else if (c < 0x20) fprintf(stderr, "\\u%04x", c);
    else fputc(c, stderr);
  }
  fputc('"', stderr);
}

void app_report_json(md_host *h, const char *outcome, int status,
                     const char *error) {
  const host_sim *s = h->first;
  fflush(stdout);
  fprintf(stderr, "{\"status\":%d,\"outcome\":", status);
  if (outcome == NULL) fputs("null", stderr);
  else report_json_text(outcome);
  if (s != NULL) {
    char now[40];
    md_time_text(md_sim_scale(s->kernel), md_sim_now(s->kernel), now,
                 sizeof now);
    fprintf(stderr,
            ",\"time\":%s,\"events\":%" PRIu64 ",\"hash\":\"%016" PRIx64 "\"",
            now, md_sim_events(s->kernel), md_sim_hash(s->kernel));
  }
  if (error != NULL) {
    fputs(",\"error\":", stderr);
    report_json_text(error);
    if (h->failed_in[0] != '\0') {
      fputs(",\"process\":", stderr);
      size_t n = strlen(h->failed_in);
      bool quoted = h->failed_in[0] == '\'';
      if (quoted) h->failed_in[n - 1] = '\0';
      report_json_text(h->failed_in + quoted);
    }
  }
  fputs("}\n", stderr);
}
