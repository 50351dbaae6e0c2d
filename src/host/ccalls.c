/* What the body of a process in C calls: one table of functions, in the order
   of native/moondial.h. None of them raises: an error ends the process when its
   body returns or waits, and until then they do nothing and give 0. */
#include "host/ccalls.h"
#include "host/pattern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static inline cproc *ccall_of(md_process *p) { return (cproc *)p; }

static inline md_proc *ccall_proc(const cproc *c) {
  return md_sim_proc(c->sim->kernel, c->process);
}

/* -- waiting -- */

/* The calls that wait: 0 when the body goes on, 1 when it has to return. */
enum { CCALL_GOES_ON, CCALL_WAITS };

/* Something is in the way of waiting; false when the body is to go on at once,
   with an interrupt. */
static __attribute__((noinline)) bool ccall_obstacle(cproc *c,
                                                     const char *call) {
  const md_proc *proc = ccall_proc(c);
  if (c->closing)
    cproc_fail(c, "usage", "%s: the process is ending, and cannot wait", call);
  else if (proc->state != MD_RUNNING)
    cproc_fail(c, "usage",
               "%s: the body waits already; it has to return when a call says "
               "that it must",
               call);
  if (c->broken || !(proc->flags & MD_PENDING)) return true;
  cproc_interrupt(c);
  return c->broken;
}

/* May the body wait now? Otherwise *result tells it what to do. */
static inline bool ccall_may_wait(cproc *c, const char *call, int *result) {
  const md_proc *proc = ccall_proc(c);
  *result = CCALL_WAITS;
  if (__builtin_expect(!(c->broken | c->closing) && proc->state == MD_RUNNING &&
                           !(proc->flags & MD_PENDING),
                       1))
    return true;
  if (!ccall_obstacle(c, call)) *result = CCALL_GOES_ON;
  return false;
}

static __attribute__((noinline)) void ccall_no_time(cproc *c, const char *call,
                                                    double d) {
  cproc_fail(c, "usage",
             "%s: expected a duration, a number of at least 0 and not too "
             "distant, got %.14g",
             call, d);
}

/* So many units from now, in ticks; false with an error. */
static bool ccall_ticks(cproc *c, const char *call, double d, md_time *ticks) {
  const md_sim *k = c->sim->kernel;
  if (d >= 0 && md_time_read(md_sim_scale(k), d, ticks) &&
      *ticks <= INT64_MAX - md_sim_now(k))
    return true;
  ccall_no_time(c, call, d);
  return false;
}

static int ccall_sleep(md_process *p, double d) {
  cproc *c = ccall_of(p);
  md_sim *k = c->sim->kernel;
  md_time ticks;
  int result;
  if (!ccall_may_wait(c, "md_sleep", &result)) return result;
  double wanted = d * md_sim_scale(k).factor, slept = md_time_round(wanted);
  ticks = (md_time)slept;
  if (!(wanted >= 0 && wanted < 0x1p51) || md_sim_now(k) >= 1LL << 62) {
    if (!ccall_ticks(c, "md_sleep", d, &ticks)) return CCALL_WAITS;
    slept = (double)ticks;
  }
  ccall_proc(c)->drift += wanted - slept;
  p->wakeup = MD_BY_TIME;
  return md_sim_sleep(k, c->process, ticks) ? CCALL_GOES_ON : CCALL_WAITS;
}

static int ccall_yield(md_process *p) {
  cproc *c = ccall_of(p);
  int result;
  if (!ccall_may_wait(c, "md_yield", &result)) return result;
  md_sim_yield(c->sim->kernel, c->process);
  p->wakeup = MD_BY_TIME;
  return CCALL_WAITS;
}

/* The time until which it waits; -1: for ever. */
static bool ccall_deadline(cproc *c, const char *call, double within,
                           md_time *deadline) {
  *deadline = -1;
  if (within == MD_FOREVER) return true;
  if (!ccall_ticks(c, call, within, deadline)) return false;
  *deadline += md_sim_now(c->sim->kernel);
  return true;
}

static inline void ccall_forget(cproc *c) {
  if (c->mail == NULL) return;
  cmail_drop(c->sim, c->mail);
  c->mail = NULL;
  c->open.message = NULL;
}

