/* moondial.h: processes of a Moondial model that are written in C.

   A body is a C function that the simulator calls whenever its process goes on.
   It does what is to be done at this time, says what it waits for next, and
   returns; a body that returns without waiting has ended. What it has to
   remember lies in its memory, `md_memory`, and where it goes on in `p->at`:
   the macros MD_BEGIN, MD_SLEEP, MD_RECEIVE and their like keep that, so that a
   body reads from top to bottom. Local variables are gone after each wait.

       #include <moondial.h>

       void till(md_process *p) {
         MD_BEGIN(p);
         for (;;) {
           MD_RECEIVE(p, md_tag_of("serve"), MD_ANYBODY);
           MD_SLEEP(p, md_exponential(p, md_stream_of(p, NULL), 0.8));
         }
         MD_END(p);
       }

   A model in Lua starts it: md.spawn_native(library.till). In C++ a body is
   extern "C". From outside it is a process as any other. What would be raised
   in one of Lua's ends it, with the same error. Nothing here may be called but
   from the body that `p` is of.

   Memory is saved in images, and taken back by md.rewind. So it must hold no
   address but of itself and of what the functions below give for as long, such
   as a stream. What a library keeps elsewhere is neither saved nor taken back:
   it has no variables of its own but constant ones. */
#ifndef MOONDIAL_H
#define MOONDIAL_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the program and a library must agree on. It changes when an old library
   would not work any more; what is added comes behind what there was. */
#define MOONDIAL_ABI 1

#ifndef MOONDIAL_PROGRAM
/* The program looks for it in the library that a body is from. */
extern __attribute__((weak, visibility("default"))) const uint32_t moondial_abi;
const uint32_t moondial_abi = MOONDIAL_ABI;
#endif

/* -- values -- */

typedef uint64_t md_pid; /* a process, as Lua has it; 0: none */
typedef uint64_t md_ref; /* what md.ref and asks give */
typedef uint64_t md_tag; /* what a message is found by: its first value */

typedef enum md_type {
  MD_NIL,
  MD_BOOLEAN,
  MD_INTEGER,
  MD_NUMBER,
  MD_TEXT,
  MD_PID,
  MD_REF,
  MD_OTHER, /* a table or the like: it can only be passed on */
} md_type;

typedef struct md_value {
  uint32_t type; /* a md_type */
  uint32_t size; /* of a text, in bytes */
  __extension__ union {
    int64_t integer; /* of a boolean too: 0 or 1 */
    double number;
    uint64_t word; /* of a pid or a ref */
    const char *text;
  };
} md_value;

/* A message lasts until the body receives, or asks, the next time. Its texts
   end with a zero byte, which `size` does not count. */
typedef struct md_message {
  md_pid from; /* the sender, 0: no process; it may have ended */
  uint32_t count, reserved;
  const md_value *values;
} md_message;

/* -- the process -- */

/* Why a body goes on. */
typedef enum md_wakeup {
  MD_BY_START,
  MD_BY_TIME,      /* the sleep is over */
  MD_BY_MESSAGE,   /* it is in p->message */
  MD_BY_TIMEOUT,   /* no message came within the time */
  MD_BY_INTERRUPT, /* md_cause has its cause; see md_catch */
  MD_BY_END,       /* who was asked has ended; see md_catch */
  MD_BY_ROOM,      /* the message sent has been taken */
} md_wakeup;

typedef struct md_calls md_calls;

typedef struct md_process {
  const md_calls *calls;       /* the program's functions */
  const md_message *message;   /* the last received, NULL: none */
  const md_message *arguments; /* what spawn_native was given */
  void *memory;                /* see md_memory */
  int32_t at;                  /* where the body goes on, 0: at its beginning */
  uint32_t wakeup;             /* a md_wakeup */
} md_process;

typedef void md_body(md_process *p);

typedef struct md_stream md_stream; /* a source of chance */

