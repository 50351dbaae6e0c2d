#include "kernel/mail.h"

#include <assert.h>
#include <string.h>

#ifdef MD_HOSTILE
enum { MAIL_FIRST = 2, MAIL_WALK = 1, MAIL_BINS_FIRST = 4, INBOX_FIRST = 1 };
#else
enum { MAIL_FIRST = 64, MAIL_WALK = 32, MAIL_BINS_FIRST = 64, INBOX_FIRST = 8 };
#endif

bool md_mails_open(md_mails *m, md_arena *arena, md_procs *procs,
                   const md_time *now) {
  memset(m, 0, sizeof *m);
  m->arena = arena;
  m->procs = procs;
  m->now = now;
  m->used = m->inboxes_used = 1;
  return true;
}

void md_mails_close(md_mails *m) {
  md_arena_free(m->arena, m->envelopes, m->capacity * sizeof *m->envelopes);
  md_arena_free(m->arena, m->bins, m->bins_capacity * sizeof *m->bins);
  md_arena_free(m->arena, m->inboxes, m->inboxes_capacity * sizeof *m->inboxes);
}

/* -- what inboxes keep -- */

/* A new record for p, 0 when there is no memory. */
static __attribute__((noinline)) uint32_t mail_inbox_new(md_mails *m,
                                                         uint32_t p) {
  uint32_t i = m->inboxes_free;
  if (i != 0) {
    m->inboxes_free = m->inboxes[i].last;
  } else {
    if (m->inboxes_used >= m->inboxes_capacity) {
      uint32_t capacity = m->inboxes_capacity;
      uint32_t wanted = capacity ? capacity * 2 : INBOX_FIRST + 1;
      void *grown =
          md_arena_resize(m->arena, m->inboxes, capacity * sizeof *m->inboxes,
                          wanted * sizeof *m->inboxes);
      if (grown == NULL) return 0;
      m->inboxes = grown;
      m->inboxes_capacity = wanted;
    }
    i = m->inboxes_used++;
  }
  m->inboxes[i] = (md_inbox){.since = *m->now};
  m->procs->hot[p].kept = 1;
  return m->procs->cold[p].inbox = i;
}

/* The index of p's record, 0 without one. */
static inline uint32_t mail_record(const md_mails *m, uint32_t p) {
  return m->procs->hot[p].kept ? m->procs->cold[p].inbox : 0;
}

/* The record of p, made when it is missing; NULL when there is no memory. */
static inline md_inbox *mail_inbox(md_mails *m, uint32_t p) {
  uint32_t i = m->procs->cold[p].inbox;
  if (i == 0) i = mail_inbox_new(m, p);
  return i ? &m->inboxes[i] : NULL;
}

/* The level is about to change. */
static inline void mail_level(const md_mails *m, uint32_t p, md_inbox *it) {
  md_time now = *m->now;
  it->area += (double)m->procs->hot[p].inbox_count * (double)(now - it->since);
  it->since = now;
}

bool md_mails_ignore(md_mails *m, uint32_t p) {
  md_inbox *it = mail_inbox(m, p);
  if (it != NULL) it->off = true;
  return it != NULL;
}

void md_mails_carry(md_mails *m, uint32_t p) {
  md_inbox *it = mail_inbox(m, p);
  if (it != NULL) it->taken += (int64_t)1 << 32;
}

void md_mails_lost(md_mails *m, uint32_t p) {
  md_inbox *it = mail_inbox(m, p);
  if (it != NULL) it->dropped++;
}

bool md_mails_kept(const md_mails *m, uint32_t p) {
  return mail_record(m, p) != 0;
}

bool md_mails_figures(const md_mails *m, uint32_t p, md_inbox_figures *out) {
  const md_proc *proc = &m->procs->hot[p];
  uint32_t i = m->procs->cold[p].inbox;
  md_time now = *m->now, born = md_procs_born(m->procs, p);
  *out = (md_inbox_figures){.level = proc->inbox_count,
                            .taken = proc->handed,
                            .from = born > m->from ? born : m->from,
                            .until = now};
  if (i == 0) return true;
  const md_inbox *it = &m->inboxes[i];
  out->most = it->most;
  out->taken += (uint64_t)it->taken;
  out->dropped = it->dropped;
  out->area = it->area + (double)proc->inbox_count * (double)(now - it->since);
  out->waited = it->waited;
  out->longest = it->longest;
  return !it->off;
}

