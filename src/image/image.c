#include "image/image.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/beside.h"

enum {
  IMAGE_VERSION = 1,
  IMAGE_PAGE = 4096,
  IMAGE_BUILD = 32,
  IMAGE_NOTE_MOST = 1 << 24,
};

static const char image_magic[16] = "moondial image\n";

/* The header, with no padding but what is named. */
typedef struct image_header {
  char magic[16];
  uint64_t version, base, root;
  uint64_t note_size, at, size; /* the arena's bytes: where, how many */
  unsigned char build[IMAGE_BUILD];
  XXH128_canonical_t payload;
  char reserved[128];
  XXH128_canonical_t own; /* of all above, and the note */
} image_header;

static_assert(sizeof(image_header) == 256, "the header is packed");

/* -- what is hashed -- */

static XXH128_canonical_t image_hash_of(const void *bytes, size_t size) {
  XXH128_canonical_t text;
  XXH128_canonicalFromHash(&text, XXH3_128bits(bytes, size));
  return text;
}

static XXH128_canonical_t image_hash_header(const image_header *header,
                                            const void *note) {
  XXH128_canonical_t text;
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  XXH3_128bits_update(&state, header, offsetof(image_header, own));
  XXH3_128bits_update(&state, note, header->note_size);
  XXH128_canonicalFromHash(&text, XXH3_128bits_digest(&state));
  return text;
}

void md_image_hash(const md_arena *a, char text[33]) {
  XXH128_canonical_t hash = image_hash_of(a, md_arena_extent(a));
  for (size_t i = 0; i < sizeof hash.digest; i++)
    snprintf(text + 2 * i, 3, "%02x", hash.digest[i]);
}

bool md_image_hash_file(const char *path, uint64_t hash[2]) {
  char bytes[16384];
  size_t n;
  FILE *file = fopen(path, "rb");
  XXH3_state_t state;
  if (file == NULL) return false;
  XXH3_128bits_reset(&state);
  while ((n = fread(bytes, 1, sizeof bytes, file)) > 0)
    XXH3_128bits_update(&state, bytes, n);
  XXH128_hash_t whole = XXH3_128bits_digest(&state);
  bool good = !ferror(file);
  fclose(file);
  hash[0] = whole.low64;
  hash[1] = whole.high64;
  return good;
}

/* The linker's build id of the program itself, which comes first; zeroes when
   it has none. */
static int image_find_build(struct dl_phdr_info *info, size_t size, void *to) {
  (void)size;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type != PT_NOTE) continue;
    const char *at = (const char *)info->dlpi_addr + part->p_vaddr;
    const char *end = at + part->p_memsz;
    while (at + sizeof(ElfW(Nhdr)) < end) {
      const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)(const void *)at;
      const char *name = at + sizeof *note;
      const char *bytes = name + (note->n_namesz + 3) / 4 * 4;
      size_t n = note->n_descsz;
      if (note->n_type == NT_GNU_BUILD_ID && memcmp(name, "GNU", 4) == 0)
        memcpy(to, bytes, n < IMAGE_BUILD ? n : IMAGE_BUILD);
      at = bytes + (n + 3) / 4 * 4;
    }
  }
  return 1;
}

static void image_build(unsigned char build[IMAGE_BUILD]) {
  memset(build, 0, IMAGE_BUILD);
  dl_iterate_phdr(image_find_build, build);
}

/* -- writing -- */

static bool image_put(int fd, const void *bytes, size_t size) {
  const size_t most = 1 << 30; /* a write takes no more than 2 GB at once */
  for (const char *at = bytes; size > 0;) {
    ssize_t n = write(fd, at, size < most ? size : most);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    size -= (size_t)n;
  }
  return true;
}

