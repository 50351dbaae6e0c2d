/* rng: published and own known answers, and that streams are apart. */
#include "kernel/rng.h"

#include <math.h>
#include <string.h>

#include "spec/check.h"

static md_rng named(uint64_t seed, const char *name) {
  md_rng rng;
  md_rng_seed(&rng, seed, name, strlen(name));
  return rng;
}

static md_rng derived(uint64_t seed, uint64_t a, uint64_t b) {
  md_rng rng;
  md_rng_derive(&rng, seed, a, b);
  return rng;
}

static bool same(md_rng a, md_rng b) { return memcmp(&a, &b, sizeof a) == 0; }

static void claim_published(void) {
  IT("draws what SplitMix64 is published to draw") {
    static const uint64_t known[] = {
        UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423), UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821)};
    uint64_t state = 1234567;
    for (int i = 0; i < 5; i++) EXPECT(md_rng_splitmix(&state) == known[i]);
  }
  IT("draws what xoshiro256++ is published to draw") {
    static const uint64_t known[] = {UINT64_C(41943041),
                                     UINT64_C(58720359),
                                     UINT64_C(3588806011781223),
                                     UINT64_C(3591011842654386),
                                     UINT64_C(9228616714210784205),
                                     UINT64_C(9973669472204895162)};
    md_rng rng = {{1, 2, 3, 4}};
    for (int i = 0; i < 6; i++) EXPECT(md_rng_next(&rng) == known[i]);
  }
}

static void claim_own(void) {
  IT("starts named streams as it always did") {
    md_rng none = named(0, ""), short_one = named(1, "a");
    md_rng long_one = named(UINT64_MAX, "the arrivals of customers");
    EXPECT(md_rng_next(&none) == UINT64_C(0x93c11b266262dc75));
    EXPECT(md_rng_next(&short_one) == UINT64_C(0xc221bc6dd9084f4f));
    EXPECT(md_rng_next(&long_one) == UINT64_C(0x3dcf47bfbd57cd01));
  }
  IT("starts derived streams as it always did") {
    md_rng zero = derived(0, 0, 0), other = derived(1, 2, 3);
    EXPECT(md_rng_next(&zero) == UINT64_C(0xc626b7cbb2b6eedc));
    EXPECT(md_rng_next(&other) == UINT64_C(0x165ece46cb825ba8));
  }
  IT("hashes as it always did") {
    EXPECT(md_rng_hash("", 0) == UINT64_C(0xc56ce58f298ac2a5));
    EXPECT(md_rng_hash("moondial", 8) == UINT64_C(0x6d13c253b55d9379));
    EXPECT(md_rng_hash("moondial!", 9) == UINT64_C(0x7317748ad2ba59cd));
  }
}

static void claim_apart(void) {
  IT("tells seeds, names and integers apart") {
    EXPECT(same(named(1, "a"), named(1, "a")));
    EXPECT(!same(named(1, "a"), named(2, "a")));
    EXPECT(!same(named(1, "a"), named(1, "b")));
    EXPECT(!same(named(1, ""), named(2, "")));
    EXPECT(!same(named(1, "abcdefgh"), named(1, "abcdefghi")));
    EXPECT(!same(derived(1, 2, 3), derived(1, 3, 2)));
    EXPECT(!same(derived(1, 2, 3), derived(2, 1, 3)));
    EXPECT(!same(derived(1, 0, 0), named(1, "")));
  }
  IT("counts the NULs of a name") {
    static const char nuls[32] = {0};
    md_rng streams[33];
    for (size_t i = 0; i <= 32; i++) md_rng_seed(&streams[i], 5, nuls, i);
    for (int i = 0; i <= 32; i++)
      for (int j = 0; j < i; j++) EXPECT(!same(streams[i], streams[j]));
  }
  IT("takes bytes above 127 as they are") {
    EXPECT(md_rng_hash("\x80", 1) != md_rng_hash("\x00", 1));
    EXPECT(md_rng_hash("\xff\x01", 2) != md_rng_hash("\xff\xff", 2));
  }
  IT("flips half of the hash with any one bit of a name") {
    char name[24] = "twenty-four bytes it is";
    uint64_t before = md_rng_hash(name, 24);
    int flipped = 0;
    for (int bit = 0; bit < 192; bit++) {
      name[bit / 8] ^= (char)(1 << bit % 8);
      int count = __builtin_popcountll(before ^ md_rng_hash(name, 24));
      name[bit / 8] ^= (char)(1 << bit % 8);
      EXPECT(count > 10 && count < 54);
      flipped += count;
    }
    EXPECT(fabs(flipped / 192.0 - 32) < 4 * 4 / sqrt(192));
  }
}

