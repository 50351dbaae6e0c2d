/* Images, through their interface and their bytes, without a simulator. */
#include "image/image.h"
#include "spec/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Where things stand in the header. */
enum {
  VERSION = 16,
  BASE = 24,
  AT = 48,
  SIZE = 56,
  BUILD = 64,
  HASHED = 240,
  HEADER = 256,
};

static char folder[] = "/tmp/moondial-spec-XXXXXX", path[64],
            error[MD_IMAGE_ERROR];
static char whole_hash[33];
static const char note[] = "a note\0 of any bytes";
static unsigned char *file; /* the bytes of a good image */
static size_t size;
static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed;
}

static bool says(const char *part) { return strstr(error, part) != NULL; }

static void write_bytes(const void *bytes, size_t n) {
  FILE *f = fopen(path, "wb");
  if (f == NULL || fwrite(bytes, 1, n, f) != n || fclose(f) != 0) abort();
  chmod(path, 0600);
}

static void read_bytes(void) {
  struct stat status;
  FILE *f = fopen(path, "rb");
  if (f == NULL || fstat(fileno(f), &status) != 0) abort();
  size = (size_t)status.st_size;
  free(file);
  file = malloc(size);
  if (file == NULL || fread(file, 1, size, f) != size) abort();
  fclose(f);
}

/* Makes the header's hash right again, as one with intent would. */
static void sign(unsigned char *bytes) {
  XXH3_state_t state;
  XXH128_canonical_t own;
  XXH3_128bits_reset(&state);
  XXH3_128bits_update(&state, bytes, HASHED);
  XXH3_128bits_update(&state, bytes + HEADER, sizeof note);
  XXH128_canonicalFromHash(&own, XXH3_128bits_digest(&state));
  memcpy(bytes + HASHED, &own, sizeof own);
}

/* Refused, with a sentence, and no arena is left in this process. */
static bool refused(bool lazy) {
  md_image image;
  memset(error, 0, sizeof error);
  md_arena *a = md_image_open(path, lazy, &image, error);
  if (a != NULL) {
    md_arena_close(a);
    free((void *)(uintptr_t)image.note);
    return false;
  }
  a = md_arena_open(0);
  if (a == NULL || image.note != NULL || *error == '\0') return false;
  md_arena_close(a);
  return true;
}

static bool refused_bytes(const void *bytes, size_t n) {
  write_bytes(bytes, n);
  return refused(false);
}

static uint64_t *fill(md_arena *a, size_t words) {
  uint64_t *root = md_arena_alloc(a, words * sizeof *root);
  if (root == NULL) abort();
  for (size_t i = 0; i < words; i++) root[i] = i * i;
  return root;
}

static void spec_round(void) {
  enum { WORDS = 30000 };
  struct stat status;
  char before[33];
  md_arena *a = md_arena_open(0);
  md_image image = {fill(a, WORDS), note, sizeof note}, found;
  md_arena_reveal(a);
  IT("writes what it opens again, to the byte") {
    md_image_hash(a, before);
    EXPECT(md_image_write(path, a, &image, error));
    md_image_hash(a, whole_hash);
    EXPECT(strcmp(before, whole_hash) == 0);
    md_arena_close(a);
    for (int lazy = 0; lazy < 2; lazy++) {
      a = md_image_open(path, lazy, &found, error);
      EXPECT(a != NULL && found.root == image.root);
      EXPECT(found.note_size == sizeof note);
      EXPECT(memcmp(found.note, note, sizeof note) == 0);
      EXPECT(((const char *)found.note)[sizeof note] == '\0');
      md_arena_reveal(a);
      md_image_hash(a, before);
      EXPECT(strcmp(before, whole_hash) == 0);
      const uint64_t *root = found.root;
      for (size_t i = 0; i < WORDS; i++) EXPECT(root[i] == i * i);
      fill(a, 10 * WORDS); /* it grows as any arena */
      free((void *)(uintptr_t)found.note);
      md_arena_close(a);
    }
  }
  IT("is the user's alone, whatever the umask") {
    EXPECT(stat(path, &status) == 0 && (status.st_mode & 07777) == 0600);
  }
  read_bytes();
}

static void spec_cut(void) {
  IT("refuses an image that is cut off anywhere") {
    for (size_t n = 0; n < size; n += n < 400 ? 1 : 1 + next_random() % 9000) {
      EXPECT(refused_bytes(file, n));
      EXPECT(says(n < 16 ? "is no image" : "is cut off"));
    }
    EXPECT(refused_bytes(file, size - 1) && says("is cut off"));
  }
  IT("takes no offence at bytes behind it") {
    unsigned char *more = calloc(1, size + 100);
    if (more == NULL) abort();
    memcpy(more, file, size);
    EXPECT(!refused_bytes(more, size + 100));
    free(more);
  }
}

/* With one bit of byte i flipped. */
static bool refused_flip(size_t i) {
  unsigned char kept = file[i];
  file[i] ^= (unsigned char)(1 << next_random() % 8);
  bool good = refused_bytes(file, size);
  file[i] = kept;
  return good;
}