void md_mails_reset(md_mails *m) {
  m->from = *m->now;
  for (uint32_t p = 1; p < m->procs->used; p++) {
    uint32_t i = m->procs->cold[p].inbox;
    m->procs->hot[p].handed = 0;
    if (m->procs->hot[p].state == MD_FREE || i == 0) continue;
    md_inbox *it = &m->inboxes[i];
    *it = (md_inbox){.last = it->last,
                     .most = m->procs->hot[p].inbox_count,
                     .since = m->from,
                     .off = it->off};
  }
}

void md_mails_close_inbox(md_mails *m, uint32_t p) {
  uint32_t i = mail_record(m, p);
  if (i == 0) return;
  m->inboxes[i].last = m->inboxes_free;
  m->inboxes_free = i;
  m->procs->cold[p].inbox = 0;
}

/* -- the index by tag: open addressing with linear probing -- */

static uint32_t mail_bin_home(const md_mails *m, uint32_t p, uint64_t tag) {
  uint64_t hash = (tag ^ (uint64_t)p << 32) * 0x9e3779b97f4a7c15u;
  hash = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u;
  return (uint32_t)(hash >> 32) & (m->bins_capacity - 1);
}

/* The bin of (p, tag), or the empty one where it would be. */
static md_mail_bin *mail_bin(md_mails *m, uint32_t p, uint64_t tag) {
  uint32_t i = mail_bin_home(m, p, tag);
  for (;;) {
    md_mail_bin *bin = &m->bins[i];
    if (bin->first == 0 || (bin->tag == tag && bin->process == p)) return bin;
    i = (i + 1) & (m->bins_capacity - 1);
  }
}

static bool mail_bins_grow(md_mails *m) {
  uint32_t capacity = m->bins_capacity ? m->bins_capacity * 2 : MAIL_BINS_FIRST;
  md_mail_bin *old = m->bins;
  uint32_t old_capacity = m->bins_capacity;
  md_mail_bin *bins = md_arena_alloc(m->arena, capacity * sizeof *bins);
  if (bins == NULL) return false;
  memset(bins, 0, capacity * sizeof *bins);
  m->bins = bins;
  m->bins_capacity = capacity;
  for (uint32_t i = 0; i < old_capacity; i++)
    if (old[i].first != 0) *mail_bin(m, old[i].process, old[i].tag) = old[i];
  md_arena_free(m->arena, old, old_capacity * sizeof *old);
  return true;
}

/* Knuth, vol. 3, algorithm 6.4 R: closes the gap that a bin leaves. */
static void mail_bin_remove(md_mails *m, md_mail_bin *bin) {
  uint32_t mask = m->bins_capacity - 1, gap = (uint32_t)(bin - m->bins);
  m->bins[gap].first = 0;
  m->bins_used--;
  for (uint32_t i = (gap + 1) & mask; m->bins[i].first != 0;
       i = (i + 1) & mask) {
    uint32_t home = mail_bin_home(m, m->bins[i].process, m->bins[i].tag);
    if (((i - home) & mask) < ((i - gap) & mask)) continue;
    m->bins[gap] = m->bins[i];
    m->bins[i].first = 0;
    gap = i;
  }
}

/* Enters an envelope; the tag's envelopes stay in order of arrival. */
static bool mail_enter(md_mails *m, uint32_t p, uint32_t e) {
  if (m->bins_used * 2 >= m->bins_capacity && !mail_bins_grow(m)) return false;
  md_envelope *all = m->envelopes;
  md_mail_bin *bin = mail_bin(m, p, all[e].mail.tag);
  all[e].same_prev = all[e].same_next = 0;
  if (bin->first == 0) {
    *bin = (md_mail_bin){all[e].mail.tag, p, e, e};
    m->bins_used++;
    return true;
  }
  uint32_t after = bin->last;
  while (after != 0 &&
         (int32_t)(all[after].mail.arrival - all[e].mail.arrival) > 0)
    after = all[after].same_prev;
  uint32_t before = after ? all[after].same_next : bin->first;
  all[e].same_prev = after;
  all[e].same_next = before;
  if (after) all[after].same_next = e;
  else bin->first = e;
  if (before) all[before].same_prev = e;
  else bin->last = e;
  return true;
}

