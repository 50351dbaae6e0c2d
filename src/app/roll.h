/* The roll: what the processes were called that were spawned last, for those
   who ask after they have ended. It lies outside of the arena. Looking up costs
   a pass over all that it has. */
#ifndef MD_APP_ROLL_H
#define MD_APP_ROLL_H

#include "host/host.h"

enum { ROLL_NAME = 40, ROLL_MOST = 1 << 16 };

typedef struct roll_entry {
  const void *pid; /* as Lua has it */
  char name[ROLL_NAME];
} roll_entry;

/* Zeroes are an empty one; the newest is at `next` - 1. */
typedef struct app_roll {
  roll_entry *entries;
  uint32_t count, capacity, next;
} app_roll;

/* p of s is entered, if it has a name. */
void roll_enter(app_roll *, const host_sim *, uint32_t p);

/* What the process of that pid was called, cut to ROLL_NAME; NULL: it is not on
   the roll. */
const char *roll_find(const app_roll *, const void *pid);

void roll_close(app_roll *);

#endif
