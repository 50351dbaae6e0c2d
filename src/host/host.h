/* The host: everything that knows Lua. A md_host is the program; a host_sim
   is a kernel's sim together with what Lua holds for it. Both live in the
   arena. The host of a state is found through its extra space.

   Three kinds of coroutine run the model's code, all of them resumed by
   loop.c: the script's main chunk, one thread a process (kept with the
   process's slot and used again), and one for callbacks. The main state runs
   no model's code, ever. What a message or a timer carries is kept in a Lua
   table, `held`, in runs of slots that the kernel's records name. */
#ifndef MD_HOST_HOST_H
#define MD_HOST_HOST_H

#include "base/arena.h"
#include "host/error.h"
#include "host/program.h"
#include "kernel/rng.h"
#include "kernel/record.h"
#include "kernel/sim.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Places on the stack of host_sim.H. */
enum {
  HOST_HELD = 1, /* values of messages and timers, by slot */
  HOST_THREADS,  /* a process's thread, by index */
  HOST_RESULTS,  /* what ended processes returned or raised, by pid */
  HOST_NAMES,    /* registered pids, by name */
  HOST_STREAMS,  /* random streams, by name */
  HOST_COUNTS,   /* processes spawned so far, by name */
  HOST_INBOXES,  /* what those of ended processes have kept, by name */
  HOST_THINGS,   /* things that may be waited for, by address, weakly */
  HOST_SELF,     /* the sim's userdata */
};

enum { HELD_CLASSES = 40 };

/* Free runs of slots in `held`, by class of length. */
typedef struct host_held {
  uint32_t *next;
  uint32_t size, capacity; /* slots given out ever; size of `next` */
  uint32_t free[HELD_CLASSES];
} host_held;

typedef struct md_host md_host;

/* The places of those who wait for things, see place.h. */
typedef struct place_table {
  struct place *records;
  uint32_t used, capacity, free;
} place_table;

/* What processes hold of resources, see resource.c. */
typedef struct holding_table {
  struct holding *records;
  uint32_t used, capacity, free;
} holding_table;

typedef struct host_sim {
  md_sim *kernel;
  md_host *host;
  lua_State *H;
  host_held held;
  place_table places;
  holding_table holdings;
  uint64_t arrivals;    /* requests for things so far */
  uint32_t things;      /* made so far */
  uint32_t inbox_names; /* in HOST_INBOXES */
  md_records *records;
  uint64_t refs, scopes; /* refs made, time limits set, so far */
  uint64_t children;     /* unnamed processes that the script spawned */
  uint64_t results_first, results_last; /* the ended whose result is kept */
  md_rng chance;                        /* math.random's */
  md_time bound;                        /* of every run, -1: none (--to) */
  uint32_t id; /* its number in the program, part of its pids */
  bool isolate, running;
  bool begun;  /* the run: it is only paused since, and looked at its start */
  bool failed; /* an error ended the run; what, is below */
  bool stopped;
  uint32_t stop_slot, stop_count; /* what md.stop was given, held */
  const char *outcome;            /* of the last run, NULL: it never ran */
  char *name, *unit;
  struct host_sim *next; /* all sims of the program */
} host_sim;

/* How long a run goes on. It has no padding: images hold every byte. */
typedef struct host_limits {
  md_time to;      /* -1: no bound */
  uint64_t events; /* no more than these; once it has begun, all of the sim's */
  uint64_t when;   /* a held predicate, looked at after every event; 0: none */
} host_limits;

typedef struct host_options {
  size_t memory; /* bytes, 0: no limit */
  uint64_t seed;
  md_order order;
  uint64_t instructions; /* between two blocking calls, 0: any number */
  double pace;           /* units of time a real second, 0: as fast as can be */
  double to;             /* bound of the default sim, < 0: none */
  bool sandbox, quiet, progress;
  bool unchecked;   /* message types and protocols check nothing */
  uint64_t fail_at; /* the allocation that fails, for specs */
} host_options;