static void spec_damaged(void) {
  IT("refuses a flipped bit in any byte of header and note") {
    for (size_t i = 0; i < HEADER + sizeof note; i++) {
      EXPECT(refused_flip(i));
      if (i < VERSION) EXPECT(says("is no image"));
      else if (i < BASE) EXPECT(says("knows format 1"));
      else EXPECT(says("is damaged") || says("is cut off"));
      EXPECT(refused(true));
    }
  }
  IT("refuses a flipped bit in the zeroes behind the note") {
    for (size_t i = HEADER + sizeof note; i < 4096; i += 37)
      EXPECT(refused_flip(i) && says("is damaged"));
    EXPECT(refused_flip(4095));
  }
  IT("refuses a flipped bit in the arena's bytes") {
    for (int k = 0; k < 300; k++) {
      EXPECT(refused_flip(4096 + next_random() % (size - 4096)));
      EXPECT(says("is damaged"));
    }
    EXPECT(refused_flip(4096) && refused_flip(size - 1));
  }
  IT("refuses anything else at all") {
    unsigned char *noise = malloc(size);
    if (noise == NULL) abort();
    for (size_t i = 0; i < size; i++) noise[i] = (unsigned char)next_random();
    EXPECT(refused_bytes(noise, size) && says("is no image"));
    memcpy(noise, file, 24); /* the right beginning */
    EXPECT(refused_bytes(noise, size));
    free(noise);
  }
}

/* With `value` in the 8 bytes of the header at `at`, and the hash made right.
 */
static bool refused_signed(size_t at, uint64_t value, const char *part) {
  unsigned char *bytes = malloc(size);
  if (bytes == NULL) abort();
  memcpy(bytes, file, size);
  memcpy(bytes + at, &value, sizeof value);
  sign(bytes);
  bool good = refused_bytes(bytes, size) && says(part);
  free(bytes);
  return good;
}

static void spec_others(void) {
  IT("refuses another format, another build, another base") {
    EXPECT(refused_signed(VERSION, 2, "format 2, and this moondial knows"));
    EXPECT(refused_signed(BUILD, 12345, "another build of moondial"));
    EXPECT(refused_signed(BASE, 4096, "another build of moondial"));
  }
  IT("refuses sizes that cannot be, though they are signed") {
    EXPECT(refused_signed(SIZE, size, "is cut off"));
    EXPECT(refused_signed(SIZE, UINT64_MAX, "is cut off"));
    EXPECT(refused_signed(AT, UINT64_MAX, "is cut off"));
    EXPECT(refused_signed(SIZE, 0, ""));
    EXPECT(refused_signed(SIZE, 8, ""));
    EXPECT(refused_signed(AT, 1, ""));
  }
}

static void spec_files(void) {
  char other[80];
  IT("refuses what others can write to") {
    write_bytes(file, size);
    chmod(path, 0620);
    EXPECT(refused(false) && says("others may write"));
    chmod(path, 0602);
    EXPECT(refused(false) && says("chmod go-w"));
    chmod(path, 0600);
  }
  IT("refuses what another user owns") {
    if (geteuid() == 0 && chown(path, 12345, 12345) == 0) {
      EXPECT(refused(false) && says("belongs to another user"));
      EXPECT(chown(path, 0, 0) == 0);
    }
  }
  IT("refuses what is no regular file") {
    unlink(path);
    EXPECT(refused(false) && says("No such file"));
    mkfifo(path, 0600);
    EXPECT(refused(false) && says("no regular file"));
    unlink(path);
    mkdir(path, 0700);
    EXPECT(refused(false) && says("no regular file"));
    rmdir(path);
    EXPECT(symlink("/dev/null", path) == 0);
    EXPECT(refused(false) && says("no regular file"));
    unlink(path);
  }
  IT("opens what a link leads to") {
    snprintf(other, sizeof other, "%s/other", folder);
    write_bytes(file, size);
    EXPECT(rename(path, other) == 0 && symlink("other", path) == 0);
    EXPECT(!refused(false));
    unlink(path);
    rename(other, path);
  }
}

/* Writes an image of some other arena to the path, under a limit. */
static bool writes(rlim_t bytes) {
  struct rlimit before, limit;
  md_arena *a = md_arena_open(0);
  md_image image = {fill(a, 100000), note, sizeof note};
  md_arena_reveal(a);
  getrlimit(RLIMIT_FSIZE, &before);
  limit = (struct rlimit){bytes, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &limit);
  bool good = md_image_write(path, a, &image, error);
  setrlimit(RLIMIT_FSIZE, &before);
  md_arena_close(a);
  return good;
}

static int files_there(void) {
  char command[96];
  int n = -1;
  snprintf(command, sizeof command, "ls -A %s | wc -l", folder);
  FILE *f = popen(command, "r");
  if (f == NULL || fscanf(f, "%d", &n) != 1) abort();
  pclose(f);
  return n;
}

static void spec_full(void) {
  signal(SIGXFSZ, SIG_IGN);
  IT("leaves the old image whole, and nothing beside it, when it cannot "
     "write") {
    write_bytes(file, size);
    for (rlim_t n = 0; n < 600000; n += 100 + n / 2) {
      EXPECT(!writes(n) && says("File too large"));
      EXPECT(!refused(false) && files_there() == 1);
    }
    EXPECT(writes(RLIM_INFINITY) && files_there() == 1);
  }
}

int main(void) {
  if (mkdtemp(folder) == NULL) abort();
  snprintf(path, sizeof path, "%s/image", folder);
  umask(0);
  spec_round();
  spec_cut();
  spec_damaged();
  spec_others();
  spec_files();
  spec_full();
  unlink(path);
  rmdir(folder);
  free(file);
  return check_done("image");
}
