#include "app/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "app/export_plan.h"
#include "base/beside.h"

static const struct {
  const char *ending;
  md_export_format format;
} export_endings[] = {{".csv", MD_EXPORT_CSV},
                      {".jsonl", MD_EXPORT_JSONL},
                      {".db", MD_EXPORT_SQLITE},
                      {".sqlite", MD_EXPORT_SQLITE},
                      {".sqlite3", MD_EXPORT_SQLITE}};

/* False, so that a failing function returns what this returns. */
static bool export_fail(char *error, size_t size, const char *path, int cause) {
  snprintf(error, size, "cannot write %s: %s: %s", path, strerror(cause),
           md_beside_advice(cause));
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

/* Puts a whole file in its place. A journal that lies there belongs to the
   database that was replaced, and would spoil the new one. */
static bool export_finish(md_beside *file, md_export_format format) {
  static const char *const journals[] = {"-journal", "-wal", "-shm"};
  if (!md_beside_apart(file)) return true;
  if (!md_beside_finish(file)) return false;
  for (int i = 0; format == MD_EXPORT_SQLITE && i < 3; i++) {
    char *journal = md_beside_join(file->place, "", 0, journals[i]);
    if (journal != NULL) unlink(journal);
    free(journal);
  }
  return true;
}

static bool export_write_text(const char *path, const md_export_plan *plan,
                              const md_export_table *table) {
  FILE *out = fopen(path, "we");
  if (out == NULL) return false;
  setvbuf(out, NULL, _IOFBF, 1 << 16);
  if (plan->format == MD_EXPORT_CSV) md_export_csv(out, plan, table);
  else md_export_jsonl(out, plan);
  errno = EIO; /* for an error that flushing again does not show */
  bool whole = fflush(out) == 0 && !ferror(out) && md_beside_sync(fileno(out));
  int cause = errno;
  if (fclose(out) != 0 && whole) return false;
  errno = cause;
  return whole;
}

static bool export_write_sqlite(const md_beside *file, const char *path,
                                const md_export_plan *plan, char *error,
                                size_t size) {
  char why[256] = "it is no regular file: name one, or use .csv or .jsonl";
  bool whole = md_beside_apart(file) &&
               md_export_sqlite(file->written, plan, why, sizeof why);
  if (!whole) {
    snprintf(error, size, "cannot write %s: %s", path, why);
    return false;
  }
  int fd = open(file->written, O_RDONLY | O_CLOEXEC);
  whole = fd >= 0 && md_beside_sync(fd);
  int cause = errno;
  if (fd >= 0) close(fd);
  return whole || export_fail(error, size, path, cause);
}

static bool export_write(md_beside *file, const char *path,
                         const md_export_plan *plan,
                         const md_export_table *table, char *error,
                         size_t size) {
  if (!md_beside_begin(file, path, 0666))
    return export_fail(error, size, path, errno);
  if (plan->format == MD_EXPORT_SQLITE)
    return export_write_sqlite(file, path, plan, error, size);
  return export_write_text(file->written, plan, table) ||
         export_fail(error, size, path, errno);
}

/* The file of one of several tables: run.csv becomes run-jobs.csv. */
static char *export_table_path(const char *path, md_export_name name) {
  const char *ending = export_ending(path);
  char *stem = md_beside_join("", path, (size_t)(ending - path), "-");
  char *whole = stem != NULL
                    ? md_beside_join(stem, name.text, name.length, ending)
                    : NULL;
  free(stem);
  return whole;
}

/* Writes file `i` of the plan's, of which several are one a table. */
static bool export_write_one(md_beside *file, const char *path,
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
  md_beside *files = calloc((size_t)n, sizeof *files);
  if (files == NULL) return export_fail(error, size, path, ENOMEM);
  for (int i = 0; whole && i < n; i++)
    whole = export_write_one(&files[i], path, plan, i, several, error, size);
  for (int i = 0; whole && i < n; i++)
    whole = export_finish(&files[i], plan->format) ||
            export_fail(error, size, files[i].place, errno);
  for (int i = 0; i < n; i++) md_beside_drop(&files[i]);
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
  md_beside file = {0};
  bool begun = md_beside_begin(&file, path, 0666);
  if (!begun) export_fail(error, error_size, path, errno);
  md_beside_drop(&file);
  return begun;
}
