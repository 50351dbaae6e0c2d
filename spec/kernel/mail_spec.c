/* mail: against a naive list, with and without the index by tag. */
#include "kernel/mail.h"

#include <string.h>

#include "kernel/rng.h"
#include "spec/check.h"

static md_arena *arena;
static md_procs procs;
static md_mails mails;
static md_time now;
static uint64_t dice = 1;

static uint64_t roll(uint64_t n) { return md_rng_splitmix(&dice) % n; }

static void open_mails(uint32_t processes) {
  EXPECT(md_procs_open(&procs, arena));
  EXPECT(md_mails_open(&mails, arena, &procs, &now));
  for (uint32_t p = 1; p <= processes; p++) EXPECT(md_procs_take(&procs) == p);
}

static void close_mails(void) {
  md_mails_close(&mails);
  md_procs_close(&procs);
  EXPECT(md_arena_used(arena) == 0);
}

static uint32_t put(uint32_t p, uint64_t tag, uint32_t slot) {
  return md_mails_put(&mails, p, tag, 0, slot, 1);
}

static bool indexed(uint32_t p) { return procs.hot[p].flags & MD_INDEXED; }

static void claim_order(void) {
  open_mails(2);
  IT("keeps messages in order of arrival") {
    for (uint32_t i = 1; i <= 5; i++) EXPECT(put(1, i % 2 + 1, i) != 0);
    EXPECT(procs.hot[1].inbox_count == 5 && procs.hot[2].inbox_count == 0);
    uint32_t e = 0, n = 0;
    while ((e = md_mails_find(&mails, 1, 0, e)) != 0)
      EXPECT(mails.envelopes[e].mail.slot == ++n);
    EXPECT(n == 5 && md_mails_find(&mails, 2, 0, 0) == 0);
  }
  IT("finds the first of a tag, and those that follow") {
    uint32_t e = md_mails_find(&mails, 1, 1, 0);
    EXPECT(mails.envelopes[e].mail.slot == 2);
    e = md_mails_find(&mails, 1, 1, e);
    EXPECT(mails.envelopes[e].mail.slot == 4);
    EXPECT(md_mails_find(&mails, 1, 1, e) == 0);
    EXPECT(md_mails_find(&mails, 1, 77, 0) == 0);
  }
  IT("takes from the middle, the front and the end") {
    uint32_t e[6] = {0};
    for (int i = 1; i <= 5; i++) e[i] = md_mails_find(&mails, 1, 0, e[i - 1]);
    EXPECT(md_mails_take(&mails, 1, e[3]).slot == 3);
    EXPECT(md_mails_take(&mails, 1, e[1]).slot == 1);
    EXPECT(md_mails_take(&mails, 1, e[5]).slot == 5);
    EXPECT(md_mails_find(&mails, 1, 0, 0) == e[2]);
    EXPECT(md_mails_find(&mails, 1, 0, e[2]) == e[4]);
    EXPECT(md_mails_find(&mails, 1, 0, e[4]) == 0);
  }
  close_mails();
}

static void claim_put_back(void) {
  for (int index = 0; index < 2; index++) {
    open_mails(1);
    mails.arrivals = UINT32_MAX - 20; /* they go on past the end */
    for (uint32_t i = 1; i <= 60; i++) put(1, 1 + i % 3, i);
    if (index) md_mails_find(&mails, 1, 99, 0);
    IT(index ? "puts a message back where its arrival says, when indexed"
             : "puts a message back where its arrival says") {
      EXPECT(!index || indexed(1));
      md_mail taken[60];
      for (int i = 0; i < 40; i++) {
        uint32_t e = md_mails_find(&mails, 1, 0, 0);
        for (uint64_t skip = roll(20); skip > 0; skip--)
          e = md_mails_find(&mails, 1, 0, e);
        taken[i] = md_mails_take(&mails, 1, e);
      }
      for (int i = 0; i < 40; i++)
        EXPECT(md_mails_put_back(&mails, 1, &taken[i]) != 0);
      uint32_t e = 0;
      for (uint32_t i = 1; i <= 60; i++) {
        e = md_mails_find(&mails, 1, 0, e);
        EXPECT(mails.envelopes[e].mail.slot == i);
      }
      e = 0;
      for (uint32_t i = 3; i <= 60; i += 3) {
        e = md_mails_find(&mails, 1, 1, e);
        EXPECT(mails.envelopes[e].mail.slot == i);
      }
    }
    close_mails();
  }
}

