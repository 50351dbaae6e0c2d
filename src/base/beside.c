#include "base/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *md_beside_advice(int error) {
  switch (error) {
  case ENOENT:
  case ENOTDIR:
    return "make the folder first or choose another";
  case EACCES:
  case EPERM:
  case EROFS:
    return "choose a folder that you may write to";
  case ENOSPC:
  case EDQUOT:
  case EFBIG:
    return "free some space or choose another place";
  case EISDIR:
    return "name a file, not a folder";
  case ENOMEM:
    return "free some memory and try again";
  case ENAMETOOLONG:
    return "choose a shorter name";
  default:
    return "choose another place";
  }
}

char *md_beside_join(const char *a, const char *b, size_t b_length,
                     const char *c) {
  size_t a_length = strlen(a), c_length = strlen(c);
  char *whole = malloc(a_length + b_length + c_length + 1);
  if (whole == NULL) return NULL;
  memcpy(whole, a, a_length);
  memcpy(whole + a_length, b, b_length);
  memcpy(whole + a_length + b_length, c, c_length + 1);
  return whole;
}

/* The absolute path behind all links, whose last part need not exist. */
static char *beside_resolve(const char *path) {
  char *whole = realpath(path, NULL);
  if (whole != NULL || errno != ENOENT) return whole;
  const char *slash = strrchr(path, '/');
  const char *base = slash != NULL ? slash + 1 : path;
  char *folder = strndup(path, (size_t)(base - path));
  if (folder == NULL) return NULL;
  char *real = realpath(*folder != '\0' ? folder : ".", NULL);
  if (real != NULL) whole = md_beside_join(real, "/", 1, base);
  free(real);
  free(folder);
  return whole;
}

/* A new file of its own name beside the place. */
static bool beside_make(md_beside *b, mode_t rights) {
  for (int i = 0; i < 100; i++) {
    char ending[48];
    snprintf(ending, sizeof ending, ".%ld.%d.tmp", (long)getpid(), i);
    char *name = md_beside_join(b->place, "", 0, ending);
    if (name == NULL) return false;
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, rights);
    if (fd >= 0) {
      close(fd);
      b->written = name;
      return true;
    }
    int cause = errno;
    free(name);
    errno = cause;
    if (cause != EEXIST) return false;
  }
  return false;
}

bool md_beside_begin(md_beside *b, const char *path, mode_t rights) {
  struct stat status;
  b->place = beside_resolve(path);
  if (b->place == NULL) return false;
  if (stat(b->place, &status) != 0 || S_ISREG(status.st_mode))
    return beside_make(b, rights);
  if (S_ISDIR(status.st_mode)) {
    errno = EISDIR;
    return false;
  }
  b->written = b->place;
  return true;
}

bool md_beside_finish(md_beside *b) {
  if (!md_beside_apart(b)) return true;
  if (rename(b->written, b->place) != 0) return false;
  free(b->written);
  b->written = NULL;
  return true;
}

void md_beside_drop(md_beside *b) {
  if (b->written != NULL && md_beside_apart(b)) {
    unlink(b->written);
    free(b->written);
  }
  free(b->place);
  *b = (md_beside){NULL, NULL};
}

bool md_beside_sync(int fd) {
  return fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP ||
         errno == EROFS;
}
