/* Waiting for things other than messages: one queue for all of them. A thing
   is a userdata that begins with a md thing: its class, its sim, and its lines.
   Who waits has a place in a line; an await of several things has a place in
   each, and a tree that says when it is over.

     new ──► waiting ──grant──► granted ──the process goes on──► over
                │                  └──given back: interrupt, kill, another won
                └──withdrawn

   A place whose predicate raises is failed: its process goes on, by the error.

   A thing is asked whether the first in its line can have what it wants, after
   every change; what it grants is taken from it there and then. A place whose
   process does not come to its turn gives back what it was granted, and that
   is offered to the next: nothing is lost, and nobody is woken but for what he
   waits for. The cost is that of the change: O(1), but for lines by priority,
   which are heaps. */
#ifndef MD_HOST_PLACE_H
#define MD_HOST_PLACE_H

#include "host/host.h"

typedef struct thing thing;
typedef struct place place;
typedef struct tree tree;

enum { THING_LINES = 2, PLACE_WORDS = 2 };
enum { LINE_GET, LINE_PUT }; /* those of stores and containers */

/* What a kind of things does. Nothing of it blocks. */
typedef struct thing_class {
  const char *name; /* "md.resource" */
  /* Has the place what it waits for, now? Then it is taken. [-0, +0, e] */
  bool (*take)(lua_State *L, thing *, place *);
  /* It is not wanted after all. [-0, +0, m] */
  void (*give_back)(lua_State *L, thing *, place *);
  /* Pushes what the process gets that goes on; returns how many. May raise. */
  int (*push)(lua_State *L, thing *, place *);
  /* Is what it has to give an error? NULL: it never is. */
  bool (*fails)(lua_State *L, const thing *);
  /* A place is given up that waits; NULL: it does not mind. */
  void (*withdraw)(lua_State *L, thing *, const place *);
  /* What befalls others by a grant, once that is done; NULL: nothing does. */
  void (*settle)(lua_State *L, thing *);
  /* Could it serve anybody of that line now? NULL: it may. */
  bool (*ready)(const thing *, int line);
  /* How long its lines are has changed; NULL: it does not mind. */
  void (*changed)(thing *);
  /* Others in the line may be served when its first cannot. */
  bool passes;
  bool named; /* its second user value is its name, or nil */
  /* The only process that can end a wait for it, 0: several, or none known. */
  md_pid (*holder)(const thing *);
  /* Its line, if that is by key; NULL: it is in order of arrival. */
  struct place_heap *(*heap)(thing *);
  /* In words, what a place waits for. [-0, +1, m] */
  void (*describe)(lua_State *L, const thing *, const place *);
  const luaL_Reg *methods;   /* each has the metatable as its upvalue */
  const char *const *advice; /* a name that others expect, what is so here, and
                                so on; NULL ends it, or there is none */
  const char *const *fields; /* their names; NULL ends them */
  /* Pushes field i of the thing, which is at index 1. [-0, +1, m] */
  void (*field)(lua_State *L, const thing *, int i);
} thing_class;

typedef struct thing_line {
  uint32_t first, last, count;
} thing_line;

struct thing {
  const thing_class *class;
  host_sim *sim;
  thing_line lines[THING_LINES];
  bool serving, again; /* its lines are being served, and once more */
  uint32_t number;     /* in the order in which they were made */
};

typedef enum place_state {
  PLACE_NEW, /* in no line yet */
  PLACE_WAITING,
  PLACE_GRANTED,
  PLACE_FAILED /* the error is held in place of its values */
} place_state;

struct place {
  thing *of;
  tree *of_tree;           /* NULL: the only place of its await */
  uint32_t process;        /* 0: free */
  uint32_t prev, next, at; /* in the line; see heap.h */
  uint16_t node;
  uint8_t line, state;
  int64_t key;                 /* a lower one goes before */
  uint64_t words[PLACE_WORDS]; /* the thing's */
  uint32_t slot, count;        /* values that are held for it */
  md_time since;
};

/* A thing on the top of the stack, of that class, of the size, without a
   metatable yet. [-0, +1, m] */
thing *thing_new(lua_State *L, host_sim *s, const thing_class *, size_t size,
                 int values);

/* The sim that a thing is made in; its options, a new table where there are
   none, are then all there is on the stack. Raises usage for others than those
   known, and shows the example. [-n, +1, e] */
host_sim *thing_read_options(lua_State *L, const char *call,
                             const char *const known[], const char *example);

/* Pushes the field `name` of the options at i, a string or none. [-0, +1, e] */
void thing_read_name(lua_State *L, int i, const char *call);

/* The field of that name of the options at i; or `otherwise`. [-0, +0, e] */
bool thing_read_boolean(lua_State *L, int i, const char *field, bool otherwise,
                        const char *call);

/* The thing on the top, made for as many values as two, is called what is at
   `name`, a string or nil. One that has a name is kept as long as its sim is:
   what it tells of itself may be asked for at the end. [-0, +0, m] */