/* The program's functions. They are called by those below. */
struct md_calls {
  uint32_t abi, size;
  void *(*memory)(md_process *, size_t);
  double (*now)(md_process *);
  md_pid (*self)(md_process *);
  int (*sleep)(md_process *, double d);
  int (*yield)(md_process *);
  int (*receive)(md_process *, md_tag, md_pid from, double within);
  int (*send)(md_process *, md_pid to, uint32_t n, const md_value *);
  int (*ask)(md_process *, md_pid to, uint32_t n, const md_value *,
             double within);
  void (*catches)(md_process *, uint32_t);
  md_value (*cause)(md_process *);
  void (*fail)(md_process *, const char *text);
  void (*mismatch)(md_process *, const md_message *, uint32_t i, uint32_t type);
  void (*results)(md_process *, uint32_t n, const md_value *);
  md_value (*invoke)(md_process *, const char *name, uint32_t n,
                     const md_value *);
  int (*recorder)(md_process *, const char *name, uint32_t n,
                  const char *const *columns);
  void (*record)(md_process *, int recorder, uint32_t n, const md_value *);
  md_stream *(*stream)(md_process *, const char *name);
  double (*uniform)(md_process *, md_stream *, double a, double b);
  int64_t (*integer)(md_process *, md_stream *, int64_t a, int64_t b);
  double (*exponential)(md_process *, md_stream *, double mean);
  double (*normal)(md_process *, md_stream *, double mean, double sd);
  double (*lognormal)(md_process *, md_stream *, double mu, double sigma);
  double (*gamma)(md_process *, md_stream *, double shape, double scale);
  double (*erlang)(md_process *, md_stream *, int64_t k, double mean);
  double (*beta)(md_process *, md_stream *, double a, double b);
  double (*weibull)(md_process *, md_stream *, double shape, double scale);
  double (*pareto)(md_process *, md_stream *, double shape, double scale);
  double (*triangular)(md_process *, md_stream *, double low, double mode,
                       double high);
  int64_t (*poisson)(md_process *, md_stream *, double mean);
  int64_t (*binomial)(md_process *, md_stream *, int64_t n, double p);
  int64_t (*geometric)(md_process *, md_stream *, double p);
  int (*bernoulli)(md_process *, md_stream *, double p);
};

/* -- making values -- */

static inline md_value md_nil(void) {
  md_value v = {MD_NIL, 0, {0}};
  return v;
}

static inline md_value md_boolean(int truth) {
  md_value v = {MD_BOOLEAN, 0, {truth != 0}};
  return v;
}

static inline md_value md_integer(int64_t integer) {
  md_value v = {MD_INTEGER, 0, {integer}};
  return v;
}

static inline md_value md_number(double number) {
  md_value v = {MD_NUMBER, 0, {0}};
  v.number = number;
  return v;
}

/* Of so many bytes; they are copied when the value is sent. */
static inline md_value md_bytes(const char *text, size_t size) {
  md_value v = {MD_TEXT, (uint32_t)size, {0}};
  v.text = text;
  return v;
}

static inline md_value md_text(const char *text) {
  return md_bytes(text, strlen(text));
}

static inline md_value md_a_pid(md_pid pid) {
  md_value v = {MD_PID, 0, {0}};
  v.word = pid;
  return v;
}

static inline md_value md_a_ref(md_ref ref) {
  md_value v = {MD_REF, 0, {0}};
  v.word = ref;
  return v;
}

/* The number and the values of a list: md_send(p, to, MD_VALUES(md_text("a"),
   md_number(1))). In C++ they are a temporary that lasts as long as the call.
 */