static int ccall_receive(md_process *p, md_tag tag, md_pid from,
                         double within) {
  cproc *c = ccall_of(p);
  md_sim *k = c->sim->kernel;
  md_time deadline;
  int result;
  if (!ccall_may_wait(c, "md_receive", &result)) return result;
  if (!ccall_deadline(c, "md_receive", within, &deadline)) return CCALL_WAITS;
  if (__builtin_expect(c->sim->host->out.signalled, 0)) {
    /* a body for which there is always a message never returns else */
    c->sim->host->out.signalled = 0;
    c->sim->host->aborting = true;
    cproc_fail(c, "interrupt", "interrupted by Ctrl-C");
    return CCALL_WAITS;
  }
  ccall_forget(c);
  c->tag = tag;
  c->from = from;
  if (cmail_look(c)) {
    p->wakeup = MD_BY_MESSAGE;
    return CCALL_GOES_ON;
  }
  if (within == 0) { /* less than half a tick is a turn, as in Lua */
    cproc_timeout(c);
    return CCALL_GOES_ON;
  }
  md_sim_wait(k, c->process, MD_WAIT_MESSAGE, deadline, 0);
  return CCALL_WAITS;
}

/* -- sending -- */

typedef struct ccall_sending {
  const char *call;
  md_pid to;
  const md_value *values;
  uint32_t n, envelope;
  uint64_t digest;
  bool lined;
} ccall_sending;

/* The long way, as md.send does it. */
static void ccall_send_lua(lua_State *L, cproc *c, void *argument) {
  ccall_sending *sending = argument;
  host_sim *s = c->sim;
  int n = (int)sending->n;
  lua_pushlightuserdata(L, (void *)(uintptr_t)sending->to);
  uint32_t to = host_pid_arg(L, s, 1, sending->call);
  cmail_push(L, s, sending->values, sending->n);
  message_check(L, s, to, sending->call, 2, n);
  sending->lined = message_send_on(L, s, to, sending->digest, sending->call,
                                   &sending->envelope);
}

static void ccall_deliver(cproc *c, uint32_t to, ccall_sending *sending) {
  if (to != 0 &&
      cmail_send(c, to, sending->values, sending->n, sending->digest))
    return;
  if (cmail_good(c, sending->values, sending->n, false))
    cproc_do(c, ccall_send_lua, sending);
}

/* The message stands in line before an inbox: the body waits until it is taken,
   if it may; else it is taken back. */
static int ccall_line(cproc *c, const char *call, uint32_t envelope,
                      md_time deadline) {
  int result;
  if (ccall_may_wait(c, call, &result)) {
    md_sim_wait(c->sim->kernel, c->process, MD_WAIT_ROOM, deadline, envelope);
    return CCALL_WAITS;
  }
  md_proc *proc = ccall_proc(c);
  uint32_t target = proc->target; /* it may stand in line already */
  c->asked = 0;
  proc->target = envelope;
  host_unline(NULL, c->sim, c->process);
  proc->target = target;
  return result;
}

static int ccall_send(md_process *p, md_pid to, uint32_t n,
                      const md_value *values) {
  cproc *c = ccall_of(p);
  if (c->broken) return CCALL_WAITS;
  ccall_sending sending = {"md_send", to, values, n, 0, 0, false};
  uint32_t index = host_pid_index(c->sim, (void *)(uintptr_t)to);
  sending.digest = cmail_digest(values, n);
  ccall_deliver(c, index, &sending);
  if (sending.lined) return ccall_line(c, "md_send", sending.envelope, -1);
  return c->broken ? CCALL_WAITS : CCALL_GOES_ON;
}