struct md_host {
  md_arena *arena;
  lua_State *L;      /* the main state */
  lua_State *script; /* the main chunk's coroutine */
  lua_State *callbacks;
  lua_State *line;    /* that of a line of the prompt, NULL: there was none */
  lua_State *current; /* the coroutine that runs */
  host_sim *sim;      /* whose event is handled, NULL: none */
  uint32_t process;   /* which runs, 0: the script or a callback */
  md_why why;         /* why it goes on */
  int fences;         /* C functions that cannot be left by blocking */
  uint64_t instructions; /* used since the last blocking call */
  bool aborting;         /* an error that no pcall may catch is on its way */
  bool ran;              /* the script has called run */
  bool warning;          /* a warning is being printed, piece by piece */
  bool typed;     /* a message type was declared, so records are checked */
  bool recording; /* there are processes that the recorder is told of */
  md_pid acting;  /* the one of those whose callback runs, and its family */
  uint64_t acting_family, families; /* and how many there have been */
  uint64_t timed;    /* what turn.c knows of the timer whose turn it is */
  int careful;       /* why sends are looked at: guards that run, a recorder */
  bool guard_failed; /* a guard has raised an error on behalf of `receiver` */
  int guarding;      /* guards that are running */
  bool reloading;    /* md.reload is under way, which runs as a guard does */
  host_sim *receiver_sim; /* who waits for the message that is being sent */
  uint32_t receiver;
  host_sim *first; /* the default sim */
  host_sim *sims;
  uint32_t sims_made;
  host_options options;
  host_phase phase;   /* what host_drive goes on with */
  host_sim *asked;    /* the sim that the script wants to run, and */
  host_limits limits; /* for how long */
  int nested;         /* runs that a C function waits for */
  int line_credit;    /* lent to lines of the prompt, see line.c */
  bool line_waits;    /* for the run that it lets go on */
  bool prompting;     /* a line of the prompt runs; what it wants to run: */
  host_sim *line_sim;
  host_limits line_limits;
  uint32_t going; /* a process that goes on in the middle of its turn */
  host_wish wish;
  host_files files;
  host_outside out;
  struct host_native *native; /* moondial.ffi's, NULL: nobody wants it */
  struct host_bodies *bodies; /* of C processes, NULL: there was none */
  char failed_in[64];         /* the process whose error was not caught, "" */
  char failed_at[40];         /* and the time of that, "" */
  host_sim *failed_sim;       /* the sim that has failed, in its event with */
  uint64_t failed_events;     /* that number */
};

/* -- host.c: opening, finding ------------------------------------------------
 */

md_host *host_open(const host_options *);
void host_close(md_host *);

/* The extra space of a state holds the host; its lowest bit is set in the
   coroutines that are the host's to resume. New coroutines copy the main
   state's, where it is clear. */
static inline md_host *host_of(lua_State *L) {
  uintptr_t space = *(uintptr_t *)lua_getextraspace(L);
  return (md_host *)(space & ~(uintptr_t)1);
}

/* The default sim, made on first use. [-0, +0, m] */
host_sim *host_default(lua_State *L);

/* A new sim, its userdata on the stack. [-0, +1, e] */
host_sim *host_sim_new(lua_State *L, const md_sim_options *);

/* The sim that a call is meant for: a first argument that is a sim is taken
   away and is it; else the one that runs, else the default one. */
host_sim *host_sim_arg(lua_State *L);

/* The first of that, NULL if no sim is given: for what belongs to none. */
host_sim *host_skip_sim(lua_State *L);

/* Pushes a value that H holds. [-0, +1, -] */
static inline void host_push(lua_State *L, host_sim *s, int place) {
  lua_pushvalue(s->H, place);
  lua_xmove(s->H, L, 1);
}

_Noreturn void host_no_memory(lua_State *L);

/* -- value.c: pids and refs, which are light userdata -- */

typedef enum host_value {
  HOST_NO_VALUE = 0,
  HOST_PID = 9,
  HOST_REF = 10,
  HOST_PATTERN = 11,
  HOST_UNWIND = 12, /* the error that ends a killed process */
} host_value;

/* The process whose ask a ref was made for, 0: a ref of md.ref, or none. */
static inline uint32_t host_asker(const void *ref) {
  uint64_t bits = (uint64_t)(uintptr_t)ref;
  if (bits >> 60 != HOST_REF) return 0;
  return bits >> 51 & 1 ? (uint32_t)(bits >> 27) & 0xffffff : 0;
}

static inline void *host_light(host_value kind, uint64_t bits) {
  return (void *)(uintptr_t)((uint64_t)kind << 60 | bits);
}

static inline uint64_t host_bits(const void *light) {
  return (uint64_t)(uintptr_t)light & ((1ull << 60) - 1);
}