/* -- the naive inboxes: arrays in order of arrival ------------------------ */

enum { PROCESSES = 20, INBOX = 300 };

static struct {
  md_mail mails[INBOX];
  uint32_t count;
} naive[PROCESSES + 1];

/* A tag with its differences in high bits alone, or in low ones. */
static uint64_t some_tag(void) {
  uint64_t n = 1 + roll(12);
  return roll(2) ? n << 52 : n;
}

static bool step_put(uint32_t p, uint32_t number) {
  if (naive[p].count == INBOX) return true;
  uint32_t e = put(p, some_tag(), number);
  if (e == 0) return false;
  naive[p].mails[naive[p].count++] = mails.envelopes[e].mail;
  return true;
}

static bool same(const md_mail *a, const md_mail *b) {
  return a->slot == b->slot && a->tag == b->tag && a->arrival == b->arrival;
}

static uint32_t naive_find(uint32_t p, uint64_t tag, uint32_t from) {
  while (from < naive[p].count && tag != 0 && naive[p].mails[from].tag != tag)
    from++;
  return from;
}

/* Looks for a tag, perhaps beyond a few that match, and takes what is found;
   now and then puts it back. */
static bool step_take(uint32_t p) {
  uint64_t tag = roll(10) ? some_tag() : 0;
  uint32_t e = 0, at = 0;
  for (uint64_t skip = roll(3) + 1; skip > 0; skip--) {
    e = md_mails_find(&mails, p, tag, e);
    at = naive_find(p, tag, at);
    if (at == naive[p].count || e == 0) return e == 0 && at == naive[p].count;
    if (!same(&mails.envelopes[e].mail, &naive[p].mails[at])) return false;
    at += skip > 1;
  }
  md_mail mail = md_mails_take(&mails, p, e);
  if (!same(&mail, &naive[p].mails[at])) return false;
  if (roll(8) == 0) return md_mails_put_back(&mails, p, &mail) != 0;
  naive[p].count--;
  memmove(&naive[p].mails[at], &naive[p].mails[at + 1],
          (naive[p].count - at) * sizeof mail);
  return true;
}

/* Looks for a tag after an envelope of any other. */
static bool step_after(uint32_t p) {
  uint32_t e = 0, at = 0;
  for (uint64_t skip = roll(40) + 1; skip > 0; skip--) {
    uint32_t next = md_mails_find(&mails, p, 0, e);
    if (next == 0) break;
    at += e != 0;
    e = next;
  }
  uint64_t tag = some_tag();
  uint32_t found = md_mails_find(&mails, p, tag, e);
  at = naive_find(p, tag, at + (e != 0));
  if (at == naive[p].count || found == 0)
    return found == 0 && at == naive[p].count;
  return same(&mails.envelopes[found].mail, &naive[p].mails[at]);
}

static bool counts_match(void) {
  uint32_t bins = 0;
  for (uint32_t p = 1; p <= PROCESSES; p++)
    if (procs.hot[p].inbox_count != naive[p].count) return false;
  for (uint32_t i = 0; i < mails.bins_capacity; i++)
    bins += mails.bins[i].first != 0;
  return bins == mails.bins_used;
}

static bool random_run(uint64_t seed, bool refuse, uint32_t *most) {
  dice = seed;
  memset(naive, 0, sizeof naive);
  for (uint32_t i = 1; i <= 60000; i++) {
    uint32_t p = 1 + (uint32_t)roll(PROCESSES);
    if (refuse && roll(20) == 0)
      md_arena_fail_at(arena, md_arena_count(arena) + 1);
    uint64_t act = roll(100), ins = i / 10000 % 2 ? 30 : 55;
    if (act < ins) {
      if (!step_put(p, i) && !refuse) return false;
    } else if (act < 95 && !step_take(p) && !refuse) {
      return false;
    } else if (act >= 95 && !step_after(p)) {
      return false;
    }
    if (mails.bins_used > *most) *most = mails.bins_used;
    if (i % 512 == 0 && !counts_match()) return false;
  }
  md_arena_fail_at(arena, 0);
  for (uint32_t p = 1; p <= PROCESSES; p++)
    while (naive[p].count > 0)
      if (!step_take(p)) return false;
  return counts_match() && mails.bins_used == 0;
}