enum { DRAWS = 100000 };

/* The correlation of two streams over DRAWS draws, in standard errors. */
static double correlation(md_rng a, md_rng b) {
  double sum = 0;
  for (int i = 0; i < DRAWS; i++)
    sum += (md_rng_unit(&a) - 0.5) * (md_rng_unit(&b) - 0.5);
  return fabs(sum / DRAWS * 12 * sqrt(DRAWS));
}

static void claim_independent(void) {
  IT("leaves streams of near names uncorrelated") {
    EXPECT(correlation(named(1, "a"), named(1, "b")) < 4);
    EXPECT(correlation(named(1, "a"), named(2, "a")) < 4);
    EXPECT(correlation(named(0, ""), named(1, "")) < 4);
    EXPECT(correlation(named(0, "server 1"), named(0, "server 2")) < 4);
    EXPECT(correlation(derived(1, 0, 0), derived(1, 0, 1)) < 4);
    EXPECT(correlation(derived(1, 0, 0), derived(1, 1, 0)) < 4);
    EXPECT(correlation(derived(1, 0, 0), named(1, "")) < 4);
  }
  IT("makes the first draws of many streams uniform") {
    static int cells[256];
    for (uint64_t i = 0; i < DRAWS; i++) {
      md_rng rng = derived(1, 0, i);
      cells[md_rng_next(&rng) & 255]++;
    }
    double chi = 0, each = DRAWS / 256.0;
    for (int i = 0; i < 256; i++)
      chi += (cells[i] - each) * (cells[i] - each) / each;
    EXPECT(fabs(chi - 255) < 4 * sqrt(2 * 255));
  }
}

static void claim_ranges(void) {
  md_rng rng = named(3, "ranges");
  IT("keeps the unit in its interval, and on its mean") {
    double sum = 0, open_sum = 0;
    for (int i = 0; i < DRAWS; i++) {
      double u = md_rng_unit(&rng), v = md_rng_unit_open(&rng);
      EXPECT(u >= 0 && u < 1);
      EXPECT(v > 0 && v < 1);
      sum += u;
      open_sum += v;
    }
    EXPECT(fabs(sum / DRAWS - 0.5) < 4 * sqrt(1.0 / 12 / DRAWS));
    EXPECT(fabs(open_sum / DRAWS - 0.5) < 4 * sqrt(1.0 / 12 / DRAWS));
  }
  IT("keeps the unit in its interval at the ends of the bits") {
    md_rng least = {{0, 1, 0, 0}}, most = {{UINT64_MAX, 1, 0, 0}};
    EXPECT(md_rng_unit(&least) == 0);
    EXPECT(md_rng_unit(&most) < 1);
    least = (md_rng){{0, 1, 0, 0}};
    EXPECT(md_rng_unit_open(&least) == 0x1p-53);
  }
  IT("draws below n, and favours none") {
    EXPECT(md_rng_below(&rng, 0) == 0);
    EXPECT(md_rng_below(&rng, 1) == 0);
    int count[3] = {0};
    uint64_t third = UINT64_C(1) << 62; /* where a modulo would be far off */
    for (int i = 0; i < DRAWS; i++) {
      uint64_t x = md_rng_below(&rng, 3 * third);
      EXPECT(x < 3 * third);
      count[x / third]++;
    }
    for (int i = 0; i < 3; i++)
      EXPECT(fabs(count[i] - DRAWS / 3.0) < 4 * sqrt(DRAWS * 2 / 9.0));
  }
}

int main(void) {
  claim_published();
  claim_own();
  claim_apart();
  claim_independent();
  claim_ranges();
  return check_done("rng");
}
