/* The mailboxes of a sim. A message is an envelope: who sent it, a tag (equal
   tags may be equal first values; 0: no tag) and where the host holds its
   values. Envelopes stand in a list per process, in order of arrival.

   Looking for a tag walks the list; once a walk has passed MAIL_WALK others,
   the inbox gets an index by tag, and looking costs the same however many
   messages wait. The index lives until the inbox is empty.

   An inbox keeps its level over time, and how long messages lay in it. Only one
   in which a message has lain, or which has lost one, has a record for that;
   what is handed straight to a process that waits is counted, and no more. */
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
  md_time came;                  /* into the inbox */
  uint32_t prev, next;           /* in the inbox or the line */
  uint32_t same_prev, same_next; /* those of the same tag, when indexed */
} md_envelope;

typedef struct md_mail_bin {
  uint64_t tag;
  uint32_t process, first, last; /* first 0: empty */
} md_mail_bin;

/* What an inbox keeps. A message that comes back is not taken any more, and so
   `taken` can be below 0 while the process's own count is above. Times are sums
   of ticks, as such reach far. */
typedef struct md_inbox {
  uint32_t last; /* in the inbox; the next free record */
  uint32_t most; /* messages at a time */
  int64_t taken; /* out of it; more are handed over */
  uint64_t dropped;
  double area;            /* messages times ticks, until `since` */
  md_time since;          /* the last change of its level */
  double waited, longest; /* in ticks, of those that were taken */
  bool off;               /* nothing is kept */
} md_inbox;

/* The same, read: over the time from `from` to `until`. */
typedef struct md_inbox_figures {
  uint32_t level, most;
  uint64_t taken, dropped;
  double area, waited, longest;
  md_time from, until;
} md_inbox_figures;

typedef struct md_mails {
  md_arena *arena;
  md_procs *procs;
  const md_time *now;
  md_time from; /* what was before is not counted any more */
  md_inbox *inboxes;
  uint32_t inboxes_capacity, inboxes_used, inboxes_free;
  md_envelope *envelopes;
  uint32_t capacity, used, free;
  uint32_t arrivals;
  md_mail_bin *bins;
  uint32_t bins_capacity, bins_used;
} md_mails;

bool md_mails_open(md_mails *, md_arena *, md_procs *, const md_time *now);
void md_mails_close(md_mails *);

/* Puts a message at the end of p's inbox, or where its arrival belongs;
   returns its envelope, 0 when there is no memory. */
uint32_t md_mails_put(md_mails *, uint32_t p, uint64_t tag, md_pid from,
                      uint32_t slot, uint32_t count);
uint32_t md_mails_put_back(md_mails *, uint32_t p, const md_mail *);

/* The first envelope of p's inbox after `after` (0: of all) that has this tag
   (0: any); 0 when there is none. */
uint32_t md_mails_find(md_mails *, uint32_t p, uint64_t tag, uint32_t after);

/* Takes an envelope out of p's inbox: p gets it, or nobody does. */
md_mail md_mails_take(md_mails *, uint32_t p, uint32_t envelope);
md_mail md_mails_drop(md_mails *, uint32_t p, uint32_t envelope);

/* The line of those that wait for room in p's inbox: p has its extra part. */
uint32_t md_mails_line(md_mails *, uint32_t p, const md_mail *);
md_mail md_mails_unline(md_mails *, uint32_t p, uint32_t envelope);

/* -- what inboxes keep -- */

/* p's inbox keeps nothing of itself from now on; false: no memory for that. */
bool md_mails_ignore(md_mails *, uint32_t p);

/* The count of what was handed to p has come round to 0. */
void md_mails_carry(md_mails *, uint32_t p);

/* p has got a message that did not lie in its inbox. */
static inline void md_mails_handed(md_mails *m, uint32_t p) {
  if (__builtin_expect(++m->procs->hot[p].handed == 0, 0)) md_mails_carry(m, p);
}

/* A message to p is lost that was not in its inbox. It is not counted when
   there is no memory for the record. */
void md_mails_lost(md_mails *, uint32_t p);

/* Has anything lain in p's inbox, or been lost to it? */
bool md_mails_kept(const md_mails *, uint32_t p);

/* What p's inbox has kept; false if it keeps nothing. */
bool md_mails_figures(const md_mails *, uint32_t p, md_inbox_figures *);

/* All that inboxes have kept is forgotten: a warm-up is over. */
void md_mails_reset(md_mails *);

/* p ends: its record is free. */
void md_mails_close_inbox(md_mails *, uint32_t p);

#endif