static void claim_random(void) {
  IT("finds what a naive list finds, whatever is indexed") {
    for (uint64_t seed = 1; seed <= 4; seed++) {
      uint32_t most = 0;
      open_mails(PROCESSES);
      EXPECT(random_run(seed, false, &most));
      EXPECT(most > 100);
      close_mails();
    }
  }
}

static void claim_index(void) {
  open_mails(2);
  IT("indexes an inbox once a walk was long, until it is empty") {
    for (uint32_t i = 1; i <= 1000; i++) put(1, i << 8, i);
    EXPECT(!indexed(1));
    uint32_t e = md_mails_find(&mails, 1, 900 << 8, 0);
    EXPECT(mails.envelopes[e].mail.slot == 900);
    EXPECT(indexed(1) && mails.bins_used == 1000);
    while ((e = md_mails_find(&mails, 1, 0, 0)) != 0)
      md_mails_take(&mails, 1, e);
    EXPECT(!indexed(1) && mails.bins_used == 0);
  }
  IT("keeps bins near their home whatever bits of the tags differ") {
    bool near = true;
    for (int shift = 0; shift <= 52; shift += 4) {
      for (uint64_t i = 1; i <= 2000; i++) put(1, i << shift, 1);
      md_mails_find(&mails, 1, UINT64_MAX, 0);
      uint32_t run = 0;
      for (uint32_t i = 0; i < mails.bins_capacity; i++) {
        run = mails.bins[i].first ? run + 1 : 0;
        near = near && run < 200;
      }
      for (uint32_t e; (e = md_mails_find(&mails, 1, 0, 0)) != 0;)
        md_mails_take(&mails, 1, e);
    }
    EXPECT(near);
  }
  close_mails();
}

static void claim_line(void) {
  open_mails(3);
  IT("keeps those that wait for room in a line of their own") {
    EXPECT(md_procs_extra(&procs, 2) != NULL);
    md_mail mail = {.tag = 5};
    uint32_t e[4];
    for (uint32_t i = 0; i < 4; i++) {
      mail.slot = i;
      e[i] = md_mails_line(&mails, 2, &mail);
      EXPECT(e[i] != 0);
    }
    EXPECT(procs.hot[2].inbox_count == 0);
    EXPECT(md_mails_unline(&mails, 2, e[1]).slot == 1);
    md_proc_extra *extra = md_procs_extra(&procs, 2);
    EXPECT(extra->line_first == e[0] && extra->line_last == e[3]);
    EXPECT(md_mails_unline(&mails, 2, e[0]).slot == 0);
    EXPECT(md_mails_unline(&mails, 2, e[3]).slot == 3);
    EXPECT(extra->line_first == e[2] && extra->line_last == e[2]);
    EXPECT(md_mails_unline(&mails, 2, e[2]).slot == 2);
    EXPECT(extra->line_first == 0 && extra->line_last == 0);
  }
  close_mails();
}

static md_inbox_figures figures(uint32_t p) {
  md_inbox_figures it;
  EXPECT(md_mails_figures(&mails, p, &it));
  return it;
}

