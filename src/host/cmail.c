/* Messages of processes in C: they are kept as C has them, in blocks of the
   arena. Values that only Lua has (tables and the like) are held for them. */
#include "host/cproc.h"
#include "host/pattern.h"

#include <string.h>

/* -- values -- */

static inline md_tag cmail_tag(const md_value *values, uint32_t n) {
  uint64_t bits;
  if (n == 0) return UINT64_C(7) << 60;
  switch (values->type) {
  case MD_TEXT:
    return md_tag_bytes(values->text, values->size);
  case MD_PID:
  case MD_REF:
    return values->word;
  case MD_INTEGER:
    return md_tag_integer(values->integer);
  case MD_NUMBER:
    if (values->number >= -0x1p62 && values->number <= 0x1p62 &&
        (double)(int64_t)values->number == values->number)
      return md_tag_integer((int64_t)values->number); /* as in Lua, 1 is 1.0 */
    memcpy(&bits, &values->number, sizeof bits);
    return md_tag_kind(3, bits);
  case MD_BOOLEAN:
    return md_tag_kind(4, (uint64_t)values->integer);
  default:
    return (uint64_t)(values->type == MD_NIL ? 5 : 6) << 60;
  }
}

/* The words that match.c makes of the same values. */
static inline uint64_t cmail_word(const md_value *v) {
  uint64_t word = 0;
  double x;
  switch (v->type) {
  case MD_TEXT:
    memcpy(&word, v->text, v->size < 8 ? v->size : 8);
    return word ^ (uint64_t)v->size << 56;
  case MD_NUMBER:
  case MD_INTEGER:
    x = v->type == MD_NUMBER ? v->number : (double)v->integer;
    memcpy(&word, &x, sizeof word);
    return word;
  case MD_PID:
  case MD_REF:
    return host_digest_light(v->word);
  case MD_BOOLEAN:
    return v->integer ? 3 : 5;
  default:
    return (uint64_t)(v->type == MD_NIL ? LUA_TNIL : (int)v->size) + 11;
  }
}

inline uint64_t cmail_digest(const md_value *values, uint32_t n) {
  uint64_t hash = n;
  if (n > HOST_DIGESTED) n = HOST_DIGESTED;
  for (uint32_t i = 0; i < n; i++)
    hash = host_digest_mix(hash, cmail_word(&values[i]));
  return hash;
}

static bool cmail_has(const cmail *m, const md_value *v) {
  return m != NULL && v->word - m->held < m->kept;
}

bool cmail_good(cproc *c, const md_value *values, uint32_t n, bool plain) {
  for (uint32_t i = 0; i < n; i++) {
    const md_value *v = &values[i];
    if (v->type <= MD_TEXT) continue;
    if (v->type == MD_PID && v->word >> 60 == HOST_PID) continue;
    if (v->type == MD_REF && v->word >> 60 == HOST_REF) continue;
    if (v->type == MD_OTHER &&
        (cmail_has(c->mail, v) || cmail_has(c->arguments, v) ||
         cmail_has(c->cause, v) || cmail_has(c->answer, v))) {
      if (plain) return false; /* Lua has to hold it once more */
      continue;
    }
    if (v->type == MD_OTHER)
      cproc_fail(c, "native",
                 "value %u of the message is Lua's, and was a part of one that "
                 "is gone; pass it on before the next receive",
                 i);
    else
      cproc_fail(c, "native",
                 "value %u of the message is no value: it has type %u; "
                 "make it by md_number(x), md_a_pid(pid) and the like",
                 i, v->type);
    return false;
  }
  return true;
}

/* -- blocks -- */

static cmail *cmail_new(host_sim *s, md_pid from, uint32_t n, size_t text) {
  cmail *m = NULL;
  size_t size = sizeof *m + n * sizeof *m->values + text;
  if (size <= UINT32_MAX) m = md_arena_alloc(s->host->arena, size);
  if (m == NULL) return NULL;
  m->open = (md_message){from, n, 0, m->values};
  m->size = (uint32_t)size;
  m->held = m->kept = 0;
  return m;
}

void cmail_drop(host_sim *s, cmail *m) {
  if (m == NULL) return;
  if (m->kept > 0) host_drop(s->host->L, s, m->held, (int)m->kept);
  md_arena_free(s->host->arena, m, m->size);
}

/* The bytes of the texts among them, each with its end. */
static inline size_t cmail_text(const md_value *values, uint32_t n) {
  size_t text = 0;
  for (uint32_t i = 0; i < n; i++)
    if (values[i].type == MD_TEXT) text += (size_t)values[i].size + 1;
  return text;
}