/* Is there something to ask, and somebody else to be asked? */
static bool ccall_asks(cproc *c, md_pid to, uint32_t n) {
  if (n == 0)
    cproc_fail(c, "usage",
               "md_ask: expected a first value, such as "
               "md_text(\"serve\"), got none");
  else if (n > CPROC_VALUES - 2)
    cproc_fail(c, "usage", "md_ask: expected at most %d values, got %u",
               CPROC_VALUES - 2, n);
  else if (host_kind_of((void *)(uintptr_t)to) != HOST_PID)
    cproc_fail(c, "usage", "md_ask: expected a pid, got %#llx",
               (unsigned long long)to);
  else if ((void *)(uintptr_t)to == host_pid_value(c->sim, c->process))
    cproc_fail(c, "usage", "md_ask: a process that asks itself waits for ever");
  return !c->broken;
}

static int ccall_ask(md_process *p, md_pid to, uint32_t n,
                     const md_value *values, double within) {
  cproc *c = ccall_of(p);
  host_sim *s = c->sim;
  md_sim *k = s->kernel;
  md_value all[CPROC_VALUES];
  md_time deadline;
  int result;
  if (!ccall_may_wait(c, "md_ask", &result)) return result;
  if (!ccall_deadline(c, "md_ask", within, &deadline) || !ccall_asks(c, to, n))
    return CCALL_WAITS;
  uint32_t index = host_pid_index(s, (void *)(uintptr_t)to);
  if (index == 0) {
    ccall_forget(c);
    cproc_unanswered(c);
    return c->broken ? CCALL_WAITS : CCALL_GOES_ON;
  }
  c->tag = (md_tag)(uintptr_t)host_ref_value(s, c->process);
  c->from = MD_ANYBODY;
  all[0] = values[0];
  all[1] = md_a_pid((md_pid)(uintptr_t)host_pid_value(s, c->process));
  all[2] = md_a_ref(c->tag);
  memcpy(all + 3, values + 1, (n - 1) * sizeof *values);
  ccall_sending sending = {"md_ask", to, all, n + 2, 0, cmail_digest(values, n),
                           false};
  ccall_deliver(c, index, &sending);
  if (c->broken) return CCALL_WAITS;
  ccall_forget(c);
  c->asked = sending.lined ? to : 0;
  c->deadline = deadline;
  if (sending.lined) return ccall_line(c, "md_ask", sending.envelope, deadline);
  if (deadline == md_sim_now(k)) {
    cproc_timeout(c);
    return CCALL_GOES_ON;
  }
  md_sim_wait(k, c->process, MD_WAIT_REPLY, deadline, index);
  return CCALL_WAITS;
}

/* -- at once -- */

/* What a body without memory writes to until it returns: zeros, of which only
   those that it touches are there. */
static void *ccall_no_memory(cproc *c, size_t size) {
  static void *room;
  static size_t has;
  if (c->broken && size <= has) return room; /* in this turn */
  cproc_no_memory(c);
  if (has > 0) munmap(room, has);
  has = size > 0 ? size : 1;
  room = mmap(NULL, has, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room != MAP_FAILED) return room;
  fprintf(stderr, "moondial: no memory for the %zu bytes of a C process\n",
          size);
  exit(1);
}

static void *ccall_memory(md_process *p, size_t size) {
  cproc *c = ccall_of(p);
  if (p->memory != NULL) return p->memory;
  if (size > UINT32_MAX)
    cproc_fail(c, "usage", "md_memory: expected at most %u bytes, got %zu",
               UINT32_MAX, size);
  else if (size <= sizeof c->room) p->memory = c->room;
  else p->memory = md_arena_alloc(c->sim->host->arena, size);
  if (p->memory == NULL) return ccall_no_memory(c, size);
  c->memory_size = (uint32_t)size;
  return memset(p->memory, 0, size);
}

static double ccall_now(md_process *p) {
  const md_sim *k = ccall_of(p)->sim->kernel;
  return md_time_show(md_sim_scale(k), md_sim_now(k));
}

static md_pid ccall_self(md_process *p) {
  const cproc *c = ccall_of(p);
  return (md_pid)(uintptr_t)host_pid_value(c->sim, c->process);
}

static void ccall_catches(md_process *p, uint32_t what) {
  ccall_of(p)->catches = (uint8_t)what;
}

static md_value ccall_cause(md_process *p) {
  const cproc *c = ccall_of(p);
  return c->cause != NULL ? c->cause->values[0] : md_nil();
}