static void claim_figures(void) {
  open_mails(3);
  now = 10;
  EXPECT(md_procs_date(&procs, 2, 10));
  IT("keeps the level over time, waits, and what came of each") {
    uint32_t first = put(1, 1, 1), second = put(1, 1, 2);
    now = 13;
    md_mails_take(&mails, 1, first);
    now = 20;
    md_mails_drop(&mails, 1, second);
    put(1, 1, 3);
    now = 21;
    md_inbox_figures it = figures(1);
    EXPECT(it.from == 0 && it.until == 21 && it.level == 1 && it.most == 2);
    EXPECT(it.taken == 1 && it.dropped == 1 && it.area == 14);
    EXPECT(it.waited == 3 && it.longest == 3);
  }
  IT("counts what is handed over, however often, from when a process was "
     "made") {
    md_mails_handed(&mails, 2);
    EXPECT(figures(2).taken == 1 && procs.cold[2].inbox == 0);
    EXPECT(figures(2).from == 10 && figures(3).from == 0);
    procs.hot[2].handed = UINT32_MAX;
    md_mails_handed(&mails, 2);
    md_mails_handed(&mails, 2);
    EXPECT(figures(2).taken == ((uint64_t)1 << 32) + 1);
  }
  IT("counts once what comes back") {
    md_mail mail = {.tag = 1, .arrival = mails.arrivals};
    md_mails_handed(&mails, 3);
    EXPECT(md_mails_put_back(&mails, 3, &mail) != 0);
    EXPECT(figures(3).taken == 0 && figures(3).level == 1);
    md_mails_take(&mails, 3, md_mails_find(&mails, 3, 0, 0));
    EXPECT(figures(3).taken == 1);
  }
  IT("forgets all but what lies there") {
    md_mails_reset(&mails);
    now = 25;
    md_inbox_figures it = figures(1);
    EXPECT(it.from == 21 && it.level == 1 && it.most == 1 && it.area == 4);
    EXPECT(it.taken == 0 && it.dropped == 0 && it.waited == 0);
    EXPECT(figures(2).taken == 0 && figures(3).taken == 0);
    md_mails_take(&mails, 1, md_mails_find(&mails, 1, 0, 0));
    EXPECT(figures(1).waited == 5);
  }
  IT("keeps nothing where nobody observes") {
    md_inbox_figures it;
    EXPECT(md_mails_ignore(&mails, 2));
    put(2, 1, 1);
    md_mails_lost(&mails, 2);
    EXPECT(!md_mails_figures(&mails, 2, &it));
  }
  IT("uses a record again, empty") {
    uint32_t used = mails.inboxes_used, record = procs.cold[1].inbox;
    md_mails_close_inbox(&mails, 1);
    EXPECT(figures(1).dropped == 0);
    put(1, 1, 1);
    EXPECT(procs.cold[1].inbox == record && mails.inboxes_used == used);
    EXPECT(figures(1).taken == 0 && figures(1).waited == 0);
  }
  now = 0;
  close_mails();
}

static void claim_memory(void) {
  IT("keeps the inbox as it was when there is no memory") {
    open_mails(1);
    uint32_t sent = 0;
    for (;;) {
      md_arena_fail_at(arena, md_arena_count(arena) + 1);
      if (put(1, 1, sent + 1) == 0) break;
      sent++;
    }
    md_arena_fail_at(arena, 0);
    EXPECT(procs.hot[1].inbox_count == sent && mails.arrivals == sent);
    EXPECT(put(1, 1, sent + 1) != 0);
    close_mails();
  }
  IT("walks on where there is no memory for the index") {
    open_mails(1);
    for (uint32_t i = 1; i <= 500; i++) put(1, i, i);
    for (int n = 1; n <= 3; n++) {
      md_arena_fail_at(arena, md_arena_count(arena) + (uint64_t)n);
      uint32_t e = md_mails_find(&mails, 1, 400, 0);
      EXPECT(mails.envelopes[e].mail.slot == 400);
      EXPECT(!indexed(1) && mails.bins_used == 0);
    }
    md_arena_fail_at(arena, 0);
    md_mails_find(&mails, 1, 400, 0);
    EXPECT(indexed(1));
    close_mails();
  }
  IT("loses no message when the index can not grow") {
    uint32_t most = 0;
    open_mails(PROCESSES);
    EXPECT(random_run(11, true, &most));
    close_mails();
  }
}

int main(void) {
  arena = md_arena_open(0);
  claim_order();
  claim_put_back();
  claim_random();
  claim_index();
  claim_line();
  claim_figures();
  claim_memory();
  md_arena_close(arena);
  return check_done("mail");
}
