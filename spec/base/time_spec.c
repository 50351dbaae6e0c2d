/* time: between the model's units and ticks, both ways, and as text. */
#include "base/time.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/rng.h"
#include "spec/check.h"

static md_time ticks_of(int digits, double units) {
  md_time ticks = -1;
  return md_time_read(md_scale_of(digits), units, &ticks) ? ticks : -1;
}

static bool refused(int digits, double units) {
  md_time ticks = 42;
  return !md_time_read(md_scale_of(digits), units, &ticks) && ticks == 42;
}

/* What the C library reads in the exact decimal. */
static double literal(md_scale scale, md_time ticks) {
  char text[32];
  md_time_text(scale, ticks, text, sizeof text);
  return strtod(text, NULL);
}

static bool written(int digits, md_time ticks, const char *expected) {
  char text[32];
  int length = md_time_text(md_scale_of(digits), ticks, text, sizeof text);
  return length == (int)strlen(expected) && strcmp(text, expected) == 0;
}

static void claim_read(void) {
  IT("rounds to the nearest tick, halves to the even one") {
    EXPECT(ticks_of(0, 0.5) == 0 && ticks_of(0, 1.5) == 2);
    EXPECT(ticks_of(0, 2.5) == 2 && ticks_of(0, 3.5) == 4);
    EXPECT(ticks_of(0, 2.4999999) == 2 && ticks_of(0, 2.5000001) == 3);
    EXPECT(ticks_of(9, 1.4e-9) == 1 && ticks_of(9, 1.6e-9) == 2);
    EXPECT(ticks_of(3, 0.0625) == 62 && ticks_of(3, 0.1875) == 188);
    EXPECT(ticks_of(0, 0x1p50 + 0.5) == 1LL << 50);
    EXPECT(ticks_of(0, 0x1p50 + 1.5) == (1LL << 50) + 2);
    EXPECT(ticks_of(0, 0x1p51 + 0.5) == 1LL << 51);
    EXPECT(ticks_of(0, 0x1p51 + 1.5) == (1LL << 51) + 2);
  }
  IT("rounds below zero as above") {
    md_time ticks;
    EXPECT(md_time_read(md_scale_of(0), -2.5, &ticks) && ticks == -2);
    EXPECT(md_time_read(md_scale_of(9), -0.1, &ticks) && ticks == -100000000);
    EXPECT(md_time_read(md_scale_of(0), -0x1p60, &ticks));
    EXPECT(ticks == -(1LL << 60));
  }
  IT("reads decimals of up to nine digits exactly") {
    md_time sum = 0;
    for (int i = 0; i < 10; i++) sum += ticks_of(9, 0.1);
    EXPECT(sum == ticks_of(9, 1.0));
    EXPECT(ticks_of(9, 0.3) == 300000000);
    EXPECT(ticks_of(9, 123456.789012345) == 123456789012345);
    EXPECT(ticks_of(9, 2251799.813685247) == 2251799813685247);
    EXPECT(ticks_of(9, 2251799.813685249) == 2251799813685249);
  }
}

static void claim_far(void) {
  IT("refuses what is not a number, infinite or too distant") {
    EXPECT(refused(9, NAN) && refused(0, NAN) && refused(9, -NAN));
    EXPECT(refused(9, INFINITY) && refused(9, -INFINITY));
    EXPECT(refused(9, 1e10) && refused(9, -1e10) && refused(9, 1e300));
    EXPECT(refused(0, 0x1p63) && refused(0, 1e19));
    EXPECT(refused(15, 9223.3721) && refused(9, 9223372037.0));
  }
  IT("takes what just fits") {
    EXPECT(ticks_of(9, 9223372036.0) == 9223372036000000000);
    EXPECT(ticks_of(0, 0x1.fffffffffffffp62) == INT64_MAX - 1023);
    EXPECT(ticks_of(15, 9223.0) == 9223000000000000000);
  }
  IT("takes the whole of a distant time exactly") {
    EXPECT(ticks_of(9, 1e9) == 1000000000000000000);
    EXPECT(ticks_of(9, 4000000000.5) == 4000000000500000000);
    EXPECT(ticks_of(15, 1000.25) == 1000250000000000000);
  }
}

static void claim_show(void) {
  md_scale nano = md_scale_of(9);
  IT("shows k ticks as the literal of k") {
    EXPECT(md_time_show(nano, 100000000) == 0.1);
    EXPECT(md_time_show(nano, 300000000) == 0.3);
    EXPECT(md_time_show(nano, 1) == 1e-9);
    EXPECT(md_time_show(nano, 123456789012345) == 123456.789012345);
    EXPECT(md_time_show(nano, INT64_MAX) == 9223372036.854775807);
    EXPECT(md_time_show(nano, -100000000) == -0.1);
  }
  IT("shows any time as the double nearest to its decimal") {
    bool right = true;
    uint64_t state = 7;
    for (int digits = 0; digits <= MD_PRECISION_MAX; digits++) {
      md_scale scale = md_scale_of(digits);
      for (int i = 0; i < 20000; i++) {
        md_time t = (md_time)(md_rng_splitmix(&state) >> (1 + i % 63));
        right = right && md_time_show(scale, t) == literal(scale, t);
        right = right && md_time_show(scale, -t) == literal(scale, -t);
      }
      for (md_time d = -40; d <= 40; d++) {
        md_time t = (1LL << 53) + d, most = INT64_MAX - 40 + d;
        right = right && md_time_show(scale, t) == literal(scale, t);
        right = right && md_time_show(scale, most) == literal(scale, most);
      }
    }
    EXPECT(right);
  }
  IT("reads back what it has shown, up to 2^52 ticks") {
    bool right = true;
    uint64_t state = 8;
    for (int digits = 0; digits <= MD_PRECISION_MAX; digits++)
      for (int i = 0; i < 20000; i++) {
        md_time t = (md_time)(md_rng_splitmix(&state) >> (12 + i % 52));
        double units = md_time_show(md_scale_of(digits), t);
        right = right && ticks_of(digits, units) == t;
      }
    EXPECT(right);
  }
}

static void claim_text(void) {
  IT("writes an exact decimal without trailing zeros") {
    EXPECT(written(9, 0, "0") && written(9, 1500000000, "1.5"));
    EXPECT(written(9, 1, "0.000000001") && written(9, 1000000000, "1"));
    EXPECT(written(0, 1234, "1234") && written(3, 1010, "1.01"));
    EXPECT(written(9, -1500000000, "-1.5") && written(9, -1, "-0.000000001"));
    EXPECT(written(9, INT64_MAX, "9223372036.854775807"));
    EXPECT(written(0, INT64_MIN, "-9223372036854775808"));
    EXPECT(written(15, INT64_MIN, "-9223.372036854775808"));
    EXPECT(written(15, 100, "0.0000000000001"));
  }
}

int main(void) {
  claim_read();
  claim_far();
  claim_show();
  claim_text();
  return check_done("time");
}