static void ccall_fail(md_process *p, const char *text) {
  cproc_fail(ccall_of(p), "native", "%s", text);
}

static const char *const ccall_types[] = {
    "nil",    "a boolean", "an integer", "a number",
    "a text", "a pid",     "a ref",      "a value of Lua's"};

static void ccall_mismatch(md_process *p, const md_message *m, uint32_t i,
                           uint32_t type) {
  const char *came = "nothing: it has fewer values";
  if (m == NULL) came = "no message";
  else if (i < m->count) came = ccall_types[m->values[i].type];
  cproc_fail(ccall_of(p), "native", "expected %s as value %u of %s, got %s",
             ccall_types[type], i,
             m != NULL && m == p->arguments ? "the arguments" : "the message",
             came);
}

typedef struct ccall_list {
  const char *name;
  uint32_t n;
  const md_value *values;
} ccall_list;

static void ccall_results_lua(lua_State *L, cproc *c, void *argument) {
  const ccall_list *list = argument;
  host_sim *s = c->sim;
  cmail_push(L, s, list->values, list->n);
  uint32_t slot = host_hold(L, s, 1, (int)list->n);
  host_drop(L, s, c->result, (int)c->results);
  c->result = slot;
  c->results = list->n;
}

static void ccall_results(md_process *p, uint32_t n, const md_value *values) {
  cproc *c = ccall_of(p);
  ccall_list list = {"md_results", n, values};
  if (cmail_good(c, values, n, false)) cproc_do(c, ccall_results_lua, &list);
}

static void ccall_invoke_lua(lua_State *L, cproc *c, void *argument) {
  const ccall_list *list = argument;
  host_sim *s = c->sim;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_getfield(L, -1, "moondial");
  lua_pushlstring(L, list->name, strlen(list->name));
  lua_gettable(L, -2);
  if (!lua_isfunction(L, -1))
    host_raise(L, "usage", "md_invoke: there is no function md.%s", list->name);
  cmail_push(L, s, list->values, list->n);
  lua_call(L, (int)list->n, 1);
  cmail *answer = cmail_read(L, s, MD_ANYBODY, lua_gettop(L), 1);
  cmail_drop(s, c->answer);
  c->answer = answer;
}

static md_value ccall_invoke(md_process *p, const char *name, uint32_t n,
                             const md_value *values) {
  cproc *c = ccall_of(p);
  ccall_list list = {name, n, values};
  if (c->broken || !cmail_good(c, values, n, false) ||
      !cproc_do(c, ccall_invoke_lua, &list))
    return md_nil();
  return c->answer->values[0];
}

/* -- records -- */

/* The recorder of these columns, which is kept; -1 without memory. */
static int ccall_keep(host_bodies *t, md_arena *arena,
                      const cproc_recorder *r) {
  uint32_t k = t->recorder_count;
  for (uint32_t i = 0; i < t->recorder_count; i++) {
    const cproc_recorder *known = &t->recorders[i];
    if (known->records == NULL) k = i;
    if (known->records == r->records && known->table == r->table &&
        known->n == r->n &&
        memcmp(known->columns, r->columns, (size_t)r->n * sizeof(int)) == 0)
      return (int)i;
  }
  if (k == t->recorder_room) {
    uint32_t room = t->recorder_room ? t->recorder_room * 2 : 4;
    void *grown = md_arena_resize(
        arena, t->recorders, t->recorder_room * sizeof *r, room * sizeof *r);
    if (grown == NULL) return -1;
    t->recorders = grown;
    t->recorder_room = room;
  }
  t->recorders[k] = *r;
  t->recorder_count += k == t->recorder_count;
  return (int)k;
}

void ccall_close_sim(const host_sim *s) {
  const host_bodies *t = s->host->bodies;
  for (uint32_t i = 0; i < t->recorder_count; i++)
    if (t->recorders[i].records == s->records) t->recorders[i].records = NULL;
}

