/* The mailboxes of a sim. A message is an envelope: who sent it, a tag (equal
   tags may be equal first values; 0: no tag) and where the host holds its
   values. Envelopes stand in a list per process, in order of arrival.

   Looking for a tag walks the list; once a walk has passed MAIL_WALK others,
   the inbox gets an index by tag, and looking costs the same however many
   messages wait. The index lives until the inbox is empty. */
#ifndef MD_KERNEL_MAIL_H
#define MD_KERNEL_MAIL_H

#include "base/arena.h"
#include "kernel/proc.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct md_mail {
  uint64_t tag;
  md_pid from;          /* the sender, 0: from outside; it may have ended */
  uint32_t slot, count; /* the host's: the values */
  uint32_t to;          /* in a line: whose */
  union {
    uint32_t arrival; /* a number that grows (compare differences) */
    uint32_t sender;  /* in a line: who waits for room, 0: none */
  };
} md_mail;

_Static_assert(sizeof(md_mail) == 32, "a message is half a cache line");

typedef struct md_envelope {
  md_mail mail;
  uint32_t prev, next;           /* in the inbox or the line */
  uint32_t same_prev, same_next; /* those of the same tag, when indexed */
} md_envelope;

typedef struct md_mail_bin {
  uint64_t tag;
  uint32_t process, first, last; /* first 0: empty */
} md_mail_bin;

typedef struct md_mails {
  md_arena *arena;
  md_procs *procs;
  md_envelope *envelopes;
  uint32_t capacity, used, free;
  uint32_t arrivals;
  md_mail_bin *bins;
  uint32_t bins_capacity, bins_used;
} md_mails;

bool md_mails_open(md_mails *, md_arena *, md_procs *);
void md_mails_close(md_mails *);

/* Puts a message at the end of p's inbox, or where its arrival belongs;
   returns its envelope, 0 when there is no memory. */
uint32_t md_mails_put(md_mails *, uint32_t p, const md_mail *);
uint32_t md_mails_put_back(md_mails *, uint32_t p, const md_mail *);

/* The first envelope of p's inbox after `after` (0: of all) that has this tag
   (0: any); 0 when there is none. */
uint32_t md_mails_find(md_mails *, uint32_t p, uint64_t tag, uint32_t after);

/* Takes an envelope out of p's inbox. */
md_mail md_mails_take(md_mails *, uint32_t p, uint32_t envelope);

/* The line of those that wait for room in p's inbox: p has its extra part. */
uint32_t md_mails_line(md_mails *, uint32_t p, const md_mail *);
md_mail md_mails_unline(md_mails *, uint32_t p, uint32_t envelope);

#endif
