#include "host/outside.h"
#include "host/plain.h"

#include <stdlib.h>

/* Keeps the n values from `first` on. */
static void outside_keep(lua_State *L, int first, int n, bool failed) {
  md_host *h = host_of(L);
  char why[256], *text = NULL;
  size_t size = 0;
  FILE *file = open_memstream(&text, &size);
  if (file == NULL) abort();
  bool good = host_plain_put(L, first, n, "result", file, why);
  fclose(file);
  if (good)
    h->out.journal->keep(h->out.journal, h, (md_note){text, size}, failed);
  free(text);
  if (!good)
    host_raise(L, "usage",
               "use: %s, and only plain data goes into a journal: numbers, "
               "strings, booleans, tables of these",
               why);
}

/* The function has returned, or failed. */
static int outside_called(lua_State *L, int status, lua_KContext before) {
  bool failed = status != LUA_OK && status != LUA_YIELD;
  if (failed && host_passes(L, (uint64_t)before)) return lua_error(L);
  if (failed) host_caught(L, status);
  int n = failed ? 1 : lua_gettop(L);
  outside_keep(L, lua_gettop(L) - n + 1, n, failed);
  return failed ? lua_error(L) : n;
}

static int outside_returned(lua_State *L, int status, lua_KContext ctx) {
  (void)status, (void)ctx;
  return lua_gettop(L);
}

/* external(fn, ...) -> what fn returns: calls fn, a side effect; with a journal
   it is kept there, and answered from there in a replay. */
int host_f_external(lua_State *L) {
  md_host *h = host_of(L);
  host_journal *journal = h->out.journal;
  md_note bytes;
  bool failed;
  int n = lua_gettop(L) - 1;
  if (journal == NULL) {
    lua_callk(L, n, LUA_MULTRET, 0, outside_returned);
    return lua_gettop(L);
  }
  if (!journal->answer(journal, h, &bytes, &failed)) {
    lua_KContext before = (lua_KContext)host_unwinding(h);
    int status = lua_pcallk(L, n, LUA_MULTRET, 0, before, outside_called);
    return outside_called(L, status, before);
  }
  lua_settop(L, 0);
  n = host_plain_get(L, bytes);
  if (n < 0)
    return host_raise(L, "journal", "use: the journal's record is damaged");
  return failed ? lua_error(L) : n;
}

void host_journal_text(lua_State *L, bool anew) {
  md_host *h = host_of(L);
  md_note now;
  size_t size;
  if (h->out.journal == NULL) return;
  now.text = lua_tolstring(L, -1, &now.size);
  const char *then = h->out.journal->text(h->out.journal, h, now, anew, &size);
  if (then == NULL) return;
  lua_pushlstring(L, then, size);
  lua_replace(L, -2);
}

bool host_journal_reload(lua_State *L) {
  md_host *h = host_of(L);
  host_journal *journal = h->out.journal;
  size_t size;
  if (journal == NULL || !journal->replays) return false;
  const char *then = journal->text(journal, h, (md_note){NULL, 0}, true, &size);
  if (then != NULL) lua_pushlstring(L, then, size);
  return then != NULL;
}