/* Lua finds a key of a table by the lower 32 bits alone, where all pids that a
   slot has had would meet: the upper ones, up to 51, are scattered over them.
   It is its own inverse, and leaves generations below 256 as they are. */
static inline uint64_t host_scatter(uint64_t bits) {
  uint32_t high = (uint32_t)(bits >> 32) & 0xfffff;
  return bits ^ (uint32_t)(high * UINT32_C(0x9E3779B1));
}

/* Any other userdata has an address, whose top bits are 0. */
static inline host_value host_kind_of(const void *light) {
  uint64_t kind = (uint64_t)(uintptr_t)light >> 60;
  return kind >= HOST_PID && kind <= HOST_UNWIND ? (host_value)kind
                                                 : HOST_NO_VALUE;
}

static inline host_value host_kind(lua_State *L, int i) {
  return host_kind_of(lua_touserdata(L, i));
}

void *host_pid_value(const host_sim *s, uint32_t p);
void *host_pid_light(const host_sim *s, md_pid);

/* The pid, without its sim, of a light userdata that is one. */
static inline md_pid host_pid_bits(const void *light) {
  return host_scatter((uintptr_t)light) & ((1ull << 52) - 1);
}

/* The pid of a living process; and of one that may have ended. [-0, +1, -] */
void host_push_pid(lua_State *L, const host_sim *s, uint32_t p);
void host_push_name(lua_State *L, const host_sim *s, md_pid pid);

/* The living process of s that a light userdata is the pid of, else 0. */
static inline uint32_t host_pid_index(const host_sim *s, const void *light) {
  uint64_t bits = (uint64_t)(uintptr_t)light;
  if (bits >> 52 != ((uint64_t)HOST_PID << 8 | (s->id & 0xff))) return 0;
  return md_sim_index(s->kernel, host_pid_bits(light));
}

/* A new ref, for an ask of the process `asker` or, if that is 0, for all. */
void *host_ref_value(host_sim *s, uint32_t asker);

/* The ref of a monitor, by the bond's id, and back; 0: it is of no monitor. */
void *host_monitor_value(const host_sim *s, md_bond_id id);
md_bond_id host_monitor_id(const host_sim *s, const void *ref);

/* The living process that argument i names, by pid or registered name; 0 when
   it has ended. Anything else is an error. */
uint32_t host_pid_arg(lua_State *L, host_sim *s, int i, const char *call);

/* -- error.c -- */

/* The name of process p as it is, or "process 3". */
const char *host_name(const host_sim *s, uint32_t p, char buffer[64]);

/* What process p is called: its name, or "process 3". */
const char *host_label(const host_sim *s, uint32_t p, char buffer[64]);

/* -- held.c -- */

/* Keeps n values from L's index `first` on; returns their slot. [-0,+0,m] */
uint32_t host_hold(lua_State *L, host_sim *s, int first, int n);

/* Pushes n held values. [-0, +n, e] */
void host_fetch(lua_State *L, host_sim *s, uint32_t slot, int n);

/* Forgets n held values. [-0, +0, -] */
void host_drop(lua_State *L, host_sim *s, uint32_t slot, int n);

/* -- cmail.c -- */

/* The values of an envelope of p, who is Lua or C. [-0, +n|0, e] */
void host_fetch_mail(lua_State *L, host_sim *s, uint32_t p, const md_mail *);
void host_forget_mail(lua_State *L, host_sim *s, uint32_t p, const md_mail *);

/* -- result.c: what ended processes have left -- */

/* Keeps the top n values as what p returned or, if not `ok`, raised. [-n, +0,
   m] */
void host_keep_result(lua_State *L, host_sim *s, uint32_t p, bool ok, int n);

/* The same of one that has ended, or is nobody in this sim. [-n, +0, m] */
void host_leave_result(lua_State *L, host_sim *s, md_pid, bool ok, int n);

/* Returns, or raises, what the ended process at index 1 has left. */
int host_result(lua_State *L, host_sim *s);

/* Has the process whose pid is at i ended by an error or a kill? */
bool host_failed(lua_State *L, host_sim *s, int i);

/* Forgets it. [-0, +0, m] */
void host_forget_result(lua_State *L, host_sim *s);

/* The body of every process: [handler, fn, arguments ...]. */
int host_body(lua_State *L);

/* md.join, md.spawn */
int host_f_join(lua_State *L);
int host_f_spawn(lua_State *L);

