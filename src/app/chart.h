/* Charts of a run: what the records of one sim say, told to a format that
   draws it. The chart knows the processes by number, in the order in which
   they appear (0 is the script), finds the message that a record is about, and
   what each process waits for. A format only writes.

   Memory: two hundred bytes a process ever, and as much for each message that
   nobody has taken yet; all of it is malloc's. */
#ifndef MD_APP_CHART_H
#define MD_APP_CHART_H

#include "app/app.h"
#include "app/label.h"
#include "app/names.h"

#include <stdio.h>

typedef struct chart_actor {
  md_pid pid;
  char name[64];
  bool shown;     /* the format's: it is in the chart */
  bool started;   /* and has not ended */
  bool blocked;   /* it waits, and the format has been told */
  md_time since;  /* of its last turn */
  uint32_t older; /* the one that had its slot before, or 0 */
} chart_actor;

typedef enum chart_fate {
  CHART_RECEIVED, /* handed over as it is sent */
  CHART_QUEUED,   /* it waits in the inbox, or for room in it */
  CHART_DROPPED,  /* nobody gets it */
} chart_fate;

typedef struct chart_message {
  uint64_t id; /* from 1 on */
  uint32_t from, to;
  md_time sent;
  uint32_t arrival, next; /* of its arrival's list, or in line */
  app_label label;
} chart_message;

/* What is kept of messages until it is known what comes of them. */
enum { CHART_PENDING = 8, CHART_BINS = 1 << 12 };

typedef struct chart {
  const struct chart_format *format;
  FILE *file;
  md_host *host;
  const app_names *names;
  uint32_t sim;      /* whose records it shows, 0: the first that runs */
  const char *model; /* the path of the model */
  char unit[16];     /* of time */
  md_scale scale;
  md_time now;
  chart_actor *actors; /* [0] is the script */
  uint32_t actor_count, actor_capacity;
  uint32_t *latest; /* by slot: its last actor */
  uint32_t latest_count;
  uint32_t current;                     /* whose turn it is, 0: nobody's */
  chart_message pending[CHART_PENDING]; /* sent just now */
  int pending_count;
  chart_message *kept; /* [0] is none */
  uint32_t kept_count, kept_capacity, kept_free;
  uint32_t bins[CHART_BINS]; /* those in inboxes, by arrival */
  uint32_t line;             /* those that wait for room */
  uint64_t messages;         /* so far */
  uint64_t others;           /* records of other sims */

  /* of a sequence chart */
  uint64_t most, drawn, left_out; /* arrows */
  uint32_t shown, first, last;    /* participants: how many, and the outer */
  md_time told;                   /* the time that it has told last */
} chart;

typedef struct chart_format {
  const char *name; /* also the ending of its files */
  void (*head)(chart *);
  void (*spawned)(chart *, uint32_t parent, uint32_t child);
  void (*started)(chart *, uint32_t);
  void (*ended)(chart *, uint32_t, bool failed);
  void (*sent)(chart *, const chart_message *, chart_fate);

  /* A message that was queued is taken, or dropped; the receiver may be gone
     when the run is over. */
  void (*taken)(chart *, const chart_message *, bool dropped);

  /* Anything else, in words, about one or two processes. */
  void (*told)(chart *, md_trace_kind, const char *, uint32_t, uint32_t);

  /* A process waits; it does so no more. */
  void (*blocked)(chart *, uint32_t, const char *words);
  void (*resumed)(chart *, uint32_t);
  void (*foot)(chart *);
  const struct chart_syntax *syntax; /* of a sequence chart */
} chart_format;

extern const chart_format chart_mermaid, chart_plantuml, chart_chrome;

/* The format of that name, NULL: there is none. */
const chart_format *chart_format_of(const char *name);

chart *chart_open(const app_options *, FILE *, const app_names *);

/* The records that follow are of an event of s. */
void chart_begin(chart *, md_host *, const host_sim *);

/* A record, and for a SEND the message in words, else NULL. */
void chart_record(chart *, const md_trace_record *, const app_label *);

/* The event of s that the records were about is over. */
void chart_turn(chart *, host_sim *);

/* The end of the run; false when not all could be written. */
bool chart_close(chart *);

static inline const char *chart_name(const chart *c, uint32_t actor) {
  return c->actors[actor].name;
}

/* -- sequence charts: the same lines in two languages -- */

typedef enum chart_arrow {
  ARROW_DIRECT, /* to who waits for it */
  ARROW_INBOX,
  ARROW_LOST,
  ARROW_SPAWN,
} chart_arrow;

typedef struct chart_syntax {
  const char *head, *foot;
  void (*participant)(chart *, uint32_t, bool created);
  void (*arrow)(chart *, uint32_t from, uint32_t to, chart_arrow, const char *);
  void (*note)(chart *, uint32_t, uint32_t, const char *);
  void (*clock)(chart *, const char *time);
  void (*gone)(chart *, uint32_t, bool failed);
} chart_syntax;

void sequence_head(chart *);
void sequence_spawned(chart *, uint32_t parent, uint32_t child);
void sequence_started(chart *, uint32_t);
void sequence_ended(chart *, uint32_t, bool failed);
void sequence_sent(chart *, const chart_message *, chart_fate);
void sequence_taken(chart *, const chart_message *, bool dropped);
void sequence_told(chart *, md_trace_kind, const char *, uint32_t, uint32_t);
void sequence_foot(chart *);

/* The fields of a sequence chart's format. */
#define CHART_SEQUENCE                                                         \
  .head = sequence_head, .spawned = sequence_spawned,                          \
  .started = sequence_started, .ended = sequence_ended, .sent = sequence_sent, \
  .taken = sequence_taken, .told = sequence_told, .foot = sequence_foot

#endif
