/* Distributions as the model meets them: the methods of streams. Every
   parameter is checked here; the kernel's functions take them as given. */
#include "host/modules.h"
#include "host/stream.h"
#include "kernel/dist.h"

#include <math.h>
#include <string.h>

static inline md_rng *chance_self(lua_State *L, const char *call) {
  md_rng *rng = chance_test(L, 1);
  if (rng == NULL)
    host_raise(L, "usage",
               "%s: expected a stream before the arguments, got %s; write "
               "md.rng():%s(...), with a colon",
               call, host_describe(L, 1), call);
  return rng;
}

/* -- arguments -- */

static _Noreturn void chance_refuse(lua_State *L, int i, const char *call,
                                    const char *what) {
  host_raise(L, "usage", "%s: expected %s as argument %d, got %s", call, what,
             i - 1, host_describe(L, i));
  __builtin_unreachable();
}

/* The text is not Lua's: on the stack it would be the missing argument. */
static _Noreturn void chance_refuse_named(lua_State *L, int i, const char *call,
                                          const char *format,
                                          const char *name) {
  char what[64];
  snprintf(what, sizeof what, format, name);
  chance_refuse(L, i, call, what);
}

static double chance_number(lua_State *L, int i, const char *call,
                            const char *name) {
  double x = lua_tonumber(L, i);
  if (lua_type(L, i) != LUA_TNUMBER || !(x >= -1e300 && x <= 1e300))
    chance_refuse_named(L, i, call, "a finite %s", name);
  return x;
}

static inline double chance_positive(lua_State *L, int i, const char *call,
                                     const char *name) {
  double x = lua_tonumber(L, i); /* 0 for what is none */
  if (!(x >= 1e-300 && x <= 1e300) || lua_type(L, i) != LUA_TNUMBER)
    chance_refuse_named(L, i, call, "a positive %s", name);
  return x;
}

static double chance_not_negative(lua_State *L, int i, const char *call,
                                  const char *name) {
  double x = lua_tonumber(L, i);
  if (lua_type(L, i) != LUA_TNUMBER || !(x >= 0 && x <= 1e300))
    chance_refuse_named(L, i, call, "a %s of at least 0", name);
  return x;
}

static double chance_probability(lua_State *L, int i, const char *call) {
  double p = lua_tonumber(L, i);
  if (lua_type(L, i) != LUA_TNUMBER || !(p >= 0 && p <= 1))
    chance_refuse(L, i, call, "a probability from 0 to 1");
  return p;
}

static lua_Integer chance_integer(lua_State *L, int i, const char *call,
                                  const char *what) {
  int fits;
  lua_Integer n = lua_tointegerx(L, i, &fits);
  if (lua_type(L, i) != LUA_TNUMBER || !fits) chance_refuse(L, i, call, what);
  return n;
}

static void chance_list(lua_State *L, int i, const char *call) {
  if (!lua_istable(L, i) || lua_rawlen(L, i) == 0)
    chance_refuse(L, i, call, "a list that is not empty");
}

/* -- continuous -- */

/* rng:uniform([a, b]) -> number
   A number in [0, 1), or in [a, b) for finite a <= b; a where they are equal.
   Raises usage for any other bounds.
     print(md.rng("arrivals"):uniform(2, 5)) */
static int m_uniform(lua_State *L) {
  md_rng *rng = chance_self(L, "uniform");
  if (lua_isnoneornil(L, 2)) {
    lua_pushnumber(L, md_rng_unit(rng));
    return 1;
  }
  double a = chance_number(L, 2, "uniform", "lower bound");
  double b = chance_number(L, 3, "uniform", "upper bound");
  if (a > b) chance_refuse(L, 3, "uniform", "a bound not below the first");
  lua_pushnumber(L, md_dist_uniform(rng, a, b));
  return 1;
}

/* rng:exponential(mean) -> number
   Exponential, the mean positive: times between arrivals, for one. Ziggurat of
   256 layers: Marsaglia and Tsang, J. Stat. Software 5 (2000), with the layer
   and the place in it from separate bits (Doornik 2005). Raises usage.
     md.sleep(md.rng("arrivals"):exponential(1.5)) */
static int m_exponential(lua_State *L) {
  md_rng *rng = chance_self(L, "exponential");
  double mean = chance_positive(L, 2, "exponential", "mean");
  lua_pushnumber(L, md_dist_exponential(rng, mean));
  return 1;
}