static void mail_leave(md_mails *m, uint32_t p, uint32_t e) {
  md_envelope *all = m->envelopes;
  md_mail_bin *bin = mail_bin(m, p, all[e].mail.tag);
  assert(bin->first != 0);
  uint32_t prev = all[e].same_prev, next = all[e].same_next;
  if (prev) all[prev].same_next = next;
  else bin->first = next;
  if (next) all[next].same_prev = prev;
  else bin->last = prev;
  if (bin->first == 0) mail_bin_remove(m, bin);
}

/* Forgets the index of p; its inbox may hold envelopes up to `end`. */
static void mail_unindex(md_mails *m, uint32_t p, uint32_t end) {
  for (uint32_t e = m->procs->hot[p].inbox_first; e != end;
       e = m->envelopes[e].next)
    mail_leave(m, p, e);
  m->procs->hot[p].flags &= ~MD_INDEXED;
}

static void mail_index(md_mails *m, uint32_t p) {
  for (uint32_t e = m->procs->hot[p].inbox_first; e != 0;
       e = m->envelopes[e].next)
    if (!mail_enter(m, p, e)) { /* no memory: walk on */
      mail_unindex(m, p, e);
      return;
    }
  m->procs->hot[p].flags |= MD_INDEXED;
}

/* -- envelopes and lists -- */

/* An envelope to be filled, 0 when there is no memory. */
static uint32_t mail_new(md_mails *m) {
  uint32_t e = m->free;
  if (e != 0) {
    m->free = m->envelopes[e].next;
  } else {
    if (m->used >= m->capacity) {
      uint32_t wanted = m->capacity ? m->capacity * 2 : MAIL_FIRST;
      void *grown = md_arena_resize(m->arena, m->envelopes,
                                    m->capacity * sizeof *m->envelopes,
                                    wanted * sizeof *m->envelopes);
      if (grown == NULL) return 0;
      m->envelopes = grown;
      m->capacity = wanted;
    }
    e = m->used++;
  }
  m->envelopes[e].same_prev = m->envelopes[e].same_next = 0;
  return e;
}

/* Links e after `after` (0: in front) in the list first..last. */
static void mail_link(md_mails *m, uint32_t *first, uint32_t *last, uint32_t e,
                      uint32_t after) {
  uint32_t before = after ? m->envelopes[after].next : *first;
  m->envelopes[e].prev = after;
  m->envelopes[e].next = before;
  if (after) m->envelopes[after].next = e;
  else *first = e;
  if (before) m->envelopes[before].prev = e;
  else *last = e;
}

static md_mail mail_unlink(md_mails *m, uint32_t *first, uint32_t *last,
                           uint32_t e) {
  uint32_t prev = m->envelopes[e].prev, next = m->envelopes[e].next;
  if (prev) m->envelopes[prev].next = next;
  else *first = next;
  if (next) m->envelopes[next].prev = prev;
  else *last = prev;
  md_mail mail = m->envelopes[e].mail;
  m->envelopes[e].next = m->free;
  m->free = e;
  return mail;
}

/* Where the envelope belongs in p's inbox, if it comes back: after this one. */
static uint32_t mail_place(const md_mails *m, uint32_t last, uint32_t e) {
  const md_envelope *all = m->envelopes;
  while (last != 0 &&
         (int32_t)(all[last].mail.arrival - all[e].mail.arrival) > 0)
    last = all[last].prev;
  return last;
}

static void mail_put(md_mails *m, uint32_t p, md_inbox *it, uint32_t e,
                     bool back) {
  md_proc *proc = &m->procs->hot[p];
  uint32_t after = back ? mail_place(m, it->last, e) : it->last;
  if ((proc->flags & MD_INDEXED) && !mail_enter(m, p, e)) mail_unindex(m, p, 0);
  mail_link(m, &proc->inbox_first, &it->last, e, after);
  m->envelopes[e].came = *m->now;
  if (!it->off) {
    mail_level(m, p, it);
    if (proc->inbox_count >= it->most) it->most = proc->inbox_count + 1;
    it->taken -= back;
  }
  proc->inbox_count++;
}

