/* What a journal is made of, for journal.c, which keeps and compares signals,
   and journal_begin.c, which begins. */
#ifndef MD_APP_JOURNAL_STATE_H
#define MD_APP_JOURNAL_STATE_H

#include "app/journal.h"
#include "host/loop.h"
#include "image/journal.h"

/* Kinds of records. */
enum {
  JOURNAL_SIGNALS = 'S', /* packed, see below */
  JOURNAL_CALL = 'c',    /* md.use calls its function */
  JOURNAL_RESULT = 'r',  /* which has returned: plain values */
  JOURNAL_ERROR = 'e',   /* or failed */
  JOURNAL_SAVE = 's',    /* md.save: its answer, or ! and why not */
  JOURNAL_TEXT = 't',    /* a file of the model's was loaded: its text */
  JOURNAL_ANEW = 'T',    /* the same, for md.reload */
  JOURNAL_LINE = 'l',    /* of the prompt: after so many events, its text */
  JOURNAL_END = '.',     /* the run is over: its exit status */
};

/* Signals are packed: kind, sim, then the differences to the one before of time
   and pids, and the detail, in 7 bits a byte with the lowest first. A record
   begins from nothing, so that each can be read alone. */
enum { JOURNAL_PACKED = 64, JOURNAL_FULL = 32 << 10, JOURNAL_LOST = 0xff };

struct app_journal {
  host_journal base;
  host_pause pause; /* replay: goes no further than `to` */
  double to;
  host_pause lines; /* replay: before the next line of the prompt */
  FILE *file;
  const char *path;
  app_tracer *tracer;
  md_host *host;
  bool over, failed;
  uint64_t signals;     /* so far */
  md_trace_record last; /* the one before, in this record */
  char packed[JOURNAL_FULL + JOURNAL_PACKED];
  size_t used;
  md_journal_record record; /* replay: the present one, and */
  size_t at;                /* how much of it is read */
  bool pending;             /* it is read, and not yet dealt with */
};

/* Writes a record; and first what signals there are. */
void journal_put(app_journal *, uint32_t kind, const void *bytes, size_t size);
void journal_flush(app_journal *);

/* The next record is there to be read; false at the end of the journal. */
bool journal_next(app_journal *);

/* The next record must be of that kind; otherwise the program ends here. */
void journal_expect(app_journal *, uint32_t kind, const char *words);

/* The program ends here, with what it has to say already said. */
void journal_leave(app_journal *, int status);

/* What a host_journal does. */
bool journal_answer(host_journal *, md_host *, md_note *bytes, bool *failed);
void journal_keep(host_journal *, md_host *, md_note bytes, bool failed);
void journal_saved(host_journal *, md_host *, const char *answer);
const char *journal_save(host_journal *, md_host *);
const char *journal_text(host_journal *, md_host *, md_note now, bool anew,
                         size_t *size);

#endif