/* Spawns as the arguments say, for a function of that name; a child of the
   process that runs, if so. Returns its pid and, if asked for, a monitor. */
int host_spawn(lua_State *L, host_sim *s, const char *call, bool child);

/* A function, or what can be called like one. */
bool host_callable(lua_State *L, int i);

/* The body of a process that was killed before it started; and the last of the
   process that runs, whose stack is [nil, what it returned ...] or, if not
   `ok`, has the error on the top. */
int host_unborn(lua_State *L);
int host_over(lua_State *L, bool ok);

/* The coroutine of a callback, or that of p in its ending, has died of an
   error, which is on its top; the run fails. */
void host_failed_callback(md_host *h, host_sim *s, lua_State *co, int status);
void host_failed_process(md_host *h, host_sim *s, lua_State *co, uint32_t p);

/* Pushes what a waiting process waits for, in words. [-0, +1, m] */
void host_waiting(lua_State *L, host_sim *s, uint32_t p);

/* Pushes {pid=, name=, waiting=, where=, on=} of a waiting process. [-0, +1, m]
 */
void host_push_waiting(lua_State *L, host_sim *s, uint32_t p);

/* The pid of whom p waits for; NULL if it does not wait, or that is not known.
   It may have ended. */
const void *host_waits_on(const host_sim *s, uint32_t p);

/* The least process of the first cycle of those that wait for each other; 0:
   there is none. Then the next of a process in it. [-0, +0, m] */
uint32_t host_deadlock(lua_State *L, const host_sim *s);
uint32_t host_deadlock_next(const host_sim *s, uint32_t p);

/* Replaces a registered name at index 1 by the pid it stands for. */
void host_unname(lua_State *L, host_sim *s);

/* An error that nobody catches ends the run of s; the value is on the top. */
void host_fail(lua_State *L, host_sim *s, uint32_t p);

/* -- wait.c: how a call blocks -- */

/* True when a process runs that may block here with nothing more to see to. */
static inline bool host_free(lua_State *L, const md_host *h) {
  return h->process != 0 && h->fences == 0 && lua_isyieldable(L) &&
         !(md_sim_proc(h->sim->kernel, h->process)->flags & MD_PENDING);
}

/* The process that may block here; raises where nothing can. */
host_sim *host_may_block(lua_State *L, const char *call);

/* The same for a call that was made on sim s. */
void host_may_block_in(lua_State *L, const host_sim *s, const char *call);

/* Blocks the process: the kernel knows for what. [-0, +0, -] */
int host_block(lua_State *L, host_sim *s, lua_KContext ctx, lua_KFunction k);

/* Interrupts p, which is not dying, for the cause at that index. [-0, +0, m] */
void host_interrupt(lua_State *L, host_sim *s, uint32_t by, uint32_t p,
                    int cause);

/* Notes that the time of the process that runs is over. [-0, +0, e] */
void host_timed_out(lua_State *L, host_sim *s);

/* Raises what a wake-up brings when it is not what was waited for: an
   interrupt, a kill; returns otherwise. */
void host_woken(lua_State *L);

/* Where p waits: the coroutine that called. That of one that runs may be gone
   by now: its own stands for it. */
static inline lua_State *host_leaf(const host_sim *s, uint32_t p) {
  const md_proc *proc = md_sim_proc(s->kernel, p);
  if (proc->inner != NULL && proc->state != MD_RUNNING) return proc->inner;
  return md_sim_root(s->kernel, p);
}

/* The words of a process's extra part. */
enum {
  HOST_PENDING,   /* slot of its pending interrupts << 32 | its stream's */
  HOST_UNWINDING, /* what unwinds it, see host_unwinding */
  HOST_REASON,    /* slot of the reason it was killed for, or HOST_NORMAL */
  HOST_LIMITS,    /* how many time limits it is in */
  HOST_ACCEPTS,   /* slot of its protocol */
  HOST_QUICK,     /* the rules of that which are quick to try */
  HOST_BECOMES,   /* slot and count << 32 of what it becomes */
  HOST_END,       /* slot of its end, a thing that somebody awaits */
  HOST_UNITS,     /* the last that it holds of a resource */
  HOST_RECORDED,  /* its family, see recorder.h; 0: it has none */
  HOST_MAILBOX,   /* slot of its inbox, a thing, once that is asked for */
  HOST_OBSERVED,  /* report has its inbox, even if nothing has lain there */
};

/* -- control.c -- */

