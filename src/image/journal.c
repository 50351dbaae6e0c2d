#include "image/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static const char journal_magic[16] = "moondial jrnl 1";

enum { JOURNAL_MOST = 1 << 30 };

typedef struct journal_head {
  uint32_t size, kind;
  uint64_t hash; /* of the bytes, seeded with the kind */
} journal_head;

FILE *md_journal_create(const char *path, md_note head, long long at,
                        char error[MD_JOURNAL_ERROR]) {
  FILE *f = fopen(path, at > 0 ? "r+e" : "we");
  if (f != NULL) setvbuf(f, NULL, _IOFBF, 1 << 16);
  bool good = f != NULL;
  if (good && at > 0) {
    good = ftruncate(fileno(f), (off_t)at) == 0 && fseeko(f, 0, SEEK_END) == 0;
  } else if (good) {
    uint64_t words[2] = {head.size, XXH3_64bits(head.text, head.size)};
    fwrite(journal_magic, 1, sizeof journal_magic, f);
    fwrite(words, 1, sizeof words, f);
    fwrite(head.text, 1, head.size, f);
    good = fflush(f) == 0;
  }
  if (good) return f;
  snprintf(error, MD_JOURNAL_ERROR, "cannot write the journal %s: %s", path,
           strerror(errno));
  if (f != NULL) fclose(f);
  return NULL;
}

bool md_journal_put(FILE *f, uint32_t kind, const void *bytes, size_t size) {
  journal_head head = {(uint32_t)size, kind,
                       XXH3_64bits_withSeed(bytes, size, kind)};
  fwrite(&head, 1, sizeof head, f);
  return fwrite(bytes, 1, size, f) == size && !ferror(f);
}

static bool journal_read_head(FILE *f, md_note *note) {
  char magic[sizeof journal_magic];
  uint64_t words[2];
  if (fread(magic, 1, sizeof magic, f) != sizeof magic ||
      memcmp(magic, journal_magic, sizeof magic) != 0 ||
      fread(words, 1, sizeof words, f) != sizeof words ||
      words[0] > JOURNAL_MOST)
    return false;
  char *text = malloc(words[0] + 1);
  if (text == NULL) return false;
  text[words[0]] = '\0';
  *note = (md_note){text, words[0]};
  if (fread(text, 1, words[0], f) == words[0] &&
      XXH3_64bits(text, words[0]) == words[1])
    return true;
  free(text);
  return false;
}

FILE *md_journal_open(const char *path, md_note *note,
                      char error[MD_JOURNAL_ERROR]) {
  FILE *f = fopen(path, "re");
  if (f == NULL) {
    snprintf(error, MD_JOURNAL_ERROR, "cannot open the journal %s: %s", path,
             strerror(errno));
    return NULL;
  }
  if (journal_read_head(f, note)) return f;
  snprintf(error, MD_JOURNAL_ERROR,
           "%s is no journal, or its head is damaged; moondial run --journal "
           "file.mdj model.lua makes one",
           path);
  fclose(f);
  return NULL;
}

bool md_journal_next(FILE *f, md_journal_record *r) {
  journal_head head;
  size_t n = fread(&head, 1, sizeof head, f);
  r->cut = n > 0;
  if (n != sizeof head || head.size > JOURNAL_MOST) return false;
  if (head.size > r->capacity) {
    char *grown = realloc(r->bytes, head.size);
    if (grown == NULL) return false;
    r->bytes = grown;
    r->capacity = head.size;
  }
  if (fread(r->bytes, 1, head.size, f) != head.size ||
      XXH3_64bits_withSeed(r->bytes, head.size, head.kind) != head.hash)
    return false;
  r->kind = head.kind;
  r->size = head.size;
  r->cut = false;
  return true;
}
