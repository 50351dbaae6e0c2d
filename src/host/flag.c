/* Flags: true or false, and each change wakes all who wait for it. */
#include "host/loop.h"
#include "host/modules.h"
#include "host/place.h"

enum { FLAG_CHANGE, FLAG_IS }; /* its lines */

typedef struct flag {
  thing of;
  bool value;
} flag;

static void flag_nothing(lua_State *L, thing *t, place *pl) {
  (void)L, (void)t, (void)pl;
}

static bool flag_take(lua_State *L, thing *t, place *pl) {
  (void)L;
  bool value = ((const flag *)t)->value;
  if (pl->line == FLAG_CHANGE || pl->words[0] != value) return false;
  pl->words[1] = value;
  return true;
}

static int flag_push(lua_State *L, thing *t, place *pl) {
  (void)t;
  lua_pushboolean(L, (int)pl->words[1]);
  return 1;
}

static void flag_describe(lua_State *L, const thing *t, const place *pl) {
  (void)t;
  lua_pushstring(L, pl->line == FLAG_CHANGE ? "a change of a flag"
                    : pl->words[0]          ? "a flag to be set"
                                            : "a flag to be clear");
}

/* Its changes serve those who wait, see flag_grant. */
static bool flag_ready(const thing *t, int line) {
  (void)t, (void)line;
  return false;
}

static void flag_field(lua_State *L, const thing *t, int i) {
  (void)i;
  lua_pushboolean(L, ((const flag *)t)->value);
}

static int m_flag_set(lua_State *L);
static int m_flag_clear(lua_State *L);
static int m_flag_toggle(lua_State *L);
static int m_flag_is(lua_State *L);

static const luaL_Reg flag_methods[] = {{"set", m_flag_set},
                                        {"clear", m_flag_clear},
                                        {"toggle", m_flag_toggle},
                                        {"is", m_flag_is},
                                        {NULL, NULL}};
static const char *const flag_fields[] = {"value", NULL};

static const char *const flag_advice[] = {
    "wait", "md.await(flag:is(true)) waits until it is set", NULL};

static const thing_class flag_class = {.advice = flag_advice,
                                       .name = "md.flag",
                                       .take = flag_take,
                                       .give_back = flag_nothing,
                                       .push = flag_push,
                                       .ready = flag_ready,
                                       .passes = true,
                                       .describe = flag_describe,
                                       .methods = flag_methods,
                                       .fields = flag_fields,
                                       .field = flag_field};

/* Who waits for this change goes on, whatever the flag is then. */
static void flag_grant(lua_State *L, flag *it, int line) {
  host_sim *s = it->of.sim;
  uint32_t e = it->of.lines[line].first;
  while (e != 0) {
    place *pl = place_at(s, e);
    bool wanted = line == FLAG_CHANGE || pl->words[0] == it->value;
    pl->words[1] = it->value;
    if (wanted) place_grant(L, s, e);
    /* others may have left their places with it: from the start */
    e = wanted ? it->of.lines[line].first : pl->next;
  }
}

/* A flag is true or false, and nothing else is taken for it: 0 and "false"
   would be true. */
static bool flag_value(lua_State *L, int i, bool otherwise, const char *call) {
  if (lua_isnoneornil(L, i)) return otherwise;
  if (!lua_isboolean(L, i))
    host_raise(L, "usage", "%s: expected true or false, got %s", call,
               host_describe(L, i));
  return lua_toboolean(L, i);
}

static int flag_turn(lua_State *L, flag *it, bool value, const char *call) {
  host_no_guard(L, call);
  if (it->value != value) {
    it->value = value;
    flag_grant(L, it, FLAG_CHANGE);
    flag_grant(L, it, FLAG_IS);
  }
  lua_settop(L, 1);
  return 1;
}

/* flag:set([value]) -> the flag
   Makes the flag true, or the value, a boolean. If that is a change, all who
   await the flag or this value of it go on, even when it is undone at once.
     local open = md.flag(); open:set() */
static int m_flag_set(lua_State *L) {
  flag *it = (flag *)thing_arg(L, 1, &flag_class, "set");
  return flag_turn(L, it, flag_value(L, 2, true, "set"), "set");
}

/* flag:clear() -> the flag
   Makes the flag false; see set.
     local open = md.flag(true); open:clear() */
static int m_flag_clear(lua_State *L) {
  return flag_turn(L, (flag *)thing_arg(L, 1, &flag_class, "clear"), false,
                   "clear");
}

/* flag:toggle() -> the flag
   Makes a true flag false and a false one true; see set.
     local open = md.flag(); open:toggle() */
static int m_flag_toggle(lua_State *L) {
  flag *it = (flag *)thing_arg(L, 1, &flag_class, "toggle");
  return flag_turn(L, it, !it->value, "toggle");
}

/* flag:is([value]) -> something to await
   Over when the flag is true, or has the value, a boolean: at once if it is so
   already. Who waits sees a change to it even if it is undone in the same
   instant. Awaiting it gives the value.
     local open = md.flag(true)
     md.spawn(function() print(md.await(open:is(true))) end) */
static int m_flag_is(lua_State *L) {
  request r = {.of = thing_arg(L, 1, &flag_class, "is"), .line = FLAG_IS};
  r.words[0] = flag_value(L, 2, true, "is");
  return request_push(L, &r);
}

/* flag([value]) -> flag
   Something that is true or false, false at first or as said, and changes:
   flag:set(), :clear(), :toggle(). Awaiting it gives the next change's value;
   flag:is(value) is to be awaited until it is so. Field: value.
     local open = md.flag(); md.after(1, function() open:set() end) */
static int f_flag(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  bool value = flag_value(L, 1, false, "flag");
  flag *it = (flag *)thing_new(L, s, &flag_class, sizeof *it, 1);
  it->value = value;
  luaL_setmetatable(L, flag_class.name);
  return 1;
}

void host_open_flags(lua_State *L) {
  static const luaL_Reg functions[] = {{"flag", f_flag}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  thing_metatable(L, &flag_class, NULL, true);
}
