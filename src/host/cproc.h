/* Processes whose body is C, see native/moondial.h. Such a process has no
   coroutine: its root is its record, marked by the lowest bit. What it is sent
   is kept as C has it, in a block of the arena that the envelope's slot tells.

   The addresses of bodies are in one table, `bodies`, and nowhere else: they
   are forgotten where the arena's bytes count, and found again by name. */
#ifndef MD_HOST_CPROC_H
#define MD_HOST_CPROC_H

#define MOONDIAL_PROGRAM
#include "host/host.h"
#include "host/message.h"
#include "native/moondial.h"

enum { CPROC_VALUES = 255, CPROC_COLUMNS = 64, CPROC_WHERE = 160 };

/* A message as it is kept: the values, and behind them their texts. */
typedef struct cmail {
  md_message open;
  uint32_t size;       /* of the block, in bytes */
  uint32_t held, kept; /* slot and count of what only Lua has */
  md_value values[];
} cmail;

/* A hold touches the first cache line, and the second where its memory fits in
   there: among 10^5 processes that is what an event costs. */
typedef struct cproc {
  md_process open;
  host_sim *sim;
  uint32_t process, body;
  bool broken;  /* it ends as soon as it returns, by the held error */
  bool closing; /* it is in its last call */
  bool seeded;  /* rng is */
  uint8_t catches;
  uint32_t memory_size;
  _Alignas(64) char room[64]; /* of its memory, if that is no larger */
  md_rng rng;
  md_tag tag; /* what it waits for, and from whom */
  md_pid from;
  md_pid asked;     /* by an ask that waits for room first, 0: none does */
  md_time deadline; /* of that, -1: none */
  uint32_t error;   /* its slot, 0: there was no memory for it */
  uint32_t result, results; /* slot and count of what a join returns */
  cmail *mail;              /* what open.message leads to */
  cmail *arguments;         /* what open.arguments leads to */
  cmail *cause, *answer;    /* of the last interrupt, of the last invoke */
  void *block;              /* of the arena, in which all this lies */
} cproc;

_Static_assert(offsetof(cproc, room) == 64, "what is hot is one line");

/* A body, by name. */
typedef struct cproc_body {
  uint32_t symbol;   /* of moondial.ffi's table */
  uint64_t build[2]; /* the hash of the library's file */
  void *address;     /* NULL: not found yet by this process */
} cproc_body;

/* What md_record writes to. */
typedef struct cproc_recorder {
  const md_records *records; /* a sim's, NULL: it is closed */
  int table, n;
  int columns[CPROC_COLUMNS];
} cproc_recorder;

/* What there is of C processes besides their records, once there was one. */
typedef struct host_bodies {
  cproc_body *bodies; /* from 1 on */
  uint32_t count, room;
  cproc_recorder *recorders;
  uint32_t recorder_count, recorder_room;
  lua_State *L; /* where what may raise is done for them */
} host_bodies;

/* The record of p, NULL: its body is Lua. */
static inline cproc *cproc_of(const host_sim *s, uint32_t p) {
  uintptr_t root = (uintptr_t)md_sim_root(s->kernel, p);
  return root & 1 ? (cproc *)(root - 1) : NULL;
}

/* -- cbody.c -- */

/* The library that a symbol is from, NULL: none by name. */
const char *cproc_library(const md_host *h, uint32_t symbol);

/* Looks for a body, of the build that is known already if `again`. NULL with a
   sentence. */
void *cproc_find(const md_host *h, cproc_body *body, bool again, char *why,
                 size_t size);

/* Is the value at i a function of C's that is declared as a body? */
bool cproc_is_body(lua_State *L, int i);

/* The number of the body at that index; raises what is wrong with its library.
   [-0, +0, e] */
uint32_t cproc_body_arg(lua_State *L, int i, const char *call);

/* Forgets where bodies are; finds those in use again, in the same build, or
   says which is not there. */
void cproc_bare(md_host *h);
bool cproc_wake(md_host *h, char *why, size_t size);

