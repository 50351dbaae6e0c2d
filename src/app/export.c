#include "app/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/export_plan.h"

static const struct {
  const char *ending;
  md_export_format format;
} export_endings[] = {{".csv", MD_EXPORT_CSV},
                      {".jsonl", MD_EXPORT_JSONL},
                      {".db", MD_EXPORT_SQLITE},
                      {".sqlite", MD_EXPORT_SQLITE},
                      {".sqlite3", MD_EXPORT_SQLITE}};

/* A file on its way: written as `written`, named `place` when whole. */
struct export_file {
  char *place;
  char *written; /* the same as place for what is not a regular file */
};

static const char *export_advice(int cause) {
  switch (cause) {
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

/* False, so that a failing function returns what this returns. */
static bool export_fail(char *error, size_t size, const char *path, int cause) {
  snprintf(error, size, "cannot write %s: %s: %s", path, strerror(cause),
           export_advice(cause));
  return false;
}

static const char *export_base(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}

static const char *export_ending(const char *path) {
  const char *dot = strrchr(export_base(path), '.');
  return dot != NULL ? dot : path + strlen(path);
}

static md_export_format export_format(const char *path, char *error,
                                      size_t size) {
  const char *ending = export_ending(path);
  enum { KNOWN = sizeof export_endings / sizeof *export_endings };
  for (int i = 0; i < KNOWN; i++)
    if (strcasecmp(ending, export_endings[i].ending) == 0)
      return export_endings[i].format;
  int used = snprintf(error, size,
                      "cannot write %s: its ending names no known "
                      "format: use ",
                      path);
  for (int i = 0; i < KNOWN && used >= 0 && (size_t)used < size; i++)
    used += snprintf(error + used, size - (size_t)used, "%s%s",
                     i == 0           ? ""
                     : i == KNOWN - 1 ? " or "
                                      : ", ",
                     export_endings[i].ending);
  return MD_EXPORT_UNKNOWN;
}

/* Three texts in one, from malloc; NULL with errno. */
static char *export_join(const char *a, const char *b, size_t b_length,
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
static char *export_resolve(const char *path) {
  char *whole = realpath(path, NULL);
  if (whole != NULL || errno != ENOENT) return whole;
  const char *base = export_base(path);
  char *folder = strndup(path, (size_t)(base - path));
  if (folder == NULL) return NULL;
  char *real = realpath(*folder != '\0' ? folder : ".", NULL);
  if (real != NULL) whole = export_join(real, "/", 1, base);
  free(real);
  free(folder);
  return whole;
}

/* A new file of its own name beside the place. */
static bool export_begin_beside(struct export_file *file) {
  for (int i = 0; i < 100; i++) {
    char ending[48];
    snprintf(ending, sizeof ending, ".%ld.%d.tmp", (long)getpid(), i);
    char *name = export_join(file->place, "", 0, ending);
    if (name == NULL) return false;
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) {
      close(fd);
      file->written = name;
      return true;
    }
    int cause = errno;
    free(name);
    errno = cause;
    if (cause != EEXIST) return false;
  }
  return false;
}

static bool export_begin(struct export_file *file, const char *path) {
  struct stat status;
  file->place = export_resolve(path);
  if (file->place == NULL) return false;
  if (stat(file->place, &status) != 0 || S_ISREG(status.st_mode))
    return export_begin_beside(file);
  if (S_ISDIR(status.st_mode)) {
    errno = EISDIR;
    return false;
  }
  file->written = file->place;
  return true;
}

/* Puts a whole file in its place. A journal that lies there belongs to the
   database that was replaced, and would spoil the new one. */
static bool export_finish(struct export_file *file, md_export_format format) {
  static const char *const journals[] = {"-journal", "-wal", "-shm"};
  if (file->written == file->place) return true;
  if (rename(file->written, file->place) != 0) return false;
  free(file->written);
  file->written = NULL;
  for (int i = 0; format == MD_EXPORT_SQLITE && i < 3; i++) {
    char *journal = export_join(file->place, "", 0, journals[i]);
    if (journal != NULL) unlink(journal);
    free(journal);
  }
  return true;
}

static void export_drop(struct export_file *file) {
  if (file->written != NULL && file->written != file->place) {
    unlink(file->written);
    free(file->written);
  }
  free(file->place);
}

/* Makes the disk say now what it would else say when nobody listens; pipes
   and devices have no such thing. */
static bool export_sync(int fd) {
  return fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP ||
         errno == EROFS;
}

static bool export_write_text(const char *path, const md_export_plan *plan,
                              const md_export_table *table) {
  FILE *out = fopen(path, "we");
  if (out == NULL) return false;
  setvbuf(out, NULL, _IOFBF, 1 << 16);
  if (plan->format == MD_EXPORT_CSV) md_export_csv(out, plan, table);
  else md_export_jsonl(out, plan);
  errno = EIO; /* for an error that flushing again does not show */
  bool whole = fflush(out) == 0 && !ferror(out) && export_sync(fileno(out));
  int cause = errno;
  if (fclose(out) != 0 && whole) return false;
  errno = cause;
  return whole;
}

static bool export_write_sqlite(const struct export_file *file,
                                const char *path, const md_export_plan *plan,
                                char *error, size_t size) {
  char why[256] = "it is no regular file: name one, or use .csv or .jsonl";
  bool whole = file->written != file->place &&
               md_export_sqlite(file->written, plan, why, sizeof why);
  if (!whole) {
    snprintf(error, size, "cannot write %s: %s", path, why);
    return false;
  }
  int fd = open(file->written, O_RDONLY | O_CLOEXEC);
  whole = fd >= 0 && export_sync(fd);
  int cause = errno;
  if (fd >= 0) close(fd);
  return whole || export_fail(error, size, path, cause);
}

static bool export_write(struct export_file *file, const char *path,
                         const md_export_plan *plan,
                         const md_export_table *table, char *error,
                         size_t size) {
  if (!export_begin(file, path)) return export_fail(error, size, path, errno);
  if (plan->format == MD_EXPORT_SQLITE)
    return export_write_sqlite(file, path, plan, error, size);
  return export_write_text(file->written, plan, table) ||
         export_fail(error, size, path, errno);
}

/* The file of one of several tables: run.csv becomes run-jobs.csv. */
static char *export_table_path(const char *path, md_export_name name) {
  const char *ending = export_ending(path);
  char *stem = export_join("", path, (size_t)(ending - path), "-");
  char *whole =
      stem != NULL ? export_join(stem, name.text, name.length, ending) : NULL;
  free(stem);
  return whole;
}

/* Writes file `i` of the plan's, of which several are one a table. */
static bool export_write_one(struct export_file *file, const char *path,
                             const md_export_plan *plan, int i, bool several,
                             char *error, size_t size) {
  const md_export_table *table = plan->count > 0 ? &plan->tables[i] : NULL;
  if (!several) return export_write(file, path, plan, table, error, size);
  char *own = export_table_path(path, table->name);
  if (own == NULL) return export_fail(error, size, path, ENOMEM);
  bool whole = export_write(file, own, plan, table, error, size);
  free(own);
  return whole;
}

static bool export_all(const char *path, const md_export_plan *plan,
                       char *error, size_t size) {
  bool several = plan->format == MD_EXPORT_CSV && plan->count > 1, whole = true;
  int n = several ? plan->count : 1;
  struct export_file *files = calloc((size_t)n, sizeof *files);
  if (files == NULL) return export_fail(error, size, path, ENOMEM);
  for (int i = 0; whole && i < n; i++)
    whole = export_write_one(&files[i], path, plan, i, several, error, size);
  for (int i = 0; whole && i < n; i++)
    whole = export_finish(&files[i], plan->format) ||
            export_fail(error, size, files[i].place, errno);
  for (int i = 0; i < n; i++) export_drop(&files[i]);
  free(files);
  return whole;
}

bool md_export(const char *path, const md_export_source *sources, int n,
               char *error, size_t error_size) {
  md_export_plan plan;
  md_export_format format = export_format(path, error, error_size);
  if (format == MD_EXPORT_UNKNOWN) return false;
  if (!md_export_plan_open(&plan, format, sources, n))
    return export_fail(error, error_size, path, ENOMEM);
  bool whole = export_all(path, &plan, error, error_size);
  md_export_plan_close(&plan);
  return whole;
}

bool md_export_check(const char *path, char *error, size_t error_size) {
  if (export_format(path, error, error_size) == MD_EXPORT_UNKNOWN) return false;
  struct export_file file = {0};
  bool begun = export_begin(&file, path);
  if (!begun) export_fail(error, error_size, path, errno);
  export_drop(&file);
  return begun;
}
