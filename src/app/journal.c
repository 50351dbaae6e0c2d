#include "app/journal_state.h"
#include "host/loop.h"
#include "image/journal.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- packing -- */

static void journal_pack_number(app_journal *j, uint64_t n) {
  for (; n >= 0x80; n >>= 7) j->packed[j->used++] = (char)(n | 0x80);
  j->packed[j->used++] = (char)n;
}

static void journal_pack(app_journal *j, const md_trace_record *r) {
  journal_pack_number(j, r->kind);
  journal_pack_number(j, r->sim);
  journal_pack_number(j, (uint64_t)r->time - (uint64_t)j->last.time);
  journal_pack_number(j, r->process ^ j->last.process);
  journal_pack_number(j, r->other ^ j->last.other);
  journal_pack_number(j, r->detail);
  j->last = *r;
}

static uint64_t journal_unpack_number(app_journal *j) {
  uint64_t n = 0;
  for (int shift = 0; j->at < j->record.size && shift < 64; shift += 7) {
    unsigned char byte = (unsigned char)j->record.bytes[j->at++];
    n |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  return n;
}

static void journal_unpack(app_journal *j, md_trace_record *r) {
  r->kind = (uint32_t)journal_unpack_number(j);
  r->sim = (uint32_t)journal_unpack_number(j);
  r->time = (md_time)((uint64_t)j->last.time + journal_unpack_number(j));
  r->process = journal_unpack_number(j) ^ j->last.process;
  r->other = journal_unpack_number(j) ^ j->last.other;
  r->detail = journal_unpack_number(j);
  j->last = *r;
}

/* -- writing -- */

void journal_put(app_journal *j, uint32_t kind, const void *bytes,
                 size_t size) {
  if (j->failed || md_journal_put(j->file, kind, bytes, size)) return;
  j->failed = true;
  fprintf(stderr,
          "moondial: the journal %s cannot be written any more; the run goes "
          "on without it\n",
          j->path);
}

void journal_flush(app_journal *j) {
  if (j->used > 0) journal_put(j, JOURNAL_SIGNALS, j->packed, j->used);
  j->used = 0;
  j->last = (md_trace_record){0};
  if (fflush(j->file) != 0) j->failed = true;
}

/* -- reading -- */

/* The program ends here, with what it has to say already said. */
void journal_leave(app_journal *j, int status) {
  md_host *h = j->host;
  j->over = true;
  status = h->out.at_exit(h, status);
  fflush(NULL);
  exit(status);
}

/* The next record is there to be read; false at the end of the journal. */
bool journal_next(app_journal *j) {
  if (j->pending && j->at < j->record.size) return true;
  if (j->pending && j->record.kind != JOURNAL_SIGNALS) return true;
  j->pending = md_journal_next(j->file, &j->record);
  j->at = 0;
  j->last = (md_trace_record){0};
  return j->pending;
}

static void journal_say(app_journal *j, const md_trace_record *r) {
  if (r->kind == JOURNAL_LOST)
    fprintf(stderr, "%" PRIu64 " signals of one event were left out\n",
            r->detail);
  else app_tracer_words(j->tracer, r, stderr);
}

/* Two signals of the same words differ in what a message says, or in its place
   in the inbox. */
static void journal_say_detail(const md_trace_record *then,
                               const md_trace_record *now) {
  if (then->kind != now->kind || then->detail == now->detail) return;
  if (now->kind == MD_TRACE_SEND)
    fputs("  the two messages say different things\n", stderr);
  else
    fprintf(stderr, "  with the detail %" PRIx64 ", and now %" PRIx64 "\n",
            then->detail, now->detail);
}

/* What the journal has next, which is no signal, in words. */
static const char *journal_words(const app_journal *j) {
  if (!j->pending) return "it has ended";
  switch (j->record.kind) {
  case JOURNAL_END:
    return "the run is over";
  case JOURNAL_SAVE:
    return "md.save";
  case JOURNAL_TEXT:
    return "a file of the model is read";
  case JOURNAL_ANEW:
    return "md.reload";
  case JOURNAL_LINE:
    return "a line of the prompt";
  case JOURNAL_CALL:
    return "md.use";
  default:
    return "md.use is over";
  }
}

/* The journal goes on otherwise, from the next signal on. */
static void journal_differs(app_journal *j, const md_trace_record *now,
                            const char *words) {
  md_trace_record then = {.kind = MD_TRACE_KINDS};
  if (j->pending && j->record.kind == JOURNAL_SIGNALS) journal_unpack(j, &then);
  fflush(stdout);
  fprintf(stderr, "moondial: replay: signal %" PRIu64 " is another one:\n",
          j->signals + 1);
  fputs("  the journal: ", stderr);
  if (then.kind != MD_TRACE_KINDS) journal_say(j, &then);
  else fprintf(stderr, "%s\n", journal_words(j));
  fputs("  now:         ", stderr);
  if (now != NULL) journal_say(j, now);
  else fprintf(stderr, "%s\n", words);
  if (now != NULL) journal_say_detail(&then, now);
  journal_leave(j, APP_FAILED);
}

/* The journal was cut off, by a crash: so far, so good. */
static void journal_cut_off(app_journal *j) {
  fflush(stdout);
  if (!j->host->options.quiet)
    fprintf(stderr,
            "moondial: replay: the journal was cut off after signal %" PRIu64
            "; up to there the run is alike\n",
            j->signals);
  journal_leave(j, APP_DONE);
}

/* The next record must be of that kind. */
void journal_expect(app_journal *j, uint32_t kind, const char *words) {
  if (!journal_next(j) && j->record.cut) journal_cut_off(j);
  if (!j->pending && kind != JOURNAL_END) journal_cut_off(j);
  if (!j->pending || j->record.kind != kind) journal_differs(j, NULL, words);
}

static void journal_compare(app_journal *j, const md_trace_record *now) {
  if (!journal_next(j)) journal_cut_off(j);
  size_t at = j->at;
  md_trace_record before = j->last, then;
  bool same = j->record.kind == JOURNAL_SIGNALS;
  if (same) {
    journal_unpack(j, &then);
    same = memcmp(&then, now, sizeof then) == 0;
  }
  if (same) return;
  j->at = at;
  j->last = before;
  journal_differs(j, now, NULL);
}

/* -- signals -- */

void app_journal_signal(app_journal *j, const md_trace_record *r) {
  if (j->over) return;
  if (j->base.replays) journal_compare(j, r);
  else journal_pack(j, r);
  j->signals++;
  if (j->used >= JOURNAL_FULL) journal_flush(j);
}

void app_journal_lost(app_journal *j, uint64_t count) {
  md_trace_record r = {.kind = JOURNAL_LOST, .detail = count};
  app_journal_signal(j, &r);
}

/* -- what comes from outside -- */

bool journal_answer(host_journal *base, md_host *h, md_note *bytes,
                    bool *failed) {
  app_journal *j = (app_journal *)base; /* its first member */
  app_tracer_read(j->tracer);
  (void)h;
  if (!base->replays) {
    journal_flush(j);
    journal_put(j, JOURNAL_CALL, "", 0);
    fflush(j->file);
    return false;
  }
  journal_expect(j, JOURNAL_CALL, "md.use");
  j->pending = false;
  if (!journal_next(j)) journal_cut_off(j);
  uint32_t kind = j->record.kind;
  *failed = kind == JOURNAL_ERROR;
  if (kind != JOURNAL_RESULT && kind != JOURNAL_ERROR)
    return false; /* the run went on meanwhile */
  *bytes = (md_note){j->record.bytes, j->record.size};
  j->pending = false;
  return true;
}

void journal_keep(host_journal *base, md_host *h, md_note bytes, bool failed) {
  app_journal *j = (app_journal *)base;
  uint32_t kind = failed ? JOURNAL_ERROR : JOURNAL_RESULT;
  app_tracer_read(j->tracer);
  (void)h;
  if (base->replays) {
    journal_expect(j, kind, "md.use is over");
    j->pending = false;
    return;
  }
  journal_flush(j);
  journal_put(j, kind, bytes.text, bytes.size);
  fflush(j->file);
}

void journal_saved(host_journal *base, md_host *h, const char *answer) {
  app_journal *j = (app_journal *)base;
  char text[MD_JOURNAL_ERROR + 2];
  snprintf(text, sizeof text, "%s%s", answer ? "" : "!",
           answer ? answer : h->out.error);
  app_tracer_read(j->tracer);
  journal_flush(j);
  journal_put(j, JOURNAL_SAVE, text, strlen(text));
  fflush(j->file);
}

const char *journal_save(host_journal *base, md_host *h) {
  static char error[MD_JOURNAL_ERROR + 2];
  app_journal *j = (app_journal *)base;
  app_tracer_read(j->tracer);
  journal_expect(j, JOURNAL_SAVE, "md.save");
  j->pending = false;
  snprintf(error, sizeof error, "%.*s", (int)j->record.size, j->record.bytes);
  h->out.error = error + 1;
  return *error == '!'                 ? NULL
         : strcmp(error, "saved") == 0 ? "saved"
                                       : "resumed";
}

/* The text is in a later record of the journal: that of a reload. */
static bool journal_has_reload(const app_journal *j, md_note text) {
  md_journal_record r = {0};
  long long at = ftello(j->file);
  bool found = false;
  while (!found && md_journal_next(j->file, &r))
    found = r.kind == JOURNAL_ANEW && r.size == text.size &&
            memcmp(r.bytes, text.text, text.size) == 0;
  free(r.bytes);
  fseeko(j->file, (off_t)at, SEEK_SET);
  return found;
}

/* The text that a file of the model has now is another one. If the run came to
   that by a reload, it began with the one in the journal. */
static const char *journal_old_text(app_journal *j, md_note now, size_t *size) {
  bool same = j->record.size == now.size &&
              memcmp(j->record.bytes, now.text, now.size) == 0;
  if (!same && journal_has_reload(j, now)) {
    *size = j->record.size;
    return j->record.bytes;
  }
  if (!same && !j->host->options.quiet)
    fputs("moondial: replay: the model is not what it was when the journal was "
          "kept\n",
          stderr);
  return NULL;
}

const char *journal_text(host_journal *base, md_host *h, md_note now, bool anew,
                         size_t *size) {
  app_journal *j = (app_journal *)base;
  app_tracer_read(j->tracer);
  (void)h;
  if (!base->replays) {
    journal_flush(j);
    journal_put(j, anew ? JOURNAL_ANEW : JOURNAL_TEXT, now.text, now.size);
    return NULL;
  }
  if (anew && now.text != NULL) return NULL; /* it was not read at that time */
  if (anew && journal_next(j) && j->record.kind != JOURNAL_ANEW) return NULL;
  journal_expect(j, anew ? JOURNAL_ANEW : JOURNAL_TEXT,
                 anew ? "md.reload" : "a file of the model is read");
  j->pending = false;
  if (!anew) return journal_old_text(j, now, size);
  *size = j->record.size;
  return j->record.bytes;
}

void app_journal_resumed(app_journal *j, md_host *h) {
  journal_saved(&j->base, h, "resumed");
}

/* -- ending -- */

static void journal_end_replay(app_journal *j, int status) {
  char then[16] = "", now[16];
  journal_expect(j, JOURNAL_END, "the run is over");
  snprintf(then, sizeof then, "%.*s", (int)j->record.size, j->record.bytes);
  snprintf(now, sizeof now, "%d", status);
  j->over = true;
  fflush(stdout);
  if (strcmp(then, now) != 0)
    fprintf(stderr,
            "moondial: replay: the run ends with status %s, and with %s in the "
            "journal\n",
            now, then);
  else if (!j->host->options.quiet)
    fprintf(stderr,
            "moondial: replay: alike in all of its %" PRIu64 " signals\n",
            j->signals);
}

int app_journal_close(app_journal *j, md_host *h, int status) {
  char text[16];
  app_tracer_read(j->tracer);
  h->out.journal = NULL;
  if (j->file == NULL) return status;
  if (!j->over && j->base.replays) journal_end_replay(j, status);
  if (!j->base.replays) {
    journal_flush(j);
    snprintf(text, sizeof text, "%d", status);
    journal_put(j, JOURNAL_END, text, strlen(text));
    if (fclose(j->file) != 0 && !j->failed) perror("moondial: --journal");
  } else {
    fclose(j->file);
  }
  j->file = NULL;
  return status;
}