static int ccall_recorder(md_process *p, const char *name, uint32_t n,
                          const char *const *columns) {
  cproc *c = ccall_of(p);
  host_sim *s = c->sim;
  cproc_recorder r = {.records = s->records, .n = (int)n};
  if (n == 0 || n > CPROC_COLUMNS)
    cproc_fail(c, "usage", "md_recorder: expected 1 to %d columns, got %u",
               CPROC_COLUMNS, n);
  if (c->broken) return -1;
  r.table = md_records_table(s->records, name, strlen(name));
  bool good = r.table >= 0;
  for (uint32_t i = 0; good && i < n; i++) {
    r.columns[i] =
        md_records_column(s->records, r.table, columns[i], strlen(columns[i]));
    good = r.columns[i] >= 0;
  }
  int id = good ? ccall_keep(s->host->bodies, s->host->arena, &r) : -1;
  if (id < 0) cproc_no_memory(c);
  return id;
}

typedef struct ccall_naming {
  const md_value *value;
  char text[48];
} ccall_naming;

/* A pid or a ref as it prints. */
static void ccall_name_lua(lua_State *L, cproc *c, void *argument) {
  ccall_naming *naming = argument;
  cmail_push(L, c->sim, naming->value, 1);
  luaL_tolstring(L, 1, NULL);
  snprintf(naming->text, sizeof naming->text, "%s", lua_tostring(L, -1));
}

static md_cell ccall_cell(cproc *c, const md_value *v, ccall_naming *naming) {
  switch (v->type) {
  case MD_BOOLEAN:
    return (md_cell){.kind = MD_CELL_BOOLEAN, .boolean = v->integer != 0};
  case MD_INTEGER:
    return (md_cell){.kind = MD_CELL_INTEGER, .integer = v->integer};
  case MD_NUMBER:
    return (md_cell){.kind = MD_CELL_NUMBER, .number = v->number};
  case MD_TEXT:
    return (md_cell){.kind = MD_CELL_TEXT, .text = v->text, .length = v->size};
  case MD_PID:
  case MD_REF:
    naming->value = v;
    cproc_do(c, ccall_name_lua, naming);
    return (md_cell){.kind = MD_CELL_TEXT,
                     .text = naming->text,
                     .length = strlen(naming->text)};
  default:
    return (md_cell){.kind = MD_CELL_NIL};
  }
}

static void ccall_record(md_process *p, int recorder, uint32_t n,
                         const md_value *values) {
  cproc *c = ccall_of(p);
  host_sim *s = c->sim;
  const host_bodies *t = s->host->bodies;
  md_cell cells[CPROC_COLUMNS];
  ccall_naming names[CPROC_COLUMNS];
  if (c->broken) return;
  if (recorder < 0 || (uint32_t)recorder >= t->recorder_count ||
      t->recorders[recorder].records != s->records) {
    cproc_fail(c, "usage",
               "md_record: expected what md_recorder has returned in this sim, "
               "got %d",
               recorder);
    return;
  }
  const cproc_recorder *r = &t->recorders[recorder];
  if (n > (uint32_t)r->n)
    cproc_fail(c, "usage", "md_record: it has %d columns, got %u values", r->n,
               n);
  if (c->broken || !cmail_good(c, values, n, false)) return;
  for (uint32_t i = 0; i < n; i++)
    cells[i] = ccall_cell(c, &values[i], &names[i]);
  int process = host_log_process(s);
  if (process < 0 ||
      !md_records_row(s->records, r->table, md_sim_now(s->kernel), process,
                      cells, r->columns, (int)n))
    cproc_no_memory(c);
}

const md_calls cproc_calls = {
    MOONDIAL_ABI,      sizeof cproc_calls,  ccall_memory,    ccall_now,
    ccall_self,        ccall_sleep,         ccall_yield,     ccall_receive,
    ccall_send,        ccall_ask,           ccall_catches,   ccall_cause,
    ccall_fail,        ccall_mismatch,      ccall_results,   ccall_invoke,
    ccall_recorder,    ccall_record,        cchance_stream,  cchance_uniform,
    cchance_integer,   cchance_exponential, cchance_normal,  cchance_lognormal,
    cchance_gamma,     cchance_erlang,      cchance_beta,    cchance_weibull,
    cchance_pareto,    cchance_triangular,  cchance_poisson, cchance_binomial,
    cchance_geometric, cchance_bernoulli};
