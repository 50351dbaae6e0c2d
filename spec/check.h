/* The frame of the C specs: `IT` opens a sentence, `EXPECT` holds a claim.

     int main(void) {
       IT("keeps insertion order at equal times") {
         EXPECT(take_slot(&q) == 1);
       }
       return check_done("queue");
     }

   Every claim is tried, a false one is printed with its place, and the last
   line reads `queue: N passed, N failed`, counted in sentences. */
#ifndef MD_SPEC_CHECK_H
#define MD_SPEC_CHECK_H

#include <stdbool.h>
#include <stdio.h>

static struct {
  const char *sentence;
  int passed, failed;
  int broken; /* claims of the sentence that do not hold */
} check;

static inline void check_close(void) {
  if (check.sentence == NULL) return;
  if (check.broken) check.failed++;
  else check.passed++;
  check.sentence = NULL;
}

static inline bool check_open(const char *sentence) {
  check_close();
  check.sentence = sentence;
  check.broken = 0;
  return true;
}

static inline void check_claim(bool holds, const char *claim, const char *file,
                               int line) {
  if (holds) return;
  if (++check.broken > 5) return; /* a loop would fill the screen */
  printf("%s:%d: it %s: expected %s\n", file, line, check.sentence, claim);
}

static inline int check_done(const char *name) {
  check_close();
  printf("%s: %d passed, %d failed\n", name, check.passed, check.failed);
  return check.failed > 0;
}

#define IT(sentence)  if (check_open(sentence))
#define EXPECT(claim) check_claim((claim), #claim, __FILE__, __LINE__)

#endif
