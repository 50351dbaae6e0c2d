/* Random streams: xoshiro256++ whose start is derived, not counted.

   A stream depends on a seed and a name, or a seed and two integers, and on
   nothing else: not on who asked first, nor in what order. Invariant: the
   state is never all zero. Names and integers enter by 128 bits of hash, so
   two different streams meet with the odds of 2^-128; for one name and two
   seeds, or one seed and two names of the same length up to 8, never.

   A draw takes about 1 ns; a derivation one mixing for each 8 bytes of name
   and a few more. The state is a plain value of 32 bytes, owned by the
   caller, and may be copied: the copy repeats what the original draws.

   Sources: xoshiro256++, D. Blackman and S. Vigna, "Scrambled linear
   pseudorandom number generators", ACM TOMS 47 (2021); SplitMix64, G. Steele,
   D. Lea and C. Flood, "Fast splittable pseudorandom number generators",
   OOPSLA 2014; bounded integers, D. Lemire, "Fast random integer generation
   in an interval", ACM TOMACS 29 (2019). */
#ifndef MD_KERNEL_RNG_H
#define MD_KERNEL_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef struct md_rng {
  uint64_t s[4];
} md_rng;

/* Starts the stream of (seed, name). The name may be empty, may hold any
   bytes, and is not kept. */
void md_rng_seed(md_rng *rng, uint64_t seed, const char *name, size_t length);

/* Starts the stream of (seed, a, b); none of these is a named one. */
void md_rng_derive(md_rng *rng, uint64_t seed, uint64_t a, uint64_t b);

/* A hash of all bytes and of their number, the same on every machine. It is
   not meant against an adversary. */
uint64_t md_rng_hash(const char *bytes, size_t length);

/* A whole number in [0, n), each as likely; n of 0 gives 0. */
uint64_t md_rng_below(md_rng *rng, uint64_t n);

/* The next number of SplitMix64, whose whole state is one integer. */
static inline uint64_t md_rng_splitmix(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static inline uint64_t md_rng_rotate(uint64_t x, int by) {
  return (x << by) | (x >> (64 - by));
}

/* 64 random bits. */
static inline uint64_t md_rng_next(md_rng *rng) {
  uint64_t *s = rng->s;
  uint64_t result = md_rng_rotate(s[0] + s[3], 23) + s[0];
  uint64_t shifted = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = md_rng_rotate(s[3], 45);
  return result;
}

/* A multiple of 2^-53 in [0, 1). */
static inline double md_rng_unit(md_rng *rng) {
  return (double)(int64_t)(md_rng_next(rng) >> 11) * 0x1p-53;
}

/* An odd multiple of 2^-53 in (0, 1): never 0, never 1, mean exactly 1/2. */
static inline double md_rng_unit_open(md_rng *rng) {
  return (double)(int64_t)(md_rng_next(rng) >> 11 | 1) * 0x1p-53;
}

#endif