inline cmail *cmail_pack(host_sim *s, md_pid from, const md_value *values,
                         uint32_t n) {
  size_t text = cmail_text(values, n);
  cmail *m = cmail_new(s, from, n, text);
  if (m == NULL) return NULL;
  char *to = (char *)(m->values + n);
  for (uint32_t i = 0; i < n; i++) { /* few: a memcpy takes longer to begin */
    md_value v = values[i];
    if (v.type == MD_TEXT) {
      v.text = memcpy(to, v.text, v.size);
      to[v.size] = '\0';
      to += v.size + 1;
    }
    m->values[i] = v;
  }
  return m;
}

/* -- Lua's values -- */

static md_value cmail_value(lua_State *L, int i) {
  md_value v = {MD_OTHER, 0, {0}};
  size_t size;
  switch (lua_type(L, i)) {
  case LUA_TNIL:
    v.type = MD_NIL;
    break;
  case LUA_TBOOLEAN:
    v = md_boolean(lua_toboolean(L, i));
    break;
  case LUA_TNUMBER:
    if (lua_isinteger(L, i)) v = md_integer(lua_tointeger(L, i));
    else v = md_number(lua_tonumber(L, i));
    break;
  case LUA_TSTRING:
    v.text = lua_tolstring(L, i, &size);
    if (size >= UINT32_MAX) break;
    v.type = MD_TEXT;
    v.size = (uint32_t)size;
    break;
  case LUA_TLIGHTUSERDATA:
    v.word = (uint64_t)(uintptr_t)lua_touserdata(L, i);
    if (host_kind(L, i) == HOST_PID) v.type = MD_PID;
    else if (host_kind(L, i) == HOST_REF) v.type = MD_REF;
    break;
  default:
    break;
  }
  if (v.type == MD_OTHER) v.size = (uint32_t)lua_type(L, i);
  return v;
}

/* Has the values that only Lua has held, in their order; how many there are. */
static uint32_t cmail_hold(lua_State *L, host_sim *s, md_value *values, int n,
                           int first, uint32_t *slot) {
  int base = lua_gettop(L);
  uint32_t kept = 0;
  for (int i = 0; i < n; i++) {
    if (values[i].type != MD_OTHER) continue;
    luaL_checkstack(L, 4, "a message has too many values");
    lua_pushvalue(L, first + i);
    kept++;
  }
  uint32_t next = *slot = host_hold(L, s, base + 1, (int)kept);
  for (int i = 0; i < n; i++)
    if (values[i].type == MD_OTHER) values[i].word = next++;
  lua_settop(L, base);
  return kept;
}

cmail *cmail_read(lua_State *L, host_sim *s, md_pid from, int first, int n) {
  md_value values[CPROC_VALUES];
  uint32_t slot = 0, kept = 0;
  values[0] = md_nil();
  bool others = false;
  if (n > CPROC_VALUES)
    host_raise(L, "usage",
               "a message to a C process has at most %d values, got %d; send "
               "a table, or several messages",
               CPROC_VALUES, n);
  for (int i = 0; i < n; i++) {
    values[i] = cmail_value(L, first + i);
    others = others || values[i].type == MD_OTHER;
  }
  if (others) kept = cmail_hold(L, s, values, n, first, &slot);
  cmail *m = cmail_pack(s, from, values, (uint32_t)n);
  if (m == NULL) {
    host_drop(L, s, slot, (int)kept);
    host_no_memory(L);
  }
  m->held = slot;
  m->kept = kept;
  return m;
}

static void cmail_push_value(lua_State *L, host_sim *s, const md_value *v) {
  switch (v->type) {
  case MD_BOOLEAN:
    lua_pushboolean(L, v->integer != 0);
    break;
  case MD_INTEGER:
    lua_pushinteger(L, v->integer);
    break;
  case MD_NUMBER:
    lua_pushnumber(L, v->number);
    break;
  case MD_TEXT:
    lua_pushlstring(L, v->text, v->size);
    break;
  case MD_PID:
  case MD_REF:
    lua_pushlightuserdata(L, (void *)(uintptr_t)v->word);
    break;
  case MD_OTHER:
    host_fetch(L, s, (uint32_t)v->word, 1);
    break;
  default:
    lua_pushnil(L);
  }
}

void cmail_push(lua_State *L, host_sim *s, const md_value *values, uint32_t n) {
  luaL_checkstack(L, (int)n + 4, "a message has too many values");
  for (uint32_t i = 0; i < n; i++) cmail_push_value(L, s, &values[i]);
}

