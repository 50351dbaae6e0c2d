/* What there is of the program besides its simulations: where it stands, what
   the model wants of it, and this process of the system. */
#ifndef MD_HOST_PROGRAM_H
#define MD_HOST_PROGRAM_H

#include "kernel/trace.h"

#include <lauxlib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct md_host md_host;
typedef struct host_sim host_sim;

/* What the program does next, see drive.c. */
typedef enum host_phase {
  HOST_SCRIPT, /* the script goes on */
  HOST_RUN,    /* the sim that it asked for runs */
  HOST_REST,   /* the script has ended and never ran the default sim: it runs */
  HOST_OVER,
} host_phase;

/* What the model wants to be done between two events, see state.c. */
typedef enum host_wish_kind {
  HOST_NO_WISH,
  HOST_SAVE,       /* an image, to the path `text` */
  HOST_CHECKPOINT, /* of that name, or none */
  HOST_REWIND,     /* to the name, or to `time` */
  HOST_BRANCH,     /* into a copy */
  HOST_BRANCHED,   /* and back from it */
  HOST_BREAK,      /* Ctrl-C at a prompt: to stand still where it is */
} host_wish_kind;

typedef struct host_wish {
  host_wish_kind kind;
  uint32_t process; /* that waits for it, 0: the script */
  const char *text; /* the waiting coroutine holds it */
  md_time time;
  const char *answer; /* NULL: it failed, see host_outside.error */
} host_wish;

/* The model's open files and the standard streams, see files.c. */
typedef struct host_files {
  luaL_Stream **streams;
  uint32_t count, capacity;
} host_files;

/* What belongs to this process of the system and not to the simulation: it is
   no part of an image. Nothing here lies in the arena. */
typedef struct host_outside {
  const char *script_folder, *script_path; /* the one begins the other */
  const char *script_given;                /* the path as it was given */
  char **arguments;
  int argument_count;
  volatile sig_atomic_t signalled; /* Ctrl-C */
  void (*progress)(md_host *, host_sim *, bool last);
  void (*observe)(md_host *, host_sim *); /* after every event, when tracing */
  /* a process has been spawned, and named */
  void (*spawned)(md_host *, host_sim *, uint32_t p);
  /* before a message is noted, when somebody wants to know what is in it */
  void (*label)(md_host *, host_sim *, lua_State *, int first, int n);
  md_trace_ring *ring; /* lent to every sim, NULL: nobody traces */
  void *app;           /* the program's own */
  int (*at_exit)(md_host *, int status); /* the last word on the status */
  void (*note)(md_host *, FILE *);       /* adds to an image's note */
  bool copy;         /* this is one that only looks: it writes no file */
  bool interactive;  /* somebody looks on: failures and Ctrl-C halt the run */
  bool halt;         /* host_drive returns before the run goes on */
  bool told;         /* that the run has failed; it ends when it goes on */
  bool broken;       /* Ctrl-C has halted it */
  uint32_t failures; /* of which somebody who looks on was told */
  /* everything is about to be taken back to point number i of the past */
  void (*returning)(md_host *, uint32_t i);
  struct host_pause *pauses;      /* see loop.h */
  struct host_past *past;         /* see travel.h */
  struct host_journal *journal;   /* see outside.h */
  void (*interrupted)(md_host *); /* Ctrl-C, between two events */
  char *error;                    /* why a wish was not granted */
} host_outside;

#endif
