#include "host/inside.h"
#include "host/message.h"
#include "host/turn.h"

/* Their addresses are keys in the registry: of the recorder; of the families,
   by number, which are forgotten with their processes. */
static const char recorder_key, recorder_families;

/* -- who is recorded -- */

uint64_t host_recorded(const host_sim *s, uint32_t p) {
  const md_proc_extra *extra = p ? md_sim_extra(s->kernel, p) : NULL;
  return extra ? extra->words[HOST_RECORDED] : 0;
}

static host_family *recorder_family(uint64_t word) {
  return (host_family *)(uintptr_t)(word & ~(uint64_t)HOST_MARKS);
}

host_family *host_family_of(const host_sim *s, uint32_t p) {
  return recorder_family(host_recorded(s, p));
}

host_family *host_family_numbered(lua_State *L, uint64_t id) {
  if (id == 0 || !lua_checkstack(L, 2)) return NULL;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &recorder_families);
  lua_rawgeti(L, -1, (lua_Integer)id);
  host_family *family = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return family;
}

bool host_stands(const host_sim *s, uint32_t p) {
  return host_recorded(s, p) & HOST_STANDS;
}

/* Who acts: the process that runs, or the one whose callback runs, which may
   have ended. 0: it is not recorded. */
static md_pid recorder_actor(const host_sim *s, uint64_t *family) {
  const md_host *h = s->host;
  *family = h->acting_family;
  if (h->sim != s) return 0;
  if (h->process == 0) return h->acting;
  uint64_t word = host_recorded(s, h->process);
  if (word == 0 || word & HOST_USES) return 0;
  *family = recorder_family(word)->id;
  return md_sim_pid(s->kernel, h->process);
}

/* -- telling -- */

/* Tells of the process that is called pid, with the n values on the top; the
   answer is left there. [-n, +1, e] */
static void recorder_tell(lua_State *L, host_sim *s, md_pid pid,
                          const char *kind, int n) {
  int base = lua_gettop(L) - n;
  luaL_checkstack(L, 6, "too many values");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &recorder_key);
  host_push_name(L, s, pid);
  host_push_time(L, s, md_sim_now(s->kernel));
  lua_pushstring(L, kind);
  lua_rotate(L, base + 1, 4);
  lua_call(L, n + 3, 1);
}

/* -- the log ---------------------------------------------------------------

   What happens often is kept for pull and not told: kind, time, turns, whose,
   pid, the number of values and these, one behind the other in a list, which is
   the user value of the family. Other signals lie among them as tables. */

static bool recorder_often(const char *kind) {
  switch (kind[0]) {
  case 'S':
    return kind[1] == 'E'; /* SEND */
  case 'R':
    return kind[2] == 'C'; /* RECEIVE */
  default:
    return kind[0] == 'A' && kind[1] == 'R'; /* ARRIVE */
  }
}

/* A table may change later: it has to be copied. */
static bool recorder_tables(lua_State *L, int first, int n) {
  for (int i = first; i < first + n; i++)
    if (lua_type(L, i) == LUA_TTABLE) return true;
  return false;
}

/* Pushes the log of a family. [-0, +1, -] */
static void recorder_push_log(lua_State *L, const host_family *family) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &recorder_families);
  lua_rawgeti(L, -1, (lua_Integer)family->id);
  lua_getiuservalue(L, -1, 1);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

static void recorder_put(lua_State *L, int log, host_family *family) {
  if (lua_isnil(L, -1)) { /* a list has none */
    lua_pop(L, 1);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&recorder_key);
  }
  lua_rawseti(L, log, (lua_Integer)++family->kept);
}

/* Keeps the `extra` values on the top and n from `first` on, if it can be done;
   nothing is popped. [-0, +0, m] */
static bool recorder_keep(lua_State *L, host_sim *s, md_pid pid,
                          const char *kind, int extra, int first, int n) {
  host_family *family = host_family_of(s, md_sim_index(s->kernel, pid));
  int top = lua_gettop(L);
  if (family == NULL || family->loud || !recorder_often(kind)) return false;
  if (recorder_tables(L, first, n)) return false;
  luaL_checkstack(L, 6, NULL);
  recorder_push_log(L, family);
  lua_pushstring(L, kind);
  recorder_put(L, top + 1, family);
  host_push_time(L, s, md_sim_now(s->kernel));
  recorder_put(L, top + 1, family);
  lua_pushinteger(L, (lua_Integer)family->turns);
  recorder_put(L, top + 1, family);
  turn_push_since(L, s, family, host_pid_light(s, pid));
  recorder_put(L, top + 1, family);
  host_push_name(L, s, pid);
  recorder_put(L, top + 1, family);
  lua_pushinteger(L, extra + n);
  recorder_put(L, top + 1, family);
  for (int i = 0; i < extra + n; i++) {
    lua_pushvalue(L, i < extra ? top - extra + 1 + i : first + i - extra);
    recorder_put(L, top + 1, family);
  }
  lua_settop(L, top);
  return true;
}

