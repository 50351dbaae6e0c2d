/* Elementary functions of a double, the same to the bit on every machine.

   The libc picks its log and exp by processor, and they differ in the last
   bit; a run that is to repeat elsewhere cannot call them. These use only
   + - * / on doubles, and tables rounded once (scripts/dist-tables), so IEEE
   754 fixes every result. The invariant rests on the compiler: build with
   -ffp-contract=off and without -ffast-math. sqrt may be taken from the libc,
   since IEEE 754 fixes it too.

   log and exp take 3 to 6 ns, pow 20; the errors stated below
   are demanded by spec/base/real_spec.c. Nothing allocates, nothing keeps
   state, and errno is left alone.

   Sources: log, P. Tang, ACM TOMS 16 (1990); exp, P. Tang, ACM TOMS 15
   (1989), both with finer tables; pow, their composition in two doubles with
   the products of T. Dekker, Numer. Math. 18 (1971); log1p, the correction of
   W. Kahan, HP-15C handbook (1982); lgamma, Stirling's series as in
   Abramowitz and Stegun 6.1.41. */
#ifndef MD_BASE_REAL_H
#define MD_BASE_REAL_H

#include <stdint.h>

/* Within 0.52 ulp; exact at 1. Zero gives -inf, a negative NaN. */
double md_real_log(double x);

/* log(1 + x) within 1.5 ulp; -1 gives -inf, less than that NaN. */
double md_real_log1p(double x);

/* Within 0.52 ulp, within 1 where the result is subnormal. */
double md_real_exp(double x);

/* x to the power y within 0.55 ulp, within 1 where the result is subnormal;
   the special cases are those of C11 F.10.4.4. */
double md_real_pow(double x, double y);

/* log of the gamma function for x >= 0; negative x gives NaN. Within 4 ulp or
   1e-14, whichever is more: near its zeros at 1 and 2 only the absolute error
   is small. */
double md_real_lgamma(double x);

/* log n! less (n + 1/2) log n - n + log(2 pi) / 2, for a whole n >= 1; zero
   for n = 0. Within 2e-16. With it log-densities of large counts can be
   taken without losing digits. */
double md_real_stirling(double n);

/* The largest whole number that is not above x. */
static inline double md_real_floor(double x) {
  if (!(x > -0x1p52 && x < 0x1p52)) return x;
  double whole = (double)(int64_t)x;
  return whole > x ? whole - 1 : whole;
}

#endif
