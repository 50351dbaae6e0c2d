#include "image/audit.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { AUDIT_RANGES = 4096, AUDIT_SAID = 10, AUDIT_NAME = 80 };

typedef struct audit_range {
  uint64_t from, to;
  char name[AUDIT_NAME];
} audit_range;

/* The mappings that lead out, in the order of their addresses. */
static int audit_read(audit_range *ranges, uint64_t apart, size_t size) {
  char line[4600], path[4096] = "", self[4096] = "";
  FILE *maps = fopen("/proc/self/maps", "r");
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  int n = 0;
  if (maps == NULL || length < 0) abort();
  bool own = false; /* what follows the program's own, its bss, is its own */
  while (n < AUDIT_RANGES && fgets(line, sizeof line, maps) != NULL) {
    audit_range *r = &ranges[n];
    *path = '\0';
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %4095[^\n]",
               &r->from, &r->to, path) < 2)
      continue;
    own = strcmp(path, self) == 0 || (own && *path == '\0');
    bool arena = md_arena_near((const void *)(uintptr_t)r->from);
    if (own || arena || (r->from >= apart && r->to <= apart + size)) continue;
    snprintf(r->name, AUDIT_NAME, "%.*s", AUDIT_NAME - 1,
             *path ? path : "anonymous memory");
    n++;
  }
  fclose(maps);
  return n;
}

static const audit_range *audit_find(const audit_range *ranges, int n,
                                     uint64_t word) {
  int low = 0, high = n;
  while (low < high) {
    int middle = (low + high) / 2;
    if (ranges[middle].to <= word) low = middle + 1;
    else high = middle;
  }
  return low < n && ranges[low].from <= word ? &ranges[low] : NULL;
}

/* Six letters look like an address of a sanitizer's heap; no mapping of another
   program begins with a letter. */
static bool audit_text(uint64_t word) {
  for (int i = 0; i < 6; i++, word >>= 8)
    if ((word & 0xff) < ' ' || (word & 0xff) > '~') return false;
  return true;
}

/* Small numbers look like addresses of a heap that begins low, but hardly ever
   like those of its blocks: glibc has the size of a block, and whether the one
   before it is in use, in the word before. */
static bool audit_block(const audit_range *r, uint64_t address) {
  if (address >> 32 != 0) return !audit_text(address);
  if (address % 16 != 0 || address < r->from + 16) return false;
  const uint64_t *head = (const uint64_t *)(uintptr_t)(address - 8);
  uint64_t size = *head & ~UINT64_C(15);
  if (size < 32 || size > r->to - address) return false;
  return *(const uint64_t *)(uintptr_t)(address - 8 + size) & 1;
}

static audit_range audit_ranges[AUDIT_RANGES];

const char *md_image_leads_out(const void *bytes, size_t length,
                               const void *apart, size_t size) {
  int count = audit_read(audit_ranges, (uint64_t)(uintptr_t)apart, size);
  for (size_t i = 0; i + sizeof(uint64_t) <= length; i += sizeof(uint64_t)) {
    uint64_t word;
    memcpy(&word, (const char *)bytes + i, sizeof word);
    const audit_range *r = audit_find(audit_ranges, count, word);
    if (r != NULL && audit_block(r, word)) return r->name;
  }
  return NULL;
}

size_t md_image_audit(const md_arena *a, const void *apart, size_t size,
                      FILE *out) {
  audit_range *ranges = audit_ranges;
  const uint64_t *words = (const uint64_t *)(const void *)a;
  size_t n = md_arena_extent(a) / sizeof *words, found = 0;
  int count = audit_read(ranges, (uint64_t)(uintptr_t)apart, size);
  uint64_t least = count > 0 ? ranges[0].from : UINT64_MAX;
  uint64_t most = count > 0 ? ranges[count - 1].to : 0;
  for (size_t i = 0; i < n; i++) {
    if (words[i] < least || words[i] >= most) continue;
    const audit_range *r = audit_find(ranges, count, words[i]);
    if (r == NULL || !audit_block(r, words[i])) continue;
    if (++found > AUDIT_SAID) continue;
    fprintf(out,
            "moondial: audit: the word at %zx of the arena is %" PRIx64
            ", in %s\n",
            i * sizeof *words, words[i], r->name);
  }
  return found;
}