void host_fetch_mail(lua_State *L, host_sim *s, uint32_t p,
                     const md_mail *mail) {
  if (cproc_of(s, p) == NULL) {
    host_fetch(L, s, mail->slot, (int)mail->count);
    return;
  }
  const cmail *m = cmail_at(mail->slot);
  cmail_push(L, s, m->values, m->open.count);
}

void host_forget_mail(lua_State *L, host_sim *s, uint32_t p,
                      const md_mail *mail) {
  if (cproc_of(s, p) != NULL) cmail_drop(s, cmail_at(mail->slot));
  else host_drop(L, s, mail->slot, (int)mail->count);
}

/* -- handing over -- */

static inline md_pid cmail_light(const host_sim *s, md_pid pid) {
  return pid ? (md_pid)(uintptr_t)host_pid_light(s, pid) : MD_ANYBODY;
}

static inline md_pid cmail_sender(const host_sim *s, uint32_t p) {
  return cmail_light(s, p ? md_sim_pid(s->kernel, p) : 0);
}

static inline bool cmail_wants(const cproc *c, md_tag tag, md_pid from) {
  return (c->tag == MD_ANY || c->tag == tag) &&
         (c->from == MD_ANYBODY || c->from == from);
}

/* c waits for a message: it is handed this one, and goes on. */
static inline void cmail_give(host_sim *s, cproc *c, uint32_t from, cmail *m) {
  md_sim *k = s->kernel;
  uint32_t p = c->process;
  md_proc *proc = md_sim_proc(k, p);
  if (proc->wait == MD_WAIT_REPLY)
    md_sim_cold(k, p)->answered = (uint32_t)m->values->word | 1u << 31;
  c->mail = m;
  c->open.message = &m->open;
  md_sim_wake(k, p, MD_WHY_MESSAGE);
  md_mails_handed(md_sim_mails(k), p);
  proc->target = md_sim_mails(k)->arrivals++;
  md_sim_sent(k, from, p, MD_SENT_RECEIVED);
}

static bool cmail_waits(const md_proc *proc) {
  return proc->state == MD_WAITING &&
         (proc->wait == MD_WAIT_MESSAGE || proc->wait == MD_WAIT_REPLY);
}

bool cmail_awaited(lua_State *L, const cproc *c, int first, int n) {
  const md_value v = n > 0 ? cmail_value(L, first) : md_nil();
  const host_sim *s = c->sim;
  uint32_t from = message_sender(s);
  return cmail_wants(c, cmail_tag(&v, n > 0), cmail_sender(s, from));
}

bool cmail_hand(lua_State *L, host_sim *s, cproc *c, uint32_t from, int first,
                int n) {
  const md_value v = n > 0 ? cmail_value(L, first) : md_nil();
  md_pid sender = cmail_sender(s, from);
  if (!cmail_wants(c, cmail_tag(&v, n > 0), sender)) return false;
  cmail_give(s, c, from, cmail_read(L, s, sender, first, n));
  lua_settop(L, first - 1);
  return true;
}

void cmail_fill(lua_State *L, host_sim *s, md_mail *mail, int first, int n) {
  cmail *m = cmail_read(L, s, cmail_light(s, mail->from), first, n);
  mail->slot = cmail_slot(m);
  mail->tag = cmail_tag(m->values, (uint32_t)n);
}

void cmail_unreceive(lua_State *L, host_sim *s, cproc *c) {
  md_sim *k = s->kernel;
  uint32_t p = c->process;
  cmail *m = c->mail;
  const md_proc *proc = md_sim_proc(k, p);
  if (proc->wait == MD_WAIT_REPLY) {
    cmail_drop(s, m);
    c->mail = NULL;
    c->open.message = NULL;
    md_sim_note(k, MD_TRACE_DROP, 0, p, 0);
    return;
  }
  md_mail mail = {.tag = cmail_tag(m->values, m->open.count),
                  .count = m->open.count,
                  .slot = cmail_slot(m),
                  .arrival = proc->target};
  if (m->open.from != MD_ANYBODY)
    mail.from = host_pid_bits((void *)(uintptr_t)m->open.from);
  if (!md_mails_put_back(md_sim_mails(k), p, &mail)) host_no_memory(L);
  c->mail = NULL;
  c->open.message = NULL;
}

/* -- from C to C -- */

static void cmail_lose(cproc *c, uint32_t to) {
  md_sim *k = c->sim->kernel;
  md_mails_lost(md_sim_mails(k), to);
  md_sim_sent(k, c->process, to, MD_SENT);
  md_sim_note(k, MD_TRACE_DROP, c->process, to, 0);
}

