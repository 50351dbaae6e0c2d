/* Chance for processes in C: the streams and distributions of md.rng. */
#include "host/stream.h"
#include "host/ccalls.h"
#include "kernel/dist.h"

#include <string.h>

typedef struct cchance_stream_of {
  const char *name; /* NULL: the one that the process was given */
  md_rng *rng;
} cchance_stream_of;

static void cchance_stream_lua(lua_State *L, cproc *c, void *argument) {
  cchance_stream_of *of = argument;
  host_sim *s = c->sim;
  if (of->name != NULL) {
    of->rng = host_stream(L, s, of->name, strlen(of->name));
    return;
  }
  const md_proc_extra *extra = md_sim_extra(s->kernel, c->process);
  host_fetch(L, s, (uint32_t)extra->words[HOST_PENDING], 1);
  of->rng = chance_test(L, 1);
}

md_stream *cchance_stream(md_process *p, const char *name) {
  cproc *c = (cproc *)p;
  const md_sim *k = c->sim->kernel;
  if (name == NULL && c->seeded) return (md_stream *)&c->rng;
  const md_proc_extra *extra = md_sim_extra(k, c->process);
  if (name != NULL ||
      (extra != NULL && (uint32_t)extra->words[HOST_PENDING] != 0)) {
    cchance_stream_of of = {name, NULL};
    cproc_do(c, cchance_stream_lua, &of);
    return (md_stream *)(of.rng ? of.rng : &c->rng);
  }
  md_rng_derive(&c->rng, md_sim_seed(k), md_sim_cold(k, c->process)->stream, 0);
  c->seeded = true;
  return (md_stream *)&c->rng;
}

static __attribute__((noinline)) double
cchance_no_chance(md_process *p, const char *call, const char *what) {
  cproc_fail((cproc *)p, "usage", "%s: expected %s", call, what);
  return 0;
}

static inline bool cchance_positive(double x) {
  return x >= 1e-300 && x <= 1e300;
}
static inline bool cchance_finite(double x) {
  return x >= -1e300 && x <= 1e300;
}
static inline bool cchance_least(double x) { return x >= 0 && x <= 1e300; }

/* A distribution: its parameters, what must hold of them, what it draws. */
#define CCHANCE_DRAW(type, name, parameters, good, what, draw)                 \
  type cchance_##name parameters {                                             \
    md_rng *rng = (md_rng *)stream;                                            \
    if (__builtin_expect(rng == NULL, 0))                                      \
      return (type)cchance_no_chance(p, "md_" #name,                           \
                                     "a stream, which md_stream_of gives");    \
    if (__builtin_expect(!(good), 0))                                          \
      return (type)cchance_no_chance(p, "md_" #name, what);                    \
    return draw;                                                               \
  }

CCHANCE_DRAW(double, uniform,
             (md_process * p, md_stream *stream, double a, double b),
             cchance_finite(a) && cchance_finite(b) && a <= b,
             "finite bounds, the lower one first", md_dist_uniform(rng, a, b))
CCHANCE_DRAW(int64_t, integer,
             (md_process * p, md_stream *stream, int64_t a, int64_t b), a <= b,
             "a lower bound that is not above the upper one",
             md_dist_integer(rng, a, b))
CCHANCE_DRAW(double, exponential,
             (md_process * p, md_stream *stream, double mean),
             cchance_positive(mean), "a positive mean",
             md_dist_exponential(rng, mean))
CCHANCE_DRAW(double, normal,
             (md_process * p, md_stream *stream, double mean, double sd),
             cchance_finite(mean) && cchance_least(sd),
             "a finite mean, and a standard deviation of at least 0",
             md_dist_normal(rng, mean, sd))
CCHANCE_DRAW(double, lognormal,
             (md_process * p, md_stream *stream, double mu, double sigma),
             cchance_finite(mu) && cchance_least(sigma),
             "a finite mu, and a sigma of at least 0",
             md_dist_lognormal(rng, mu, sigma))
CCHANCE_DRAW(double, gamma,
             (md_process * p, md_stream *stream, double shape, double scale),
             cchance_positive(shape) && cchance_positive(scale),
             "a positive shape and scale", md_dist_gamma(rng, shape, scale))
CCHANCE_DRAW(double, erlang,
             (md_process * p, md_stream *stream, int64_t k, double mean),
             k >= 1 && cchance_positive(mean),
             "a k of at least 1 and a positive mean",
             md_dist_erlang(rng, k, mean))
CCHANCE_DRAW(double, beta,
             (md_process * p, md_stream *stream, double a, double b),
             cchance_positive(a) && cchance_positive(b), "positive parameters",
             md_dist_beta(rng, a, b))
CCHANCE_DRAW(double, weibull,
             (md_process * p, md_stream *stream, double shape, double scale),
             cchance_positive(shape) && cchance_positive(scale),
             "a positive shape and scale", md_dist_weibull(rng, shape, scale))
CCHANCE_DRAW(double, pareto,
             (md_process * p, md_stream *stream, double shape, double scale),
             cchance_positive(shape) && cchance_positive(scale),
             "a positive shape and scale", md_dist_pareto(rng, shape, scale))
CCHANCE_DRAW(
    double, triangular,
    (md_process * p, md_stream *stream, double low, double mode, double high),
    cchance_finite(low) && cchance_finite(high) && low <= mode && mode <= high,
    "finite low <= mode <= high", md_dist_triangular(rng, low, mode, high))
CCHANCE_DRAW(int64_t, poisson, (md_process * p, md_stream *stream, double mean),
             cchance_least(mean), "a mean of at least 0",
             md_dist_poisson(rng, mean))
CCHANCE_DRAW(int64_t, binomial,
             (md_process * p, md_stream *stream, int64_t n, double odds),
             n >= 0 && odds >= 0 && odds <= 1,
             "an n of at least 0 and a probability from 0 to 1",
             md_dist_binomial(rng, n, odds))
CCHANCE_DRAW(int64_t, geometric,
             (md_process * p, md_stream *stream, double odds),
             odds > 0 && odds <= 1, "a probability above 0, to 1",
             md_dist_geometric(rng, odds))
CCHANCE_DRAW(int, bernoulli, (md_process * p, md_stream *stream, double odds),
             odds >= 0 && odds <= 1, "a probability from 0 to 1",
             md_dist_bernoulli(rng, odds))