/* -- cproc.c -- */

/* A record for that body, with n arguments from `first` on; it is then of the
   new process p, or freed. [-0, +0, e] */
cproc *cproc_open(lua_State *L, host_sim *s, uint32_t body, int first, int n);
void cproc_bind(cproc *c, uint32_t p);
void cproc_free(cproc *c);

/* The sim is closed: what its processes in C have is given back. */
void cproc_close_sim(host_sim *s);

/* p's turn, until it waits or ends. */
void cproc_turn(md_host *h, host_sim *s, uint32_t p, cproc *c);

/* Does f with c and the argument where errors are caught; false when it raised
   one, which ends the process. */
typedef void cproc_work(lua_State *L, cproc *c, void *argument);
bool cproc_do(cproc *c, cproc_work *f, void *argument);

/* It has been interrupted; who was asked has ended; its time is over; the
   question of an ask has been sent. */
void cproc_interrupt(cproc *c);
void cproc_unanswered(cproc *c);
void cproc_timeout(cproc *c);
void cproc_asked(cproc *c);

/* The process ends by this error; the first one counts. */
__attribute__((format(printf, 3, 4), cold)) void
cproc_fail(cproc *c, const char *kind, const char *format, ...);
__attribute__((cold)) void cproc_no_memory(cproc *c);

/* "till of libtill.so, near line 12": where p is. */
const char *cproc_where(const host_sim *s, const cproc *c,
                        char text[CPROC_WHERE]);

/* Pushes what p waits for with a message, in words. [-0, +1, m] */
void cproc_push_wanted(lua_State *L, host_sim *s, const cproc *c);

/* Has no process memory that leads out of the arena? Else says whose. */
bool cproc_good(const md_host *h, char *why, size_t size);

/* -- cmail.c: messages -- */

/* A message of n values of C's, which have been checked, or of the stack's from
   `first` on. The first gives NULL without memory. */
cmail *cmail_pack(host_sim *s, md_pid from, const md_value *values, uint32_t n);
cmail *cmail_read(lua_State *L, host_sim *s, md_pid from, int first, int n);
void cmail_drop(host_sim *s, cmail *m);

/* Pushes the values. [-0, +n, m] */
void cmail_push(lua_State *L, host_sim *s, const md_value *values, uint32_t n);

/* Can the body c send these values? */
bool cmail_good(cproc *c, const md_value *values, uint32_t n, bool plain);

/* An envelope's slot tells where the message of one in C is. */
static inline cmail *cmail_at(uint32_t slot) {
  return (cmail *)(uintptr_t)(MD_ARENA_BASE + ((uint64_t)slot << 4));
}

static inline uint32_t cmail_slot(const cmail *m) {
  return (uint32_t)(((uint64_t)(uintptr_t)m - MD_ARENA_BASE) >> 4);
}

/* As message.c does it, for a receiver in C: whether it waits for a reply to
   that ask; for the n values of the stack; whether they were handed over;
   keeping them in an envelope; what was handed to it, and not yet seen, goes
   back. */
bool cmail_asks(const cproc *c, md_ref ref);
bool cmail_awaited(lua_State *L, const cproc *c, int first, int n);
bool cmail_hand(lua_State *L, host_sim *s, cproc *c, uint32_t from, int first,
                int n);
void cmail_fill(lua_State *L, host_sim *s, md_mail *mail, int first, int n);
void cmail_unreceive(lua_State *L, host_sim *s, cproc *c);

/* From one in C to another, where nothing but the two is concerned. False: it
   takes the long way, through Lua's stack. */
bool cmail_send(cproc *c, uint32_t to, const md_value *values, uint32_t n,
                uint64_t digest);
uint64_t cmail_digest(const md_value *values, uint32_t n);

/* Takes the first message that is there and wanted. */
bool cmail_look(cproc *c);

/* -- ccalls.c: what a body calls -- */

extern const md_calls cproc_calls;

/* What md_record writes to in this sim can be used for another. */
void ccall_close_sim(const host_sim *s);

#endif
