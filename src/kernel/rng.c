#include "kernel/rng.h"

#include <assert.h>

/* The first word of every hash says what it is for; the digits of pi. */
static const uint64_t RNG_NAMED[2] = {UINT64_C(0x243f6a8885a308d3),
                                      UINT64_C(0x13198a2e03707344)};
static const uint64_t RNG_DERIVED[2] = {UINT64_C(0xa4093822299f31d0),
                                        UINT64_C(0x082efa98ec4e6c89)};
static const uint64_t RNG_PLAIN = UINT64_C(0x452821e638d01377);

/* A word enters the hash; one to one in either with the other fixed. */
static uint64_t rng_fold(uint64_t hash, uint64_t word) {
  uint64_t state = hash ^ word;
  return md_rng_splitmix(&state);
}

/* Up to eight bytes as a word, the first the least, on any machine. */
static uint64_t rng_word(const char *bytes, size_t length) {
  uint64_t word = 0;
  for (size_t i = 0; i < length; i++)
    word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
  return word;
}

/* The length last, or a name would equal itself with a NUL behind. */
static uint64_t rng_fold_bytes(uint64_t hash, const char *bytes,
                               size_t length) {
  size_t i = 0;
  for (; length - i > 8; i += 8) hash = rng_fold(hash, rng_word(bytes + i, 8));
  hash = rng_fold(hash, rng_word(bytes + i, length - i));
  return rng_fold(hash, length);
}

/* Two words from each half, of which SplitMix64 lets only one be zero. */
static void rng_expand(md_rng *rng, uint64_t high, uint64_t low) {
  rng->s[0] = md_rng_splitmix(&high);
  rng->s[1] = md_rng_splitmix(&high);
  rng->s[2] = md_rng_splitmix(&low);
  rng->s[3] = md_rng_splitmix(&low);
  assert((rng->s[0] | rng->s[1]) != 0);
}

void md_rng_seed(md_rng *rng, uint64_t seed, const char *name, size_t length) {
  assert(name != NULL || length == 0);
  uint64_t high = rng_fold(RNG_NAMED[0], seed);
  uint64_t low = rng_fold(RNG_NAMED[1], seed);
  rng_expand(rng, rng_fold_bytes(high, name, length),
             rng_fold_bytes(low, name, length));
}

void md_rng_derive(md_rng *rng, uint64_t seed, uint64_t a, uint64_t b) {
  uint64_t high = rng_fold(RNG_DERIVED[0], seed);
  uint64_t low = rng_fold(RNG_DERIVED[1], seed);
  rng_expand(rng, rng_fold(rng_fold(high, a), b),
             rng_fold(rng_fold(low, a), b));
}

uint64_t md_rng_hash(const char *bytes, size_t length) {
  assert(bytes != NULL || length == 0);
  return rng_fold_bytes(RNG_PLAIN, bytes, length);
}

/* The high half of n times 64 bits; the low half tells the few draws that
   would favour some results, fewer than n of 2^64. */
uint64_t md_rng_below(md_rng *rng, uint64_t n) {
  unsigned __int128 product = (unsigned __int128)md_rng_next(rng) * n;
  if ((uint64_t)product < n) {
    uint64_t excess = -n % n;
    while ((uint64_t)product < excess)
      product = (unsigned __int128)md_rng_next(rng) * n;
  }
  return (uint64_t)(product >> 64);
}