static bool image_put_all(int fd, const md_arena *a, const md_image *image) {
  static const char zeroes[IMAGE_PAGE];
  image_header header = {.version = IMAGE_VERSION,
                         .base = MD_ARENA_BASE,
                         .root = (uint64_t)(uintptr_t)image->root,
                         .note_size = image->note_size,
                         .size = md_arena_extent(a)};
  size_t before = sizeof header + image->note_size;
  header.at = (before + IMAGE_PAGE - 1) / IMAGE_PAGE * IMAGE_PAGE;
  memcpy(header.magic, image_magic, sizeof image_magic);
  image_build(header.build);
  header.payload = image_hash_of(a, header.size);
  header.own = image_hash_header(&header, image->note);
  return image_put(fd, &header, sizeof header) &&
         image_put(fd, image->note, image->note_size) &&
         image_put(fd, zeroes, header.at - before) &&
         image_put(fd, a, header.size) && md_beside_sync(fd);
}

/* The folder's entry is on the disk, too. */
static void image_sync_folder(const char *place) {
  const char *slash = strrchr(place, '/');
  char *folder = strndup(place, slash ? (size_t)(slash - place) + 1 : 0);
  int fd = folder ? open(folder, O_RDONLY | O_CLOEXEC) : -1;
  if (fd >= 0) {
    md_beside_sync(fd);
    close(fd);
  }
  free(folder);
}

static bool image_write(md_beside *file, const char *path, const md_arena *a,
                        const md_image *image) {
  if (!md_beside_begin(file, path, 0600)) return false;
  if (!md_beside_apart(file)) {
    errno = EINVAL;
    return false;
  }
  int fd = open(file->written, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool whole = image_put_all(fd, a, image);
  int cause = errno;
  close(fd);
  errno = cause;
  if (!whole || !md_beside_finish(file)) return false;
  image_sync_folder(file->place);
  return true;
}

bool md_image_write(const char *path, const md_arena *a, const md_image *image,
                    char error[MD_IMAGE_ERROR]) {
  md_beside file = {NULL, NULL};
  bool whole = image_write(&file, path, a, image);
  int cause = errno;
  md_beside_drop(&file);
  if (!whole)
    snprintf(error, MD_IMAGE_ERROR, "cannot write the image %s: %s: %s", path,
             cause == EINVAL ? "it is no regular file" : strerror(cause),
             md_beside_advice(cause));
  return whole;
}

/* -- opening -- */

/* False, so that a failing function returns what this returns. */
static bool image_refuse(char *error, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error, MD_IMAGE_ERROR, format, arguments);
  va_end(arguments);
  return false;
}

static bool image_trusted(const char *path, const struct stat *status,
                          char *error) {
  if (!S_ISREG(status->st_mode))
    return image_refuse(error, "%s is no regular file, and an image is one",
                        path);
  if (status->st_uid != geteuid() && status->st_uid != 0)
    return image_refuse(error,
                        "%s belongs to another user; an image can do all that "
                        "a program can: copy it if you trust it",
                        path);
  if (status->st_mode & (S_IWGRP | S_IWOTH))
    return image_refuse(error,
                        "others may write to %s, and an image can do all that "
                        "a program can: chmod go-w it if you trust it",
                        path);
  return true;
}

static bool image_short(const char *path, uint64_t size, uint64_t least,
                        char *error) {
  return image_refuse(error,
                      "%s is cut off: it has %llu of %llu bytes; take another "
                      "image",
                      path, (unsigned long long)size,
                      (unsigned long long)least);
}

static bool image_damaged(const char *path, char *error) {
  return image_refuse(error, "%s is damaged; take another image", path);
}

/* A format of its own may have a header of its own: this comes first. */
static bool image_known(const char *path, const image_header *h, char *error) {
  if (h->version == IMAGE_VERSION) return true;
  return image_refuse(error,
                      "%s is an image of format %llu, and this moondial knows "
                      "format %d; resume it with the one that saved it",
                      path, (unsigned long long)h->version, IMAGE_VERSION);
}

static bool image_fits(const char *path, const image_header *h, uint64_t size,
                       char *error) {
  unsigned char build[IMAGE_BUILD];
  image_build(build);
  if (h->base != MD_ARENA_BASE || memcmp(h->build, build, sizeof build) != 0)
    return image_refuse(error,
                        "%s was saved by another build of moondial; resume it "
                        "with that, or replay a journal (moondial replay), "
                        "which any build can",
                        path);
  if (size < h->at || size - h->at < h->size)
    return image_short(path, size, h->at + h->size, error);
  return true;
}

