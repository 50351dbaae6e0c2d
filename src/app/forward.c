#include "app/forward.h"
#include "app/stand.h"

static app_session *forward_of(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

/* mute(yes): what the copy prints goes nowhere. */
static int forward_kept_output[2];
static bool forward_is_mute;

static void forward_set_mute(bool mute) {
  if (mute != forward_is_mute) app_mute(forward_kept_output, mute);
  forward_is_mute = mute;
}

static int forward_mute(lua_State *L) {
  forward_set_mute(lua_toboolean(L, 1));
  return 0;
}

/* The copy that looks ahead comes to where everything is taken back, itself
   included: a point from before it went on does not know of it. */
static void forward_lost(void) {
  forward_set_mute(false);
  puts("the run goes back in time (md.rewind), and what looks ahead with it: "
       "there is no looking behind that");
  app_session_leave();
}

/* Has the copy go on until that time or that many events, also `behind` the end
   of the script; false: it is over. */
static bool forward_go(md_host *h, md_time time, uint64_t events, bool behind) {
  app_stand stand;
  bool on = true, end = true;
  app_stand_begin(&stand, h, time, events, true, forward_lost);
  while (on && end) {
    h->out.halt = false;
    app_session_begin_rest(h);
    on = h->phase != HOST_OVER && host_drive(h) == LUA_OK;
    end = behind && h->phase == HOST_OVER && stand.pause.events == events;
  }
  app_stand_end(&stand, h);
  return on;
}

/* forward([n, behind]) -> string: lets n events (1) happen in the copy; "on"
   when they have, "failed" when one did, "over" when there are no more. */
static int forward_events(lua_State *L) {
  md_host *h = forward_of(L)->host;
  uint64_t done = md_sim_events(h->first->kernel);
  uint64_t wanted = done + (uint64_t)luaL_optinteger(L, 1, 1);
  bool on = forward_go(h, INT64_MAX, wanted, lua_toboolean(L, 2)) &&
            md_sim_events(h->first->kernel) >= wanted;
  lua_pushstring(L, h->first->failed ? "failed" : on ? "on" : "over");
  return 1;
}

/* pass(t): has the copy go on until the clock shows so many ticks. */
static int forward_pass(lua_State *L) {
  md_host *h = forward_of(L)->host;
  forward_go(h, luaL_checkinteger(L, 1), UINT64_MAX, false);
  return 0;
}

/* turns() -> list of pids: whose turns there were in the copy since it was
   called before; the first call begins to look. */
static int forward_turns(lua_State *L) {
  enum { ROOM = 1 << 10 };
  static md_trace_record records[ROOM];
  static md_trace_ring ring = {records, 0, 0, 0, ROOM};
  const host_sim *s = forward_of(L)->host->first;
  lua_Integer n = 0;
  md_sim_trace(s->kernel)->ring = &ring;
  lua_newtable(L);
  for (; ring.first != ring.last; ring.first++) {
    const md_trace_record *r = &records[ring.first % ROOM];
    if (r->kind != MD_TRACE_WAKE && r->kind != MD_TRACE_START) continue;
    host_push_name(L, s, r->process);
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

void app_forward_add(lua_State *L, app_session *r) {
  static const luaL_Reg functions[] = {{"forward", forward_events},
                                       {"pass", forward_pass},
                                       {"turns", forward_turns},
                                       {"mute", forward_mute},
                                       {NULL, NULL}};
  lua_pushlightuserdata(L, r);
  luaL_setfuncs(L, functions, 1);
}