bool cmail_asks(const cproc *c, md_ref ref) {
  const md_proc *proc = md_sim_proc(c->sim->kernel, c->process);
  bool room = proc->state == MD_READY && proc->why == MD_WHY_ROOM;
  bool asks = proc->state == MD_WAITING ? proc->wait == MD_WAIT_REPLY
                                        : room && c->asked != 0;
  return asks && c->tag == ref;
}

/* A reply to an ask that is over. */
static bool cmail_late(const cproc *to, const md_value *v, uint32_t n) {
  return n > 0 && v->type == MD_REF &&
         host_asker((void *)(uintptr_t)v->word) == to->process &&
         !cmail_asks(to, v->word);
}

static void cmail_twice(cproc *c, uint32_t to, const md_value *v) {
  char label[64];
  if (md_sim_cold(c->sim->kernel, to)->answered !=
      ((uint32_t)v->word | 1u << 31))
    return;
  cproc_fail(c, "usage",
             "md_send: %s has had a reply to this ask; an ask takes one",
             host_label(c->sim, to, label));
}

static inline bool cmail_near(const cproc *c, const md_proc *proc) {
  const md_host *h = c->sim->host;
  return !(proc->flags & (MD_BOUNDED | MD_FORWARDS | MD_ACCEPTS)) &&
         h->careful == 0 && !h->recording && h->out.label == NULL;
}

bool cmail_send(cproc *c, uint32_t to, const md_value *values, uint32_t n,
                uint64_t digest) {
  host_sim *s = c->sim;
  md_sim *k = s->kernel;
  uint32_t p = c->process;
  cproc *receiver = cproc_of(s, to);
  const md_proc *proc = md_sim_proc(k, to);
  if (receiver == NULL || n > CPROC_VALUES || !cmail_near(c, proc) ||
      !cmail_good(c, values, n, true))
    return false;
  md_pid own = md_sim_pid(k, p), from = cmail_light(s, own);
  md_tag tag = cmail_tag(values, n);
  md_sim_send(k, p, to, digest);
  bool late = cmail_late(receiver, values, n);
  bool waits = cmail_waits(proc) && cmail_wants(receiver, tag, from);
  if (late || (!waits && proc->flags & MD_DYING)) {
    cmail_lose(c, to);
    if (late) cmail_twice(c, to, values);
    return true;
  }
  cmail *m = cmail_pack(s, from, values, n);
  if (m != NULL && waits) {
    cmail_give(s, receiver, p, m);
    return true;
  }
  if (m == NULL || md_sim_post(k, to, tag, own, cmail_slot(m), n) == 0) {
    cmail_drop(s, m);
    cproc_no_memory(c);
    return true;
  }
  md_sim_sent(k, p, to, MD_SENT_QUEUED);
  return true;
}

/* -- taking -- */

static void cmail_take(cproc *c, uint32_t envelope, bool line) {
  host_sim *s = c->sim;
  md_sim *k = s->kernel;
  uint32_t p = c->process;
  md_mail mail;
  if (line) {
    mail = md_mails_unline(md_sim_mails(k), p, envelope);
    if (mail.sender) md_sim_wake(k, mail.sender, MD_WHY_ROOM);
  } else {
    mail = md_sim_take(k, p, envelope);
  }
  c->mail = cmail_at(mail.slot);
  c->open.message = &c->mail->open;
  md_sim_received(k, p, mail.from, line ? 0 : mail.arrival);
}

static bool cmail_wanted(const cproc *c, const md_mail *mail) {
  return cmail_wants(c, mail->tag, cmail_at(mail->slot)->open.from);
}

bool cmail_look(cproc *c) {
  md_sim *k = c->sim->kernel;
  md_mails *mails = md_sim_mails(k);
  uint32_t p = c->process;
  if (md_sim_proc(k, p)->inbox_count == 0) return false; /* no line */
  for (uint32_t e = 0; (e = md_mails_find(mails, p, c->tag, e)) != 0;) {
    if (!cmail_wanted(c, &mails->envelopes[e].mail)) continue;
    cmail_take(c, e, false);
    return true;
  }
  const md_proc_extra *extra = md_sim_extra(k, p);
  uint32_t e = extra ? extra->line_first : 0;
  for (; e != 0; e = mails->envelopes[e].next) {
    if (!cmail_wanted(c, &mails->envelopes[e].mail)) continue;
    cmail_take(c, e, true);
    return true;
  }
  return false;
}