/* Reads header and note, and believes them. */
static bool image_read(const char *path, int fd, off_t size, image_header *h,
                       md_image *image, char *error) {
  ssize_t n = pread(fd, h, sizeof *h, 0);
  if (n < 0)
    return image_refuse(error, "cannot read %s: %s", path, strerror(errno));
  size_t read = (size_t)n, magic = sizeof image_magic;
  if (read < magic || memcmp(h->magic, image_magic, magic) != 0)
    return image_refuse(error,
                        "%s is no image; md.save and moondial run "
                        "--save-every make them",
                        path);
  if (read < sizeof *h)
    return image_short(path, (uint64_t)size, sizeof *h, error);
  if (!image_known(path, h, error)) return false;
  if (h->note_size > IMAGE_NOTE_MOST) return image_damaged(path, error);
  if (h->note_size > (uint64_t)size - sizeof *h)
    return image_short(path, (uint64_t)size, sizeof *h + h->note_size, error);
  char *note = malloc(h->note_size + 1);
  if (note == NULL) return image_refuse(error, "out of memory");
  image->note = note;
  image->note_size = h->note_size;
  note[h->note_size] = '\0';
  if (pread(fd, note, h->note_size, sizeof *h) != (ssize_t)h->note_size)
    return image_damaged(path, error);
  XXH128_canonical_t own = image_hash_header(h, note);
  if (memcmp(&own, &h->own, sizeof own) != 0) return image_damaged(path, error);
  image->root = (void *)(uintptr_t)h->root;
  return true;
}

/* Nothing but zeroes lies between the note and the arena's bytes. */
static bool image_blank(const char *path, int fd, const image_header *h,
                        char *error) {
  char bytes[IMAGE_PAGE];
  uint64_t from = sizeof *h + h->note_size, size = h->at - from;
  if (h->at < from || size >= sizeof bytes ||
      pread(fd, bytes, size, (off_t)from) != (ssize_t)size)
    return image_damaged(path, error);
  for (size_t i = 0; i < size; i++)
    if (bytes[i] != 0) return image_damaged(path, error);
  return true;
}

static md_arena *image_map(const char *path, int fd, const image_header *h,
                           bool lazy, char *error) {
  size_t reserved = md_arena_map(fd, (off_t)h->at, h->size);
  if (reserved == 0) {
    image_refuse(error, "cannot reserve memory for %s: %s", path,
                 strerror(errno));
    return NULL;
  }
  XXH128_canonical_t payload = h->payload;
  if (!lazy)
    payload = image_hash_of((const void *)(uintptr_t)MD_ARENA_BASE, h->size);
  if (memcmp(&payload, &h->payload, sizeof payload) != 0) {
    md_arena_unmap(reserved);
    image_damaged(path, error);
    return NULL;
  }
  md_arena *a = md_arena_wake(h->size, reserved);
  if (a == NULL)
    image_refuse(error, "cannot reserve memory for %s: %s", path,
                 strerror(errno));
  return a;
}

static md_arena *image_open(const char *path, int fd, bool lazy,
                            md_image *image, char *error) {
  struct stat status;
  image_header header;
  if (fd < 0 || fstat(fd, &status) != 0) {
    image_refuse(error, "cannot open the image %s: %s", path, strerror(errno));
    return NULL;
  }
  if (!image_trusted(path, &status, error) ||
      !image_read(path, fd, status.st_size, &header, image, error) ||
      !image_fits(path, &header, (uint64_t)status.st_size, error) ||
      !image_blank(path, fd, &header, error))
    return NULL;
  return image_map(path, fd, &header, lazy, error);
}

md_arena *md_image_open(const char *path, bool lazy, md_image *image,
                        char error[MD_IMAGE_ERROR]) {
  *image = (md_image){NULL, NULL, 0};
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  md_arena *a = image_open(path, fd, lazy, image, error);
  if (fd >= 0) close(fd);
  if (a != NULL) return a;
  free((void *)(uintptr_t)image->note);
  image->note = NULL;
  return NULL;
}
