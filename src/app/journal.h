/* `--journal` and `moondial replay`: everything that happened, signal by
   signal, and what came from outside, md.use. A replay reads the model again,
   executes it, answers from the journal, compares, and stops at the first
   difference. It works across builds, where images do not. */
#ifndef MD_APP_JOURNAL_H
#define MD_APP_JOURNAL_H

#include "app/app.h"
#include "host/outside.h"

/* Begins a journal, or goes on with one at its length `at` (> 0). NULL after it
   has said why not. */
app_journal *app_journal_create(const app_options *, long long at);

/* Opens one to replay it; the options become those of the run that it is of. */
app_journal *app_journal_open(app_options *);

/* From here on it sees to the host's signals, which the tracer reads. */
void app_journal_lend(app_journal *, md_host *, app_tracer *);

/* The tracer has read a signal, or found that so many were lost. */
void app_journal_signal(app_journal *, const md_trace_record *);
void app_journal_lost(app_journal *, uint64_t count);

/* The run is over with that exit status; the status of the program. */
int app_journal_close(app_journal *, md_host *, int status);

/* Where the file stands, for an image's note. */
void app_journal_note(app_journal *, FILE *note);

/* A line of the prompt is about to be executed. */
void app_journal_line(app_journal *, md_host *, const char *text, size_t size);

/* Where the journal stands; and cuts it off there: what came after never was.
 */
long long app_journal_mark(app_journal *);
void app_journal_return(app_journal *, long long mark);

/* A process of an image has just been told that it is resumed. */
void app_journal_resumed(app_journal *, md_host *);

#endif
