#include "app/label.h"
#include "app/names.h"
#include "base/text.h"
#include "host/cproc.h"
#include "host/clauses.h"

#include <inttypes.h>
#include <string.h>

/* Appends one character; without room for it and what may follow, dots. */
static void label_put(app_label *label, const char *text, size_t n) {
  static const char dots[] = "...";
  if (label->full) return;
  if (label->length + n + sizeof dots > sizeof label->text) {
    label->full = true;
    text = dots;
    n = sizeof dots - 1;
  }
  memcpy(label->text + label->length, text, n);
  label->length += n;
  label->text[label->length] = '\0';
}

void label_add(app_label *label, const char *text, size_t n) {
  while (n > 0) {
    size_t length = md_text_character(text, n);
    unsigned char c = (unsigned char)*text;
    if (length == 0) label_put(label, "?", 1);
    else if (c < 0x20 || c == 0x7f) label_put(label, " ", 1);
    else label_put(label, text, length);
    if (length == 0) length = 1;
    text += length;
    n -= length;
  }
}

static void label_words(app_label *label, const char *text) {
  label_add(label, text, strlen(text));
}

static void label_string(app_label *label, const char *text, size_t n) {
  size_t shown = 0, length = 1;
  while (shown < n && length > 0) {
    length = md_text_character(text + shown, n - shown);
    if (shown + length > LABEL_STRING) break;
    shown += length > 0 ? length : 1;
    if (length == 0) length = 1;
  }
  label_add(label, text, shown);
  if (shown < n) label_words(label, "...");
}

static void label_number(app_label *label, lua_State *L, int i) {
  char text[40];
  if (lua_isinteger(L, i)) {
    snprintf(text, sizeof text, "%" PRId64, (int64_t)lua_tointeger(L, i));
  } else {
    lua_Number x = lua_tonumber(L, i);
    snprintf(text, sizeof text, "%.14g", x);
    if (x != x) strcpy(text, "nan"); /* -nan on some machines */
    else if (text[strspn(text, "-0123456789")] == '\0') strcat(text, ".0");
  }
  label_words(label, text);
}

static void label_pid(app_label *label, const host_sim *s, const void *light) {
  char text[64];
  uint32_t p = host_pid_index(s, light);
  if (p != 0) label_words(label, host_name(s, p, text));
  else label_words(label, app_pid_text(host_pid_bits(light), text));
}

static void label_value(app_label *label, lua_State *L, const host_sim *s,
                        int i) {
  size_t n;
  switch (lua_type(L, i)) {
  case LUA_TSTRING: {
    const char *text = lua_tolstring(L, i, &n);
    label_string(label, text, n);
    break;
  }
  case LUA_TNUMBER:
    label_number(label, L, i);
    break;
  case LUA_TBOOLEAN:
    label_words(label, lua_toboolean(L, i) ? "true" : "false");
    break;
  case LUA_TLIGHTUSERDATA:
    if (host_kind(L, i) == HOST_PID) label_pid(label, s, lua_touserdata(L, i));
    else label_words(label, host_kind(L, i) == HOST_REF ? "a reply" : "_");
    break;
  default: {
    const char *name = host_record_name(L, i);
    label_words(label, name ? name : luaL_typename(L, i));
  }
  }
}

/* True when the value at i is left out: a ref, or a pid before a ref. */
static bool label_silent(lua_State *L, int i, int last) {
  if (host_kind(L, i) == HOST_REF) return true;
  return host_kind(L, i) == HOST_PID && i < last &&
         host_kind(L, i + 1) == HOST_REF;
}

void label_message(app_label *label, lua_State *L, const host_sim *s, int first,
                   int n) {
  int last = first + n - 1, shown = 0;
  for (int i = first; i <= last && !label->full; i++) {
    if (label_silent(L, i, last)) continue;
    if (shown++ > 0) label_words(label, ", ");
    label_value(label, L, s, i);
  }
  if (shown == 0) label_words(label, n > 0 ? "a reply" : "nothing");
}

/* The patterns lie on the stack of the coroutine that waits, see message.c. */
static void label_patterns(app_label *label, const host_sim *s, uint32_t p) {
  if (cproc_of(s, p) != NULL) {
    label_words(label, "a message");
    return;
  }
  lua_State *leaf = host_leaf(s, p);
  int n = lua_gettop(leaf);
  if (n == 0) label_words(label, "any message");
  else if (lua_type(leaf, 1) == LUA_TUSERDATA && clauses_at(leaf, 1))
    label_words(label, "one of its clauses");
  for (int i = 1; i <= n && lua_type(leaf, 1) != LUA_TUSERDATA; i++) {
    if (i > 1) label_words(label, ", ");
    label_value(label, leaf, s, i);
  }
}

static void label_process(app_label *label, const char *words,
                          const host_sim *s, uint32_t p) {
  char text[64];
  label_words(label, words);
  label_words(label, host_name(s, p, text));
}

void label_wait(app_label *label, const host_sim *s, uint32_t p) {
  const md_proc *proc = md_sim_proc(s->kernel, p);
  if (proc->state == MD_SLEEPING) label_words(label, "sleeps");
  if (proc->state != MD_WAITING) return;
  switch ((md_wait)proc->wait) {
  case MD_WAIT_JOIN:
    label_process(label, "waits for the end of ", s, proc->target);
    break;
  case MD_WAIT_REPLY:
    label_process(label, "waits for a reply from ", s, proc->target);
    break;
  case MD_WAIT_ROOM: {
    const md_mails *mails = md_sim_mails(s->kernel);
    label_process(label, "waits for room at ", s,
                  mails->envelopes[proc->target].mail.to);
    break;
  }
  default:
    label_words(label, "waits for ");
    label_patterns(label, s, p);
  }
}