#ifdef __cplusplus
} /* extern "C" */
template <typename... V> char (&md_count_(const V &...))[sizeof...(V)];
template <size_t N> struct md_list_ {
  md_value values[N];
  const md_value *first() const { return values; }
};
extern "C" {
#define MD_VALUES(...)                                                         \
  (uint32_t)sizeof(md_count_(__VA_ARGS__)),                                    \
      md_list_<sizeof(md_count_(__VA_ARGS__))>{{__VA_ARGS__}}.first()
#else
#define MD_VALUES(...)                                                         \
  (uint32_t)(sizeof((md_value[]){__VA_ARGS__}) / sizeof(md_value)),            \
      (md_value[]) {                                                           \
    __VA_ARGS__                                                                \
  }
#endif

/* -- tags -- */

#define MD_ANY     ((md_tag)0) /* a message with whatever tag, */
#define MD_ANYBODY ((md_pid)0) /* from whomever */
#define MD_FOREVER (-1.0)

static inline uint64_t md_mix(uint64_t x) {
  x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
  return x ^ x >> 31;
}

static inline md_tag md_tag_kind(uint64_t kind, uint64_t word) {
  return kind << 60 | (md_mix(word) & (~UINT64_C(0) >> 4));
}

/* The tag of the messages that begin with such a value. Two texts have the same
   tag with the odds of 2^-60. */
static inline md_tag md_tag_bytes(const char *text, size_t size) {
  uint64_t hash = size * UINT64_C(0x9e3779b97f4a7c15), word;
  for (; size > 8; size -= 8, text += 8) {
    memcpy(&word, text, 8);
    hash = md_mix(hash ^ word) + 1;
  }
  word = 0;
  memcpy(&word, text, size);
  return md_tag_kind(1, hash ^ word);
}

static inline md_tag md_tag_of(const char *text) {
  return md_tag_bytes(text, strlen(text));
}

static inline md_tag md_tag_integer(int64_t integer) {
  return md_tag_kind(2, (uint64_t)integer);
}

static inline md_tag md_tag_ref(md_ref ref) { return ref; }
static inline md_tag md_tag_pid(md_pid pid) { return pid; }

/* -- what a body does at once -- */

/* So many bytes of its own, less than 4 GB, zero at first; the same ones in
   every call. The size is that of the first. Never NULL: where there is no
   memory they are lent until the body returns, which ends the process. */
static inline void *md_memory(md_process *p, size_t size) {
  return p->memory != NULL ? p->memory : p->calls->memory(p, size);
}

/* The time, in units of the sim. */
static inline double md_now(md_process *p) { return p->calls->now(p); }

static inline md_pid md_self(md_process *p) { return p->calls->self(p); }

/* Ends the process with this error, {kind = "native"}, as soon as the body
   returns or waits. */
__attribute__((format(printf, 2, 3))) static inline void
md_fail(md_process *p, const char *format, ...) {
  char text[400];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  p->calls->fail(p, text);
}

/* What a join of the process returns. The last call counts. */
static inline void md_results(md_process *p, uint32_t n,
                              const md_value *values) {
  p->calls->results(p, n, values);
}

/* What does not end the process, but is told by p->wakeup: */
enum {
  MD_CATCH_INTERRUPT = 1, /* MD_BY_INTERRUPT */
  MD_CATCH_NOPROC = 2,    /* MD_BY_END, after an ask */
};
static inline void md_catch(md_process *p, uint32_t what) {
  p->calls->catches(p, what);
}

/* The cause of the interrupt that the body goes on by. */
static inline md_value md_cause(md_process *p) { return p->calls->cause(p); }

/* Calls a function of md, one that does not wait, and gives its first result:
   md_invoke(p, "kill", MD_VALUES(md_a_pid(victim))). A text lasts until the
   next wait. */
static inline md_value md_invoke(md_process *p, const char *name, uint32_t n,
                                 const md_value *values) {
  return p->calls->invoke(p, name, n, values);
}

/* A recorder of that name and these columns, for md_record in the same sim; it
   can be kept in memory. */
static inline int md_recorder(md_process *p, const char *name, uint32_t n,
                              const char *const *columns) {
  return p->calls->recorder(p, name, n, columns);
}

static inline void md_record(md_process *p, int recorder, uint32_t n,
                             const md_value *values) {
  p->calls->record(p, recorder, n, values);
}

/* -- reading messages -- */

static inline int md_message_has(const md_message *m, uint32_t i,
                                 uint32_t type) {
  return m != NULL && i < m->count && m->values[i].type == type;
}

/* Value i of a message, from 0, which is the tag. Where it is of another type
   the process ends with an error that says so, once the body waits, and 0 comes
   back. A number may be an integer. */
static inline double md_get_number(md_process *p, const md_message *m,
                                   uint32_t i) {
  if (md_message_has(m, i, MD_NUMBER)) return m->values[i].number;
  if (md_message_has(m, i, MD_INTEGER)) return (double)m->values[i].integer;
  p->calls->mismatch(p, m, i, MD_NUMBER);
  return 0;
}

static inline int64_t md_get_integer(md_process *p, const md_message *m,
                                     uint32_t i) {
  if (md_message_has(m, i, MD_INTEGER)) return m->values[i].integer;
  p->calls->mismatch(p, m, i, MD_INTEGER);
  return 0;
}

static inline int md_get_boolean(md_process *p, const md_message *m,
                                 uint32_t i) {
  if (md_message_has(m, i, MD_BOOLEAN)) return m->values[i].integer != 0;
  p->calls->mismatch(p, m, i, MD_BOOLEAN);
  return 0;
}

static inline const char *md_get_text(md_process *p, const md_message *m,
                                      uint32_t i) {
  if (md_message_has(m, i, MD_TEXT)) return m->values[i].text;
  p->calls->mismatch(p, m, i, MD_TEXT);
  return "";
}

static inline md_pid md_get_pid(md_process *p, const md_message *m,
                                uint32_t i) {
  if (md_message_has(m, i, MD_PID)) return m->values[i].word;
  p->calls->mismatch(p, m, i, MD_PID);
  return 0;
}

static inline md_ref md_get_ref(md_process *p, const md_message *m,
                                uint32_t i) {
  if (md_message_has(m, i, MD_REF)) return m->values[i].word;
  p->calls->mismatch(p, m, i, MD_REF);
  return 0;
}

/* -- chance -- */

/* The stream of that name, the same as md.rng(name) has; NULL: the process's
   own. It lasts as long as the process. */
static inline md_stream *md_stream_of(md_process *p, const char *name) {
  return p->calls->stream(p, name);
}

/* As the methods of md.rng. A wrong parameter ends the process with an error,
   and gives 0. */
static inline double md_uniform(md_process *p, md_stream *s, double a,
                                double b) {
  return p->calls->uniform(p, s, a, b);
}
static inline int64_t md_random_integer(md_process *p, md_stream *s, int64_t a,
                                        int64_t b) {
  return p->calls->integer(p, s, a, b);
}
static inline double md_exponential(md_process *p, md_stream *s, double mean) {
  return p->calls->exponential(p, s, mean);
}
static inline double md_normal(md_process *p, md_stream *s, double mean,
                               double sd) {
  return p->calls->normal(p, s, mean, sd);
}
static inline double md_lognormal(md_process *p, md_stream *s, double mu,
                                  double sigma) {
  return p->calls->lognormal(p, s, mu, sigma);
}
static inline double md_gamma(md_process *p, md_stream *s, double shape,
                              double scale) {
  return p->calls->gamma(p, s, shape, scale);
}
static inline double md_erlang(md_process *p, md_stream *s, int64_t k,
                               double mean) {
  return p->calls->erlang(p, s, k, mean);
}
static inline double md_beta(md_process *p, md_stream *s, double a, double b) {
  return p->calls->beta(p, s, a, b);
}
static inline double md_weibull(md_process *p, md_stream *s, double shape,
                                double scale) {
  return p->calls->weibull(p, s, shape, scale);
}
static inline double md_pareto(md_process *p, md_stream *s, double shape,
                               double scale) {
  return p->calls->pareto(p, s, shape, scale);
}
static inline double md_triangular(md_process *p, md_stream *s, double low,
                                   double mode, double high) {
  return p->calls->triangular(p, s, low, mode, high);
}
static inline int64_t md_poisson(md_process *p, md_stream *s, double mean) {
  return p->calls->poisson(p, s, mean);
}
static inline int64_t md_binomial(md_process *p, md_stream *s, int64_t n,
                                  double probability) {
  return p->calls->binomial(p, s, n, probability);
}
static inline int64_t md_geometric(md_process *p, md_stream *s,
                                   double probability) {
  return p->calls->geometric(p, s, probability);
}
static inline int md_bernoulli(md_process *p, md_stream *s,
                               double probability) {
  return p->calls->bernoulli(p, s, probability);
}

/* -- what a body waits for -- */

/* Each of these is true when the process has to wait: the body returns then,
   and is called again when the wait is over. The macros below do that.

   A send waits only for room in a full inbox whose on_full is "block". */
static inline int md_sleep(md_process *p, double d) {
  return p->calls->sleep(p, d);
}

/* Whatever is due now goes first. */
static inline int md_yield(md_process *p) { return p->calls->yield(p); }

/* The first message with that tag from that process comes to p->message; NULL
   when none came within so much time (MD_FOREVER: no end to that). */
static inline int md_receive(md_process *p, md_tag tag, md_pid from,
                             double within) {
  return p->calls->receive(p, tag, from, within);
}

static inline int md_send(md_process *p, md_pid to, uint32_t n,
                          const md_value *values) {
  return p->calls->send(p, to, n, values);
}

/* Sends (first value, self, ref, the others) and waits for the reply, whose
   first value is the ref. */
static inline int md_ask(md_process *p, md_pid to, uint32_t n,
                         const md_value *values, double within) {
  return p->calls->ask(p, to, n, values, within);
}

/* The macros: between MD_BEGIN and MD_END, at most one in a line, and not
   inside of a switch of the body's own. */
enum { MD_AT_CLOSE = -1 };

#define MD_BEGIN(p)                                                            \
  switch ((p)->at) {                                                           \
  case 0:

#define MD_END(p)                                                              \
  break;                                                                       \
  default:                                                                     \
    break;                                                                     \
    }                                                                          \
    (void)(p)

#define MD_WAIT_(p, wait)                                                      \
  do {                                                                         \
    (p)->at = __LINE__;                                                        \
    if (wait) return;                                                          \
    __attribute__((fallthrough));                                              \
  case __LINE__:;                                                              \
  } while (0)

#define MD_SLEEP(p, d) MD_WAIT_(p, md_sleep(p, d))
#define MD_YIELD(p)    MD_WAIT_(p, md_yield(p))

#define MD_RECEIVE(p, tag, from)                                               \
  MD_WAIT_(p, md_receive(p, tag, from, MD_FOREVER))
#define MD_RECEIVE_WITHIN(p, tag, from, d)                                     \
  MD_WAIT_(p, md_receive(p, tag, from, d))

/* MD_SEND(p, to, values ...) and the like. */
#define MD_SEND(p, to, ...) MD_WAIT_(p, md_send(p, to, MD_VALUES(__VA_ARGS__)))
#define MD_REPLY(p, to, ref, ...)                                              \
  MD_WAIT_(p, md_send(p, to, MD_VALUES(md_a_ref(ref), __VA_ARGS__)))
#define MD_ASK(p, to, ...)                                                     \
  MD_WAIT_(p, md_ask(p, to, MD_VALUES(__VA_ARGS__), MD_FOREVER))
#define MD_ASK_WITHIN(p, d, to, ...)                                           \
  MD_WAIT_(p, md_ask(p, to, MD_VALUES(__VA_ARGS__), d))

/* What follows is done at the end of the body, and also when it is killed, or
   ends by an error, while it waits: what it holds outside of its memory can be
   given back there. It cannot wait. */
#define MD_FINALLY(p)                                                          \
  (p)->at = MD_AT_CLOSE;                                                       \
  __attribute__((fallthrough));                                                \
  case MD_AT_CLOSE:

#ifdef __cplusplus
}
#endif

#endif