/* The words go where they stay: copied from where they have just been put
   together, which is done 16 bytes at a time, they would be waited for. */
uint32_t md_mails_put(md_mails *m, uint32_t p, uint64_t tag, md_pid from,
                      uint32_t slot, uint32_t count) {
  md_inbox *it = mail_inbox(m, p);
  uint32_t e = it ? mail_new(m) : 0;
  if (e == 0) return 0;
  md_mail *mail = &m->envelopes[e].mail;
  mail->tag = tag;
  mail->from = from;
  mail->slot = slot;
  mail->count = count;
  mail->to = 0;
  mail->arrival = m->arrivals++;
  mail_put(m, p, it, e, false);
  return e;
}

uint32_t md_mails_put_back(md_mails *m, uint32_t p, const md_mail *mail) {
  md_inbox *it = mail_inbox(m, p);
  uint32_t e = it ? mail_new(m) : 0;
  if (e == 0) return 0;
  m->envelopes[e].mail = *mail;
  mail_put(m, p, it, e, true);
  return e;
}

/* The same by the index. A walk for a tag goes from one to the next; only
   one that starts elsewhere passes those that arrived before. */
static uint32_t mail_next_same(md_mails *m, uint32_t p, uint64_t tag,
                               uint32_t after) {
  const md_envelope *all = m->envelopes;
  if (after != 0 && all[after].mail.tag == tag) return all[after].same_next;
  uint32_t e = mail_bin(m, p, tag)->first;
  while (after != 0 && e != 0 &&
         (int32_t)(all[e].mail.arrival - all[after].mail.arrival) < 0)
    e = all[e].same_next;
  return e;
}

uint32_t md_mails_find(md_mails *m, uint32_t p, uint64_t tag, uint32_t after) {
  const md_proc *proc = &m->procs->hot[p];
  if (proc->inbox_count == 0) return 0;
  if (tag != 0 && (m->procs->hot[p].flags & MD_INDEXED))
    return mail_next_same(m, p, tag, after);
  uint32_t e = after ? m->envelopes[after].next : proc->inbox_first;
  if (tag == 0) return e;
  uint32_t walked = 0;
  while (e != 0 && m->envelopes[e].mail.tag != tag) {
    e = m->envelopes[e].next;
    walked++;
  }
  if (walked > MAIL_WALK) mail_index(m, p);
  return e;
}

static md_mail mail_out(md_mails *m, uint32_t p, md_inbox *it, uint32_t e) {
  md_proc *proc = &m->procs->hot[p];
  assert(proc->inbox_count > 0);
  if (!it->off) mail_level(m, p, it);
  if (proc->flags & MD_INDEXED) mail_leave(m, p, e);
  if (--proc->inbox_count == 0) proc->flags &= ~MD_INDEXED;
  return mail_unlink(m, &proc->inbox_first, &it->last, e);
}

md_mail md_mails_take(md_mails *m, uint32_t p, uint32_t e) {
  md_inbox *it = &m->inboxes[m->procs->cold[p].inbox];
  double waited = (double)(*m->now - m->envelopes[e].came);
  it->taken++;
  it->waited += waited;
  if (waited > it->longest) it->longest = waited;
  return mail_out(m, p, it, e);
}

md_mail md_mails_drop(md_mails *m, uint32_t p, uint32_t e) {
  md_inbox *it = &m->inboxes[m->procs->cold[p].inbox];
  it->dropped++;
  return mail_out(m, p, it, e);
}

uint32_t md_mails_line(md_mails *m, uint32_t p, const md_mail *mail) {
  md_proc_extra *extra = &m->procs->extra[m->procs->cold[p].extra];
  uint32_t e = mail_new(m);
  if (e == 0) return 0;
  m->envelopes[e].mail = *mail;
  mail_link(m, &extra->line_first, &extra->line_last, e, extra->line_last);
  return e;
}

md_mail md_mails_unline(md_mails *m, uint32_t p, uint32_t e) {
  md_proc_extra *extra = &m->procs->extra[m->procs->cold[p].extra];
  return mail_unlink(m, &extra->line_first, &extra->line_last, e);
}
