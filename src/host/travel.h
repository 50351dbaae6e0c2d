/* Time travel: points of the past that are kept in memory, outside of the
   arena, and to which the whole program can be taken back, the script and the
   model's open files included (not what was printed).

   The newest points share their pages. Those that nobody named are thinned out
   when all take more than they may: the one goes whose neighbours lie closest
   together. Going back forgets what lies behind the point; the point stays.

   A branch is a point to which the program returns by itself. */
#ifndef MD_HOST_TRAVEL_H
#define MD_HOST_TRAVEL_H

#include "host/loop.h"
#include "image/image.h"
#include "image/snapshot.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

typedef struct travel_point {
  char *name; /* NULL: it has none */
  bool own;   /* nobody asked for it: it is one of many at regular distances */
  bool branch;
  md_time time; /* of the default sim, and its events */
  uint64_t events;
  md_snapshot *state;
  long long mark; /* what the program remembers of it, see host_past */
  char *files;    /* a note of where the model's files stood */
  size_t files_size;
} travel_point;

typedef struct host_past {
  host_pause pause; /* for points at regular distances */
  double every;     /* units of the default sim's time, 0: none */
  uint64_t often;   /* one after so many events of it, and only two; 0: none */
  size_t memory;    /* what all may take, 0: any amount */
  md_pages pages;
  travel_point *points; /* oldest first */
  uint32_t count, capacity;
  char *baggage; /* plain values that go along to another time */
  size_t baggage_size;
  long long (*mark)(md_host *); /* NULL, or what is kept with each point */
  bool failed;                  /* the baggage is an error, */
  bool aborting;                /* which no pcall may catch */
  bool keeping; /* `coming` is being copied, and is no point yet */
  bool kept;    /* there is a thread that copied it, and now gets pages */
  pthread_t keeper;
  sem_t copied;
  atomic_bool enough; /* somebody else wants the pages */
  travel_point coming;
  size_t extent; /* of the arena, when the thread began */
  md_host *host;
  uint64_t last_hash; /* where the last rewind to a time was called, and */
  md_time last_time;  /* that time */
} host_past;

/* From now on points are kept at these distances; what the host has of the past
   is in `past`, which is zeroed before and stays the caller's. */
void host_travel_begin(md_host *, host_past *);
void host_travel_end(md_host *);

/* The past, in which no other thread does anything; NULL: there is none. */
host_past *host_travel_past(md_host *);

/* Keeps a point; NULL with a sentence. */
travel_point *host_travel_keep(md_host *, const char *name,
                               char error[MD_IMAGE_ERROR]);

/* The same, without a name, while somebody thinks: it returns at once, and
   until host_travel_settle has been called, or something here that needs
   points, nothing in the arena may change. Pages for another copy are got ready
   then until they are wanted. False with a sentence. */
bool host_travel_keep_soon(md_host *, char error[MD_IMAGE_ERROR]);
void host_travel_prepare(md_host *); /* the pages alone */
void host_travel_settle(md_host *);

/* This is a copy of the program (fork), which has no other threads. */
void host_travel_forked(md_host *);

/* Forgets the point of that number. */
void host_travel_drop(host_past *, uint32_t i);

/* The last point at or before that time of the default sim; NULL: none is. */
travel_point *host_travel_find(md_host *, md_time time);

/* Takes everything back to a point; false, with a sentence, when one of the
   model's files could not be opened again. */
bool host_travel_to(md_host *, travel_point *, char error[MD_IMAGE_ERROR]);

/* Takes everything back to before the event in which the run has failed, and
   has `reach` of the pause called there, and the program run to its end again;
   false when there is no point to begin from. */
bool host_travel_before_failure(md_host *, host_pause *,
                                char error[MD_IMAGE_ERROR]);

/* Grants the wishes that are about the past. */
void host_travel_grant(md_host *, char error[MD_IMAGE_ERROR]);

/* Is a branch open? If so, and the program is over with that status (an error
   lies on the main state then), the branch ends and the program goes on where
   it began. */
bool host_in_branch(const md_host *);
bool host_travel_over(md_host *, int status);

#endif
