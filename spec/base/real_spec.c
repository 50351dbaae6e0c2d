/* real: against the libm in long double, which has eleven bits more. */
#include "base/real.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "spec/check.h"

enum { POINTS = 400000 };

static uint64_t scramble(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

static double between(uint64_t *state, double lo, double hi) {
  return lo + (hi - lo) * ((double)(scramble(state) >> 11) * 0x1p-53);
}

/* Any positive finite double, every exponent as likely. */
static double any_positive(uint64_t *state) {
  uint64_t bits = scramble(state) % (UINT64_C(0x7ff) << 52);
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* How far x is from the truth, in units of the truth's last place. */
static double ulps(double x, long double truth) {
  if (x == (double)truth) {
    if (isinf(x) || truth == 0) return 0;
  }
  if (isnan(x) || isinf(x)) return DBL_MAX;
  int exponent;
  frexpl(truth, &exponent);
  if (exponent < DBL_MIN_EXP) exponent = DBL_MIN_EXP;
  return (double)fabsl(((long double)x - truth) /
                       ldexpl(1, exponent - DBL_MANT_DIG));
}

static double worst_of(double (*f)(double), long double (*truth)(long double),
                       double lo, double hi) {
  uint64_t state = 7;
  double worst = 0;
  for (int i = 0; i < POINTS; i++) {
    double x = lo == hi ? any_positive(&state) : between(&state, lo, hi);
    double error = ulps(f(x), truth(x));
    if (error > worst) worst = error;
  }
  return worst;
}

static void claim_log(void) {
  IT("takes the log within 0.52 ulp") {
    EXPECT(worst_of(md_real_log, logl, 0, 0) < 0.52);
    EXPECT(worst_of(md_real_log, logl, 0.6, 1.5) < 0.52);
    EXPECT(worst_of(md_real_log, logl, 0.98, 1.02) < 0.52);
    EXPECT(worst_of(md_real_log, logl, 1 - 1e-6, 1 + 1e-6) < 0.52);
    EXPECT(worst_of(md_real_log, logl, 0, 1) < 0.52);
  }
  IT("knows the limits of log") {
    EXPECT(md_real_log(1) == 0);
    EXPECT(md_real_log(0) == -INFINITY);
    EXPECT(md_real_log(-0.0) == -INFINITY);
    EXPECT(md_real_log(INFINITY) == INFINITY);
    EXPECT(isnan(md_real_log(-1)));
    EXPECT(isnan(md_real_log(NAN)));
    EXPECT(ulps(md_real_log(0x1p-1074), logl(0x1p-1074L)) < 0.52);
  }
  IT("takes log1p within 1.5 ulp") {
    EXPECT(worst_of(md_real_log1p, log1pl, 0, 0) < 1.5);
    EXPECT(worst_of(md_real_log1p, log1pl, -1, 1) < 1.5);
    EXPECT(worst_of(md_real_log1p, log1pl, 0, 100) < 1.5);
    EXPECT(worst_of(md_real_log1p, log1pl, -1e-3, 1e-3) < 1.5);
    EXPECT(worst_of(md_real_log1p, log1pl, -1e-15, 1e-15) < 1.5);
    EXPECT(md_real_log1p(-1) == -INFINITY);
    EXPECT(isnan(md_real_log1p(-2)));
    EXPECT(md_real_log1p(INFINITY) == INFINITY);
  }
}

static void claim_exp(void) {
  IT("takes exp within 0.52 ulp, within 1 where it is subnormal") {
    EXPECT(worst_of(md_real_exp, expl, -708, 709.7) < 0.52);
    EXPECT(worst_of(md_real_exp, expl, -1, 1) < 0.52);
    EXPECT(worst_of(md_real_exp, expl, -1e-3, 1e-3) < 0.52);
    EXPECT(worst_of(md_real_exp, expl, -745, -708) < 1);
  }
  IT("knows the limits of exp") {
    EXPECT(md_real_exp(0) == 1);
    EXPECT(md_real_exp(709.78) < INFINITY);
    EXPECT(md_real_exp(709.79) == INFINITY);
    EXPECT(md_real_exp(INFINITY) == INFINITY);
    EXPECT(md_real_exp(-745.1) == 0x1p-1074);
    EXPECT(md_real_exp(-745.2) == 0);
    EXPECT(md_real_exp(-INFINITY) == 0);
    EXPECT(isnan(md_real_exp(NAN)));
  }
}

static double worst_pow(double lo, double hi, double log_size, double least) {
  uint64_t state = 11;
  double worst = 0;
  for (int i = 0; i < POINTS; i++) {
    double x = lo == hi ? any_positive(&state) : between(&state, lo, hi);
    double size = fabs(log(x));
    double y = between(&state, -log_size, log_size) / (size > 0 ? size : 1);
    long double truth = powl(x, y);
    if (truth < least || truth > DBL_MAX) continue;
    double error = ulps(md_real_pow(x, y), truth);
    if (error > worst) worst = error;
  }
  return worst;
}

static void claim_pow(void) {
  IT("takes pow within 0.55 ulp, within 1 where it is subnormal") {
    EXPECT(worst_pow(0, 0, 745, DBL_MIN) < 0.55);
    EXPECT(worst_pow(0.98, 1.02, 745, DBL_MIN) < 0.55);
    EXPECT(worst_pow(0, 10, 745, DBL_MIN) < 0.55);
    EXPECT(worst_pow(0, 10, 5, DBL_MIN) < 0.55);
    EXPECT(worst_pow(0, 0, 745, 0) < 1);
  }
  static const double odd[] = {
      0,       -0.0,     1,         -1,         2,          -2,
      3,       -3,       0.5,       -0.5,       1e9,        0x1p53,
      0x1p-53, -0x1p-53, 0x1p-70,   INFINITY,   1e300,      -INFINITY,
      -1e300,  NAN,      0x1p-1074, 0x1p53 + 2, 0x1p53 - 1, 1 - 0x1p-53};
  enum { COUNT = sizeof odd / sizeof *odd };
  IT("agrees with C11 on the special cases of pow") {
    for (int i = 0; i < COUNT * COUNT; i++) {
      double x = odd[i / COUNT], y = odd[i % COUNT];
      double mine = md_real_pow(x, y), truth = pow(x, y);
      bool same = isnan(truth) ? isnan(mine)
                               : signbit(mine) == signbit(truth) &&
                                     ulps(mine, truth) <= 1;
      if (!same) printf("pow(%a, %a) is %a, not %a\n", x, y, mine, truth);
      EXPECT(same);
    }
  }
}

static double worst_lgamma(double lo, double hi) {
  uint64_t state = 13;
  double worst = 0;
  for (int i = 0; i < POINTS; i++) {
    double x = between(&state, lo, hi);
    double error = fabs(md_real_lgamma(x) - (double)lgammal(x));
    if (error > worst) worst = error;
  }
  return worst;
}

static void claim_lgamma(void) {
  IT("takes lgamma within 4 ulp or 1e-14") {
    EXPECT(worst_lgamma(0, 10) < 1e-14);
    EXPECT(worst_lgamma(0, 1e-3) < 1e-14);
    EXPECT(worst_of(md_real_lgamma, lgammal, 0, 1e-10) < 4);
    EXPECT(worst_of(md_real_lgamma, lgammal, 10, 40) < 4);
    EXPECT(worst_of(md_real_lgamma, lgammal, 10, 1e6) < 4);
    EXPECT(worst_of(md_real_lgamma, lgammal, 1e10, 1e305) < 4);
  }
  IT("knows the limits of lgamma") {
    EXPECT(md_real_lgamma(0) == INFINITY);
    EXPECT(md_real_lgamma(INFINITY) == INFINITY);
    EXPECT(md_real_lgamma(1e308) == INFINITY);
    EXPECT(isnan(md_real_lgamma(-1.5)));
    EXPECT(isnan(md_real_lgamma(NAN)));
    EXPECT(fabs(md_real_lgamma(0x1p-1074) / (1074 * log(2)) - 1) < 1e-15);
  }
  IT("knows what Stirling leaves of log n!") {
    EXPECT(md_real_stirling(0) == 0);
    for (int n = 1; n < 60; n++) {
      long double rest = n - (n + 0.5L) * logl(n) + lgammal(n + 1.0L);
      rest -= 0.918938533204672741780329736405617640L;
      EXPECT(fabsl(md_real_stirling(n) - rest) < 2e-16L);
    }
  }
}

static void claim_floor(void) {
  IT("takes the floor as the libm does") {
    static const double some[] = {
        0,   0.5,          -0.5,          1,      -1,     1.5,      -1.5,
        1e9, 0x1p51 + 0.5, -0x1p51 - 0.5, 0x1p53, -1e300, INFINITY, -INFINITY};
    for (unsigned i = 0; i < sizeof some / sizeof *some; i++)
      EXPECT(md_real_floor(some[i]) == floor(some[i]));
    EXPECT(isnan(md_real_floor(NAN)));
  }
}

/* Sums of the bits of results: any machine, any compiler, the same. */
static uint64_t digest(double (*f)(double), double lo, double hi) {
  uint64_t state = 17, sum = 0;
  for (int i = 0; i < 10000; i++) {
    double y = f(between(&state, lo, hi));
    uint64_t bits;
    memcpy(&bits, &y, sizeof bits);
    sum = (sum ^ bits) * UINT64_C(0x9e3779b97f4a7c15);
    sum ^= sum >> 29;
  }
  return sum;
}

static double cube_root(double x) { return md_real_pow(x, 1.0 / 3); }

static void claim_bits(void) {
  IT("gives the same bits everywhere") {
    EXPECT(digest(md_real_log, 0, 10) == UINT64_C(0x3a5709c16291c069));
    EXPECT(digest(md_real_log1p, -1, 1) == UINT64_C(0x4089ca412d6606d3));
    EXPECT(digest(md_real_exp, -700, 700) == UINT64_C(0x07dd02c4f8b0f934));
    EXPECT(digest(cube_root, 0, 10) == UINT64_C(0x3e167dc0edca20df));
    EXPECT(digest(md_real_lgamma, 0, 100) == UINT64_C(0x9f2719dfef396836));
  }
}

int main(void) {
  claim_log();
  claim_exp();
  claim_pow();
  claim_lgamma();
  claim_floor();
  claim_bits();
  return check_done("real");
}
