/* How the program goes on: runs, one event after the other, and around them the
   script; and what has to be done when a timer comes due. */
#ifndef MD_HOST_LOOP_H
#define MD_HOST_LOOP_H

#include "host/host.h"

/* -- loop.c -- */

/* The only lua_resume: runs `co`, called from `from`. */
int host_resume(md_host *h, lua_State *co, lua_State *from, int arguments,
                int *results);

/* A run of s: it begins, goes on until it is over, and ends with what ended
   it, NULL for an error. host_go_on returns HOST_PAUSED when somebody has a
   wish or the program wants to look, and is called again after that. */
#define HOST_PAUSED "paused"
void host_begin(md_host *h, host_sim *s, host_limits *limits);
const char *host_go_on(md_host *h, host_sim *s, const host_limits *limits);
void host_end(md_host *h, host_sim *s, const char *outcome);

/* Somebody who wants to do something between two events: before the first that
   lies behind that time of the default sim, or when that many have been, of the
   sim that runs. INT64_MAX, UINT64_MAX: never. `reach` sets both anew. */
typedef struct host_pause {
  md_time time;
  uint64_t events;
  void (*reach)(md_host *, host_sim *, struct host_pause *);
  struct host_pause *next;
  bool stops; /* also where nothing is left to do before the run's own end */
} host_pause;

/* A whole run, inside of whatever is under way. */
void host_run_nested(md_host *h, host_sim *s, const host_limits *limits);

/* -- drive.c -- */

/* Does all that is left to do, from the script's first instruction or from
   where an image was taken; LUA_OK, or an error's status with its value on the
   main state. With host_outside.halt it returns before that: phase tells. */
int host_drive(md_host *h);

/* -- line.c -- */

/* Executes a line of the prompt; LUA_OK, or an error's status with its value on
   the main state. `gone`: the line went back in time, and never was. */
int host_line(md_host *h, const char *text, size_t size, bool *gone);

/* Is L what a line of the prompt is executed on? */
bool host_at_prompt(lua_State *L);

/* A run goes on: what lines have allocated is the collector's business again.
 */
void host_line_settle(md_host *);

/* Pushes the table that is a line's environment: the globals, and behind them
   the functions of md. [-0, +1, e] */
void host_push_environment(lua_State *L);

/* The clock shows the time of a pause that has come by it. */
void host_pause_reached(md_host *h, host_sim *s, const host_pause *pause);

/* Loads a line, as an expression if it is one. [-0, +1, m] */
int host_load_line(lua_State *L, const char *text, size_t size);

/* The default sim has events that nobody has run. */
bool host_unrun(const md_host *h);

/* What the script, which is over, has left on the default sim begins to run. */
void host_begin_rest(md_host *h);

/* Calls body(argument) on a stack at an address that is always the same. What
   it leaves of addresses of its own in the arena, dead ones, is the same in all
   runs then. */
#define HOST_STACK ((void *)(uintptr_t)(MD_ARENA_BASE - (UINT64_C(1) << 32)))
enum { HOST_STACK_SIZE = 16 << 20 };
int host_on_stack(int (*body)(void *), void *argument);

/* Has this coroutine set a time limit that is not yet over? [-0, +0, m] */
bool host_limited(lua_State *L);

/* A time limit has come: what it bounds ends. [-0, +0, e] */
void host_expire(lua_State *L, host_sim *s, const uint64_t words[3]);

/* When a limit from now on is over that the argument i states: HOST_LOOK when
   it is 0 (who waits looks, and that is all). One above 0 that is rounded to no
   tick is over now, but in a turn of its own: a loop that waits for what is
   left of a time would not end, nor be seen, without one. */
enum { HOST_LOOK = -2 };
md_time host_limit_arg(lua_State *L, host_sim *s, int i, const char *call);

/* The same for a wait that goes on until the deadline, -1: without end. */
md_time host_limit_left(const host_sim *s, md_time deadline);

/* The time has come that somebody waits for. [-0, +0, e] */
void host_due(lua_State *L, const uint64_t words[3]);

/* The process that is first in the line for that time, 0: nobody is. */
uint32_t host_due_first(const uint64_t words[3]);

/* A function of an any that lost while it ran is killed. */
void host_lost(lua_State *L, host_sim *s, const uint64_t words[3]);

/* A message that was sent for later has come. [-0, +0, e] */
int host_arrive(lua_State *L, host_sim *s, const uint64_t words[3]);

/* Kinds of timers; the words of the first two begin with count << 32 | slot
   of what is held. */
enum { HOST_CALLBACK, HOST_MESSAGE, HOST_SCOPE, HOST_DUE, HOST_LOST };

/* Ends a run because of Ctrl-C, or because it cannot go on. Both are NULL. */
const char *host_interrupted(md_host *h, host_sim *s);
const char *host_stuck(md_host *h, host_sim *s, md_next why);

/* Calls a held function with held arguments on the callbacks' coroutine; true
   when it returned a true value. An error is s's failure. */
bool host_call(md_host *h, host_sim *s, uint32_t slot, int n);

#endif