/* Tells with copies of n values above those that are on the top; the answer is
   a yes or a no. [-extra, +0, e] */
static bool recorder_ask(lua_State *L, host_sim *s, md_pid pid,
                         const char *kind, int extra, int first, int n) {
  if (recorder_keep(L, s, pid, kind, extra, first, n)) {
    lua_pop(L, extra);
    return false;
  }
  luaL_checkstack(L, n + 6, "too many values");
  for (int i = 0; i < n; i++) lua_pushvalue(L, first + i);
  recorder_tell(L, s, pid, kind, extra + n);
  bool yes = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return yes;
}

void host_record_values(lua_State *L, host_sim *s, uint32_t p, const char *kind,
                        int first, int n) {
  if (host_family_of(s, p) == NULL) return;
  recorder_ask(L, s, md_sim_pid(s->kernel, p), kind, 0, first, n);
}

void host_record_mail(lua_State *L, host_sim *s, uint32_t p, const char *kind,
                      const md_mail *mail) {
  int top = lua_gettop(L), n = (int)mail->count;
  if (host_family_of(s, p) == NULL) return;
  host_fetch(L, s, mail->slot, n);
  host_record_values(L, s, p, kind, top + 1, n);
  lua_settop(L, top);
}

void host_record_leaf(lua_State *L, host_sim *s, uint32_t p, const char *kind,
                      lua_State *leaf) {
  int top = lua_gettop(L), n = lua_gettop(leaf);
  if (host_family_of(s, p) == NULL) return;
  luaL_checkstack(L, n, NULL);
  for (int i = 1; i <= n; i++) {
    lua_pushvalue(leaf, i);
    lua_xmove(leaf, L, 1);
  }
  host_record_values(L, s, p, kind, top + 1, n);
  lua_settop(L, top);
}

bool host_record_own(lua_State *L, host_sim *s, const char *kind, int first,
                     int n) {
  uint64_t family;
  md_pid own = recorder_actor(s, &family);
  return own != 0 && recorder_ask(L, s, own, kind, 0, first, n);
}

/* -- processes -- */

void host_record_start(lua_State *L, host_sim *s, uint32_t p) {
  int n = lua_gettop(L) - 1; /* the handler is at 1, the function at 2 */
  if (host_family_of(s, p) == NULL) return;
  luaL_checkstack(L, n + 6, "too many values");
  for (int i = 2; i <= n + 1; i++) lua_pushvalue(L, i);
  recorder_tell(L, s, md_sim_pid(s->kernel, p), "START", n);
  if (lua_isfunction(L, -1)) lua_replace(L, 2);
  else lua_pop(L, 1);
}

/* The answer is the family that it belongs to. */
void host_record_spawn(lua_State *L, host_sim *s, uint32_t p, bool forward) {
  uint64_t family;
  md_pid parent = recorder_actor(s, &family);
  if (parent == 0) return;
  if (md_sim_make_extra(s->kernel, p) == NULL) host_no_memory(L);
  host_push_pid(L, s, p);
  if (forward) lua_pushboolean(L, 1);
  else lua_pushnil(L);
  recorder_tell(L, s, parent, "SPAWN", 2);
  md_sim_extra(s->kernel, p)->words[HOST_RECORDED] =
      (uint64_t)(uintptr_t)lua_touserdata(L, -1);
  lua_pop(L, 1);
}

md_pid host_record_callback(lua_State *L, host_sim *s, md_time at,
                            uint64_t *family) {
  md_pid own = recorder_actor(s, family);
  if (own == 0) return 0;
  host_push_time(L, s, at);
  recorder_ask(L, s, own, "CALL", 1, 0, 0);
  return own;
}

/* Whom it is by, as far as it is known: nobody when it came from md.use. */
static void recorder_push_by(lua_State *L, const host_sim *s, uint32_t by) {
  const md_host *h = s->host;
  bool callback = h->sim == s && h->process == 0 && h->acting != 0;
  if (by == 0 && callback) host_push_name(L, s, h->acting);
  else if (by == 0 || host_recorded(s, by) & HOST_USES) lua_pushnil(L);
  else host_push_pid(L, s, by);
}

void host_record_blow(lua_State *L, host_sim *s, uint32_t by, uint32_t p,
                      const char *kind, int reason) {
  if (host_family_of(s, p) == NULL) return;
  lua_pushvalue(L, reason);
  recorder_push_by(L, s, by);
  recorder_ask(L, s, md_sim_pid(s->kernel, p), kind, 2, 0, 0);
}

void host_record_reach(lua_State *L, host_sim *s, int i, const char *call) {
  uint64_t family;
  md_pid own = recorder_actor(s, &family);
  if (own == 0) return;
  lua_pushvalue(L, i);
  lua_pushstring(L, call);
  if (!recorder_ask(L, s, own, "REACH", 2, 0, 0)) return;
  host_raise(L, "journal",
             "%s: %s is outside of what is replayed, and what becomes of it is "
             "not on record; md.use(md.%s, ...) keeps that",
             call, host_describe(L, i), call);
}

/* -- messages -- */