/* From now on p only unwinds, for the reason at that index (0: it ends as if
   it returned). [-0, +0, m] */
void host_doom(lua_State *L, host_sim *s, uint32_t p, int reason);

/* Nothing is to be raised in p any more. [-0, +0, -] */
void host_forget_pending(lua_State *L, host_sim *s, uint32_t p);

/* Kills p, which does not run, in the name of `by`. [-0, +0, m] */
void host_kill(lua_State *L, host_sim *s, uint32_t by, uint32_t p, int reason);

/* Raises the error on the top in p where it blocks, at once or when it next
   does. A scope stands for the error that it failed with. [-1, +0, m] */
void host_throw(lua_State *L, host_sim *s, uint32_t p);

/* The scope at that index has nothing to raise in p any more. [-0, +0, m] */
void host_forget_throw(lua_State *L, host_sim *s, uint32_t p, int scope);

/* Raises the first of what is to be raised in the process that runs. */
_Noreturn void host_raise_pending(lua_State *L, host_sim *s, uint32_t p);

/* Is p becoming another function, after the error on the top? Then the handler
   at index 1 has that and its arguments above it. [-1, +n, e] */
bool host_becomes(lua_State *L, host_sim *s, uint32_t p);

#define HOST_NORMAL UINT64_MAX /* for none: it has ended itself */

/* Gives back what p's wait has taken or stands in line for, and ends it:
   the process goes on for that reason. */
void host_break(lua_State *L, host_sim *s, uint32_t p, md_why why);

/* What unwinds the process that runs: 0 nothing, HOST_KILLED, HOST_BECOMING,
   or the number of a time limit. */
#define HOST_KILLED   UINT64_MAX
#define HOST_BECOMING (UINT64_MAX - 1)
uint64_t host_unwinding(const md_host *h);

/* True when the error on its way began to end something that lies outside the
   call that was made while `before` was unwinding: nobody may catch it. */
bool host_passes(lua_State *L, uint64_t before);

/* What a pcall gives for the error on the top. [-0, +0, -] */
void host_caught(lua_State *L, int status);

/* -- coroutine.c -- */

/* Marks a coroutine as the host's own, which the model may not resume: those of
   processes, and generators while they wait in one. */
static inline void host_own(lua_State *co, bool own) {
  uintptr_t *space = (uintptr_t *)lua_getextraspace(co);
  *space = (*space & ~(uintptr_t)1) | own;
}

static inline bool host_owned(lua_State *co) {
  return *(uintptr_t *)lua_getextraspace(co) & 1;
}

/* -- the modules of the library that are in C -- */

/* Takes the message that was handed to p, and not yet seen, back. */
void host_unreceive(lua_State *L, host_sim *s, uint32_t p);

/* Takes p's message out of the line in which it waits for room. */
void host_unline(lua_State *L, host_sim *s, uint32_t p);

/* Drops what lies in p's inbox and line. */
void host_flush(lua_State *L, host_sim *s, uint32_t p, bool line);

/* The number of the present process's name in the records of s; 0: no process,
   -1: no memory. */
int host_log_process(host_sim *s);

/* A time or a duration from the argument i, in ticks; raises what it is not. */
md_time host_duration_arg(lua_State *L, host_sim *s, int i, const char *call);
md_time host_time_arg(lua_State *L, host_sim *s, int i, const char *call);
void host_push_time(lua_State *L, const host_sim *s, md_time);

/* Pushes what cancels the kernel's timer. [-0, +1, m] */
int host_push_timer(lua_State *L, host_sim *s, uint64_t id);

/* The host has come with an image; it goes. */
void host_wake_library(md_host *);
void host_close_library(md_host *);

void host_enter_sandbox(lua_State *L);

/* Loads a file of text under the name it has in errors; LUA_OK, or an error's
   status with its text. [-0, +1, m] */
int host_load_file(lua_State *L, const char *path, const char *name);

/* Raises where the text of a module runs once more for md.reload. */
void host_no_reload(lua_State *L, const char *call);

/* A signal's handler may call it: the run ends at the line it is at. */
void host_signal(md_host *);

/* Counts the instructions of the model, when there is a limit. */
void host_watch_instructions(md_host *);

/* One chunk of the library in Lua, built in. */
typedef struct host_chunk {
  const char *name, *text;
  size_t size;
} host_chunk;

extern const host_chunk host_chunks[]; /* ends with a name that is NULL */

#endif