void thing_name(lua_State *L, int name);

/* Pushes what a thing with a name is called in a sentence: 'clerk', or a store;
   the text. [-0, +1, m] */
const char *thing_called(lua_State *L, const thing *);

/* The userdata of a thing. [-0, +1, -] */
void thing_push(lua_State *L, const thing *);

/* The thing of that class at index i, for a method, which has its metatable as
   upvalue; or an error that says so. */
thing *thing_arg(lua_State *L, int i, const thing_class *, const char *call);

place *place_at(const host_sim *s, uint32_t e);

/* A new place for the process that runs, in no line yet. [-0, +0, m] */
uint32_t place_new(lua_State *L, thing *, int line);
void place_free(lua_State *L, host_sim *s, uint32_t e);

/* Is it served at once? Then it is granted; else it joins its line. */
bool place_join(lua_State *L, host_sim *s, uint32_t e);

/* Grants the place, which is in its line: the process goes on if that ends its
   await. [-0, +0, m] */
void place_grant(lua_State *L, host_sim *s, uint32_t e);

/* The place is left, or what it was granted is given back. [-0, +0, m] */
void place_give_up(lua_State *L, host_sim *s, uint32_t e);

/* The lines of a thing are looked at after a change. [-0, +0, m] */
void thing_serve(lua_State *L, thing *);

/* Waits with the one place e: returns what the thing pushes, or at the deadline
   (-1: none) nil, "timeout". */
int place_wait(lua_State *L, host_sim *s, uint32_t e, md_time deadline);

/* The process that runs waits; e is a place of its await. [-0, +0, -] */
void place_block(host_sim *s, uint32_t e, md_time deadline);

/* Calls the predicate below the n arguments on the top for the place, whose
   process it thinks it is in. True when the place has ended its wait by it: it
   holds, or has raised, which fails the place. [-(n + 1), +0, m] */
bool place_holds(lua_State *L, host_sim *s, place *, int n);

/* Pushes what the granted place has, which is free then. [-0, +n, e] */
int place_push(lua_State *L, host_sim *s, uint32_t e);

/* The time to wait is over: nil, "timeout". [-0, +2, m] */
int place_timed_out(lua_State *L, host_sim *s);

/* p gives up all its places, and gives back what it was granted. [-0, +0, m] */
void place_abandon(lua_State *L, host_sim *s, uint32_t p);

/* The process that p waits for, 0: none is known. */
md_pid place_waits_on(const host_sim *s, uint32_t p);

/* What p waits for, in words. [-0, +1, m] */
void place_waiting(lua_State *L, host_sim *s, uint32_t p);

void place_close(host_sim *s);

/* -- await.c: places that belong together -- */

/* Place e of a tree has been granted; true when that ends the await. */
bool tree_granted(lua_State *L, host_sim *s, uint32_t e);
void tree_abandon(lua_State *L, host_sim *s, tree *);

/* What the tree waits for, in words. [-0, +1, m] */
void tree_describe(lua_State *L, const tree *);

/* -- awaitable.c: what can be awaited -- */

/* A request: a place to be, of a call or of its awaitable form. */
typedef struct request {
  thing *of;
  int line;
  int64_t key;
  uint64_t words[PLACE_WORDS];
  int value; /* the index of a value that goes with it, 0: none */
} request;

/* A place for it. [-0, +0, m] */
uint32_t request_place(lua_State *L, const request *);

/* Waits for it; with a deadline, or -1. */
int request_wait(lua_State *L, const request *, md_time deadline,
                 const char *call);

/* Pushes its awaitable form; the thing is at index 1. [-0, +1, m] */
int request_push(lua_State *L, const request *);

/* Gives the metatable on the top the operators & and |. [-0, +0, m] */
void await_operators(lua_State *L);

/* Makes the metatable of a class. [-0, +0, m] */
void thing_metatable(lua_State *L, const thing_class *, lua_CFunction collect,
                     bool awaitable);

/* Raises that what `name` names has no such field or method as is at index 2;
   `more` (NULL: none) ends with NULL, as `known` does. */
int field_refuse(lua_State *L, const char *name, const char *const known[],
                 const luaL_Reg *more);

/* The duration at i, or none: as a deadline, -1 for none. */
md_time await_deadline(lua_State *L, host_sim *s, int i, const char *call);

/* -- resource.c -- */

void resource_close(host_sim *s);

/* p has ended: what it holds is free, the last first. [-0, +0, m] */
void resource_return(lua_State *L, host_sim *s, uint32_t p);

/* -- event.c -- */

/* Replaces the pid on the top by the end of its process, a thing. [-1, +1, m]
 */
void end_push(lua_State *L, host_sim *s);

/* p has ended: who waits for the end at that slot goes on. [-0, +0, m] */
void end_over(lua_State *L, host_sim *s, uint32_t slot);

/* Does somebody wait for the end of p? */
bool end_awaited(lua_State *L, host_sim *s, uint32_t p);

#endif
