/* The hash of a file, and nothing else: what reading an image must cost. */
#define XXH_INLINE_ALL
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

enum { SPAN = 1 << 20 };

int main(int count, char **words) {
  FILE *f = count > 1 ? fopen(words[1], "rb") : NULL;
  char *bytes = malloc(SPAN);
  XXH3_state_t *state = XXH3_createState();
  if (f == NULL || bytes == NULL || state == NULL) return 1;
  setvbuf(f, NULL, _IONBF, 0);
  XXH3_128bits_reset(state);
  for (size_t n; (n = fread(bytes, 1, SPAN, f)) > 0;)
    XXH3_128bits_update(state, bytes, n);
  printf("%016llx\n", (unsigned long long)XXH3_128bits_digest(state).low64);
  return 0;
}