bool host_record_arrival(lua_State *L, host_sim *s, uint32_t to, md_pid from,
                         int first, int n) {
  if (host_family_of(s, to) == NULL) return false;
  if (from) host_push_name(L, s, from);
  else lua_pushnil(L);
  return recorder_ask(L, s, md_sim_pid(s->kernel, to), "ARRIVE", 1, first, n);
}

bool host_record_send(lua_State *L, host_sim *s, uint32_t to, int name,
                      md_time at, int first, int n) {
  uint64_t family;
  uint32_t from = message_sender(s);
  md_pid actor = recorder_actor(s, &family);
  if (actor != 0) {
    if (to) host_push_pid(L, s, to);
    else lua_pushvalue(L, name);
    if (at >= 0) host_push_time(L, s, at);
    else lua_pushnil(L);
    if (recorder_ask(L, s, actor, "SEND", 2, first, n)) return true;
  }
  const host_family *other = host_family_of(s, to);
  if (at >= 0 || other == NULL) return false;
  if (actor != 0 && other->id == family) return false;
  bool known = from != 0 && !(host_recorded(s, from) & HOST_USES);
  md_pid sender = known ? md_sim_pid(s->kernel, from) : actor;
  host_record_arrival(L, s, to, sender, first, n);
  return false;
}

void host_record_backoff(lua_State *L, host_sim *s, uint32_t to, int first,
                         int n) {
  uint64_t family;
  md_pid own = recorder_actor(s, &family);
  if (own == 0) return;
  host_push_pid(L, s, to);
  recorder_ask(L, s, own, "BACKOFF", 1, first, n);
}

/* The two top bits: it is recorded, it is in md.use. */
uint64_t host_record_later(const host_sim *s) {
  uint64_t family, from = 0;
  uint32_t p = message_sender(s);
  md_pid actor = recorder_actor(s, &family);
  if (actor != 0) return actor | 1ull << 63;
  if (p != 0) from = md_sim_pid(s->kernel, p);
  return host_recorded(s, p) & HOST_USES ? from | 1ull << 62 : from;
}

bool host_record_late(lua_State *L, host_sim *s, uint32_t to, uint64_t later,
                      int first, int n) {
  md_pid from = host_later_pid(later);
  if (later >> 63) {
    if (to) host_push_pid(L, s, to);
    else lua_pushnil(L);
    if (recorder_ask(L, s, from, "LEAVE", 1, 0, 0)) return true;
  }
  return host_record_arrival(L, s, to, later >> 62 & 1 ? 0 : from, first, n);
}

/* -- for the library -- */

int inside_recorder(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &recorder_key);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &recorder_families);
  return 0;
}

int inside_record(lua_State *L) {
  host_sim *s = inside_sim(L);
  md_host *h = s->host;
  md_proc_extra *extra = md_sim_make_extra(s->kernel, inside_process_arg(L, s));
  if (extra == NULL) host_no_memory(L);
  if (lua_isnoneornil(L, 3)) {
    host_family *family = lua_newuserdatauv(L, sizeof *family, 1);
    *family = (host_family){.id = ++h->families, .arena = h->arena, .at = -1};
    luaL_setmetatable(L, "md.family");
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &recorder_families);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, (lua_Integer)family->id);
    lua_pop(L, 1);
  }
  extra->words[HOST_RECORDED] = (uint64_t)(uintptr_t)lua_touserdata(L, -1);
  if (!h->recording) h->careful++;
  h->recording = true;
  return 1;
}

void inside_open_recorder(lua_State *L) {
  luaL_newmetatable(L, "md.family");
  lua_pushcfunction(L, turn_forget);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  lua_pushlightuserdata(L, (void *)(uintptr_t)&recorder_key);
  lua_setfield(L, -2, "nothing");
}

int inside_keep(lua_State *L) {
  host_family *family = lua_touserdata(L, 1);
  lua_getiuservalue(L, 1, 1);
  lua_pushvalue(L, 2);
  recorder_put(L, 3, family);
  return 0;
}

int inside_log(lua_State *L) {
  host_family *family = lua_touserdata(L, 1);
  lua_getiuservalue(L, 1, 1);
  lua_newtable(L);
  lua_setiuservalue(L, 1, 1);
  family->kept = 0;
  return 1;
}

int inside_loud(lua_State *L) {
  host_family *family = lua_touserdata(L, 1);
  family->loud = lua_toboolean(L, 2);
  return 0;
}

static int recorder_mark(lua_State *L, uint64_t mark, bool yes) {
  host_sim *s = inside_sim(L);
  uint32_t p = inside_process_arg(L, s);
  if (host_recorded(s, p) == 0) return 0;
  uint64_t *words = md_sim_extra(s->kernel, p)->words;
  words[HOST_RECORDED] = (words[HOST_RECORDED] & ~mark) | (yes ? mark : 0);
  return 0;
}

int inside_uses(lua_State *L) {
  return recorder_mark(L, HOST_USES, lua_toboolean(L, 3));
}

int inside_stands(lua_State *L) { return recorder_mark(L, HOST_STANDS, true); }