/* rng:normal(mean, sd) -> number
   Normal, the standard deviation at least 0. Ziggurat of 256 layers, as
   exponential; the tail by Marsaglia, Technometrics 6 (1964). Raises usage
   for any other parameters.
     print(md.rng("height"):normal(170, 8)) */
static int m_normal(lua_State *L) {
  md_rng *rng = chance_self(L, "normal");
  double mean = chance_number(L, 2, "normal", "mean");
  double sd = chance_not_negative(L, 3, "normal", "standard deviation");
  lua_pushnumber(L, md_dist_normal(rng, mean, sd));
  return 1;
}

/* rng:lognormal(mu, sigma) -> number
   exp of a normal with the mean mu and the standard deviation sigma, which is
   at least 0. Raises usage for any other parameters.
     print(md.rng("repair"):lognormal(0, 0.5)) */
static int m_lognormal(lua_State *L) {
  md_rng *rng = chance_self(L, "lognormal");
  double mu = chance_number(L, 2, "lognormal", "mu");
  double sigma = chance_not_negative(L, 3, "lognormal", "sigma");
  lua_pushnumber(L, md_dist_lognormal(rng, mu, sigma));
  return 1;
}

#define CHANCE_POSITIVES(name, first, second)                                  \
  static int m_##name(lua_State *L) {                                          \
    md_rng *rng = chance_self(L, #name);                                       \
    double a = chance_positive(L, 2, #name, first);                            \
    double b = chance_positive(L, 3, #name, second);                           \
    lua_pushnumber(L, md_dist_##name(rng, a, b));                              \
    return 1;                                                                  \
  }

/* rng:gamma(shape, scale) -> number
   Gamma with the mean shape * scale, both positive: Marsaglia and Tsang, ACM
   TOMS 26 (2000), 363. Below a shape of 1 from the next shape, times
   U^(1/shape). Raises usage for any other parameters.
     print(md.rng("rain"):gamma(2, 0.5)) */
CHANCE_POSITIVES(gamma, "shape", "scale")
/* rng:beta(a, b) -> number
   Beta, in [0, 1], a and b positive: X / (X + Y) of two gammas, by logarithms
   where a parameter is below 1. Raises usage for any other parameters.
     print(md.rng("share"):beta(2, 3)) */
CHANCE_POSITIVES(beta, "a", "b")
/* rng:weibull(shape, scale) -> number
   P(X > x) = exp(-(x / scale)^shape), both positive. By inversion. Raises
   usage for any other parameters.
     print(md.rng("lifetime"):weibull(1.5, 1000)) */
CHANCE_POSITIVES(weibull, "shape", "scale")
/* rng:pareto(shape, scale) -> number
   P(X > x) = (scale / x)^shape from scale on, which is the least value; both
   positive. By inversion. Raises usage for any other parameters.
     print(md.rng("size"):pareto(2.5, 10)) */
CHANCE_POSITIVES(pareto, "shape", "scale")

/* rng:erlang(k, mean) -> number
   The sum of k exponentials, k an integer of at least 1; the mean, positive, is
   that of the sum. Raises usage for any other parameters.
     print(md.rng("service"):erlang(3, 6)) */
static int m_erlang(lua_State *L) {
  md_rng *rng = chance_self(L, "erlang");
  lua_Integer k = chance_integer(L, 2, "erlang", "a positive integer");
  if (k < 1) chance_refuse(L, 2, "erlang", "a positive integer");
  double mean = chance_positive(L, 3, "erlang", "mean");
  lua_pushnumber(L, md_dist_erlang(rng, k, mean));
  return 1;
}

/* rng:triangular(lo, mode, hi) -> number
   Triangular in [lo, hi], lo <= mode <= hi, all finite. By inversion. Raises
   usage for any other parameters.
     print(md.rng("guess"):triangular(1, 2, 5)) */
static int m_triangular(lua_State *L) {
  md_rng *rng = chance_self(L, "triangular");
  double lo = chance_number(L, 2, "triangular", "lower bound");
  double mode = chance_number(L, 3, "triangular", "mode");
  double hi = chance_number(L, 4, "triangular", "upper bound");
  if (mode < lo) chance_refuse(L, 3, "triangular", "a mode within the bounds");
  if (hi < mode) chance_refuse(L, 4, "triangular", "a bound above the mode");
  lua_pushnumber(L, md_dist_triangular(rng, lo, mode, hi));
  return 1;
}

/* rng:student_t(df) -> number
   Student's t with df degrees of freedom, any positive number: a normal over
   the root of a chi-squared, by logarithms where df is below 2. Raises usage
   for any other df.
     print(md.rng("noise"):student_t(4)) */
static int m_student_t(lua_State *L) {
  md_rng *rng = chance_self(L, "student_t");
  double df = chance_positive(L, 2, "student_t", "number of degrees");
  lua_pushnumber(L, md_dist_student_t(rng, df));
  return 1;
}

/* rng:chi_squared(df) -> number
   Chi-squared with df degrees of freedom, any positive number: a gamma of the
   shape df / 2. Raises usage for any other df.
     print(md.rng("noise"):chi_squared(3)) */
static int m_chi_squared(lua_State *L) {
  md_rng *rng = chance_self(L, "chi_squared");
  double df = chance_positive(L, 2, "chi_squared", "number of degrees");
  lua_pushnumber(L, md_dist_chi_squared(rng, df));
  return 1;
}

/* -- discrete -- */

/* rng:integer(a, b) -> integer
   An integer from a to b, both included, each as likely. Raises usage when one
   is no integer, or a is above b.
     print(md.rng("die"):integer(1, 6)) */
static int m_integer(lua_State *L) {
  md_rng *rng = chance_self(L, "integer");
  lua_Integer a = chance_integer(L, 2, "integer", "an integer");
  lua_Integer b = chance_integer(L, 3, "integer", "an integer");
  if (a > b) chance_refuse(L, 3, "integer", "an integer not below the first");
  lua_pushinteger(L, md_dist_integer(rng, a, b));
  return 1;
}

/* rng:poisson(mean) -> integer
   The number of events of a Poisson process, the mean at least 0. Below a mean
   of 10 by counting exponentials (Devroye, "Non-Uniform Random Variate
   Generation", 1986, X.3), then PTRS of Hoermann, Insurance: Mathematics and
   Economics 12 (1993). Raises usage for any other mean.
     print(md.rng("calls"):poisson(4)) */
static int m_poisson(lua_State *L) {
  md_rng *rng = chance_self(L, "poisson");
  double mean = chance_not_negative(L, 2, "poisson", "mean");
  lua_pushinteger(L, md_dist_poisson(rng, mean));
  return 1;
}

/* rng:binomial(n, p) -> integer
   Successes in n trials, an integer of at least 0, each with the probability p.
   Where n min(p, 1 - p) is below 10 by waiting times (Devroye 1986, X.4), then
   BTRS of Hoermann, J. Statistical Computation and Simulation 46 (1993).
   Raises usage for any other parameters.
     print(md.rng("faults"):binomial(20, 0.1)) */
static int m_binomial(lua_State *L) {
  md_rng *rng = chance_self(L, "binomial");
  lua_Integer n = chance_integer(L, 2, "binomial", "a number of trials");
  if (n < 0) chance_refuse(L, 2, "binomial", "a number of trials");
  double p = chance_probability(L, 3, "binomial");
  lua_pushinteger(L, md_dist_binomial(rng, n, p));
  return 1;
}

/* rng:geometric(p) -> integer
   Trials up to and with the first success, so at least 1; p is a probability
   above 0. By inversion. Raises usage for any other p.
     print(md.rng("tries"):geometric(0.25)) */
static int m_geometric(lua_State *L) {
  md_rng *rng = chance_self(L, "geometric");
  double p = chance_probability(L, 2, "geometric");
  if (p <= 0) chance_refuse(L, 2, "geometric", "a probability above 0");
  lua_pushinteger(L, md_dist_geometric(rng, p));
  return 1;
}

/* rng:bernoulli(p) -> boolean
   True with the probability p: never for 0, always for 1. Raises usage for any
   other p.
     print(md.rng("coin"):bernoulli(0.5)) */
static int m_bernoulli(lua_State *L) {
  md_rng *rng = chance_self(L, "bernoulli");
  lua_pushboolean(
      L, md_dist_bernoulli(rng, chance_probability(L, 2, "bernoulli")));
  return 1;
}

/* rng:discrete(weights) -> integer
   An index of the list, each as likely as its weight is of their sum; weights
   are at least 0 and need not add up to 1. It takes a time linear in their
   number. Raises usage for an empty list, another weight, a sum of 0.
     print(md.rng("route"):discrete({ 5, 3, 2 })) */
static int m_discrete(lua_State *L) {
  md_rng *rng = chance_self(L, "discrete");
  chance_list(L, 2, "discrete");
  size_t n = lua_rawlen(L, 2);
  double *weights = lua_newuserdatauv(L, n * sizeof *weights, 0), total = 0;
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, 2, (lua_Integer)i + 1);
    double w = lua_tonumber(L, -1);
    if (lua_type(L, -1) != LUA_TNUMBER || !(w >= 0 && w <= 1e300))
      host_raise(L, "usage",
                 "discrete: expected weights of at least 0, got %s as weight "
                 "%d",
                 host_describe(L, -1), (int)i + 1);
    weights[i] = w;
    total += w;
    lua_pop(L, 1);
  }
  if (!(total > 0 && total <= 1e300))
    host_raise(L, "usage",
               "discrete: expected weights with a positive and "
               "finite sum");
  lua_pushinteger(L, (lua_Integer)md_dist_discrete(rng, weights, n, total) + 1);
  return 1;
}

/* rng:choice(list) -> one of its values
   Each place of the list is as likely. Raises usage for an empty list.
     print(md.rng("menu"):choice({ "tea", "coffee" })) */
static int m_choice(lua_State *L) {
  md_rng *rng = chance_self(L, "choice");
  chance_list(L, 2, "choice");
  lua_rawgeti(L, 2, (lua_Integer)md_rng_below(rng, lua_rawlen(L, 2)) + 1);
  return 1;
}

/* rng:empirical(values) -> one of the values
   Draws from what was observed: each value is as likely as it is often in the
   list. Raises usage for an empty list.
     print(md.rng("service"):empirical({ 2.5, 3, 3, 4.5 })) */
static int m_empirical(lua_State *L) {
  md_rng *rng = chance_self(L, "empirical");
  chance_list(L, 2, "empirical");
  lua_rawgeti(L, 2, (lua_Integer)md_rng_below(rng, lua_rawlen(L, 2)) + 1);
  return 1;
}

/* rng:shuffle(list) -> the list
   Puts the list into a random order, in place (Fisher and Yates). Raises usage
   when it is no table.
     print(table.concat(md.rng("cards"):shuffle({ 1, 2, 3 }), " ")) */
static int m_shuffle(lua_State *L) {
  md_rng *rng = chance_self(L, "shuffle");
  if (!lua_istable(L, 2)) chance_refuse(L, 2, "shuffle", "a list");
  for (lua_Integer i = (lua_Integer)lua_rawlen(L, 2); i > 1; i--) {
    lua_Integer k = (lua_Integer)md_rng_below(rng, (uint64_t)i) + 1;
    lua_rawgeti(L, 2, i);
    lua_rawgeti(L, 2, k);
    lua_rawseti(L, 2, i);
    lua_rawseti(L, 2, k);
  }
  lua_settop(L, 2);
  return 1;
}

static const luaL_Reg chance_methods[] = {
    {"uniform", m_uniform},         {"integer", m_integer},
    {"exponential", m_exponential}, {"normal", m_normal},
    {"lognormal", m_lognormal},     {"gamma", m_gamma},
    {"erlang", m_erlang},           {"beta", m_beta},
    {"weibull", m_weibull},         {"pareto", m_pareto},
    {"triangular", m_triangular},   {"poisson", m_poisson},
    {"binomial", m_binomial},       {"geometric", m_geometric},
    {"bernoulli", m_bernoulli},     {"discrete", m_discrete},
    {"choice", m_choice},           {"shuffle", m_shuffle},
    {"empirical", m_empirical},     {"student_t", m_student_t},
    {"chi_squared", m_chi_squared}, {NULL, NULL}};

/* A method that there is not. */
static int chance_index(lua_State *L) {
  static const char *const fields[] = {NULL};
  return field_refuse(L, "stream", fields, chance_methods);
}

static int mt_chance_tostring(lua_State *L) {
  lua_pushliteral(L, "<random stream>");
  return 1;
}

void host_open_chance(lua_State *L) {
  luaL_newmetatable(L, "md.rng");
  lua_pushcfunction(L, mt_chance_tostring);
  lua_setfield(L, -2, "__tostring");
  luaL_newlib(L, chance_methods);
  lua_createtable(L, 0, 1); /* only who misses looks there */
  lua_pushcfunction(L, chance_index);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}
