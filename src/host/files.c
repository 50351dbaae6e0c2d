#include "host/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- keeping count -- */

static int files_find(const host_files *files, const luaL_Stream *stream) {
  int i = (int)files->count;
  while (--i >= 0 && files->streams[i] != stream) continue;
  return i;
}

static void files_add(lua_State *L, luaL_Stream *stream) {
  md_host *h = host_of(L);
  host_files *files = &h->files;
  if (files_find(files, stream) >= 0) return;
  if (files->count == files->capacity) {
    uint32_t more = files->capacity * 2 + 8;
    size_t size = sizeof *files->streams;
    void *grown = md_arena_resize(h->arena, files->streams,
                                  files->capacity * size, more * size);
    if (grown == NULL) host_no_memory(L);
    files->streams = grown;
    files->capacity = more;
  }
  files->streams[files->count++] = stream;
}

/* Calls a function of io and sees to the files that it returns. Its errors are
   said at the model's line, and with its name, as if nobody stood between. */
static int f_files_call(lua_State *L) {
  int n = lua_gettop(L);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  if (lua_pcall(L, n, LUA_MULTRET, 0) != LUA_OK) {
    if (lua_type(L, -1) != LUA_TSTRING) return lua_error(L);
    const char *name = lua_tostring(L, lua_upvalueindex(2));
    luaL_where(L, 1);
    luaL_gsub(L, lua_tostring(L, -2), "'?'", lua_pushfstring(L, "'%s'", name));
    lua_remove(L, -2);
    lua_concat(L, 2);
    return lua_error(L);
  }
  for (int i = lua_gettop(L); i > 0; i--) {
    luaL_Stream *stream = luaL_testudata(L, i, LUA_FILEHANDLE);
    if (stream != NULL) files_add(L, stream);
  }
  return lua_gettop(L);
}

/* The stream's memory is about to be used again. */
static int mt_file_gc(lua_State *L) {
  host_files *files = &host_of(L)->files;
  luaL_Stream *stream = lua_touserdata(L, 1);
  int i = files_find(files, stream);
  if (i >= 0) files->streams[i] = files->streams[--files->count];
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_pushvalue(L, 2); /* held until its last word is gone */
  lua_insert(L, 1);
  lua_call(L, 1, 0);
  stream->f = NULL; /* equal runs have equal bytes, in what is free, too */
  return 0;
}

void host_open_files(lua_State *L) {
  static const char *const functions[] = {"open",  "popen", "tmpfile",
                                          "lines", "input", "output"};
  static const char *const standard[] = {"stdin", "stdout", "stderr"};
  lua_getglobal(L, "io");
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    lua_getfield(L, -1, functions[i]);
    lua_pushstring(L, functions[i]);
    lua_pushcclosure(L, f_files_call, 2);
    lua_setfield(L, -2, functions[i]);
  }
  for (size_t i = 0; i < sizeof standard / sizeof *standard; i++) {
    lua_getfield(L, -1, standard[i]);
    files_add(L, lua_touserdata(L, -1));
    lua_pop(L, 1);
  }
  luaL_getmetatable(L, LUA_FILEHANDLE);
  lua_getfield(L, -1, "__gc");
  lua_pushcclosure(L, mt_file_gc, 1);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 2);
}

/* -- saving -- */

static bool files_refuse(char *error, size_t size, const char *what) {
  snprintf(error, size,
           "%s is open, and cannot be opened again when the image is resumed; "
           "close it before, or use a file that has a name",
           what);
  return false;
}

static FILE *files_standard(int which) {
  return which == 0 ? stdin : which == 1 ? stdout : stderr;
}

/* 0 to 2, or -1: it is none of the standard streams. */
static int files_which(const FILE *f) {
  int which = 3;
  while (--which >= 0 && files_standard(which) != f) continue;
  return which;
}

/* One entry: its number, then how it is open (to be read, written, appended to;
   a capital: and read), where it stands, how long it is, and its path. */
static bool files_note(FILE *note, uint32_t i, FILE *f, char *error,
                       size_t size) {
  char link[64], path[4096], text[4200];
  struct stat status;
  int fd = fileno(f), mode = fcntl(fd, F_GETFL);
  fflush(f);
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0 || fstat(fd, &status) != 0) n = 0;
  path[n] = '\0';
  if (n == 0 || S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode))
    return files_refuse(error, size, "a pipe (io.popen)");
  if (S_ISREG(status.st_mode) && status.st_nlink == 0)
    return files_refuse(error, size, "a temporary or deleted file");
  bool both = (mode & O_ACCMODE) == O_RDWR;
  char how = (mode & O_ACCMODE) == O_RDONLY ? 'r'
             : mode & O_APPEND              ? (both ? 'A' : 'a')
                                            : (both ? 'W' : 'w');
  bool regular = S_ISREG(status.st_mode);
  snprintf(text, sizeof text, "%u %c %lld %lld %s", i, how,
           regular ? (long long)ftello(f) : -1LL, (long long)status.st_size,
           path);
  md_note_text(note, "file", text);
  return true;
}

bool host_note_files(md_host *h, FILE *note, char *error, size_t size) {
  for (uint32_t i = 0; i < h->files.count; i++) {
    const luaL_Stream *stream = h->files.streams[i];
    int which = files_which(stream->f);
    char text[32];
    if (stream->closef == NULL) continue;
    snprintf(text, sizeof text, "%u %d", i, which);
    if (which >= 0) md_note_text(note, "standard", text);
    else if (!files_note(note, i, stream->f, error, size)) return false;
  }
  return true;
}

void host_lend_files(md_host *h, FILE **kept) {
  for (uint32_t i = 0; i < h->files.count; i++) {
    kept[i] = h->files.streams[i]->f;
    h->files.streams[i]->f = NULL;
  }
}

void host_take_files(md_host *h, FILE *const *kept) {
  for (uint32_t i = 0; i < h->files.count; i++)
    h->files.streams[i]->f = kept[i];
}

void host_close_files(md_host *h) {
  struct stat status;
  for (uint32_t i = 0; i < h->files.count; i++) {
    luaL_Stream *stream = h->files.streams[i];
    if (stream->closef == NULL || files_which(stream->f) >= 0) continue;
    if (fstat(fileno(stream->f), &status) != 0 || S_ISFIFO(status.st_mode))
      continue;
    fclose(stream->f);
    stream->f = NULL;
  }
}

/* -- resuming -- */

typedef struct files_entry {
  uint32_t number;
  char how;
  long long at, length;
  const char *path;
} files_entry;

static bool files_read(char *text, files_entry *e) {
  int used = 0;
  e->path = text;
  if (sscanf(text, "%u %c %lld %lld %n", &e->number, &e->how, &e->at,
             &e->length, &used) != 4)
    return false;
  e->path = text + used;
  return true;
}

/* As fopen, but nothing is made or cut off, and who may not read before may not
   now. */
static FILE *files_again(const files_entry *e) {
  static const struct {
    char how;
    const char *mode;
    int flags;
  } ways[] = {{'r', "r", O_RDONLY},
              {'w', "w", O_WRONLY},
              {'W', "r+", O_RDWR},
              {'a', "a", O_WRONLY | O_APPEND},
              {'A', "a+", O_RDWR | O_APPEND}};
  int way = 0;
  while (way < 4 && ways[way].how != e->how) way++;
  int fd = open(e->path, ways[way].flags | O_CLOEXEC);
  FILE *f = fd >= 0 ? fdopen(fd, ways[way].mode) : NULL;
  if (f == NULL && fd >= 0) close(fd);
  return f;
}

static bool files_open(md_host *h, const files_entry *e, char *error,
                       size_t size) {
  if (h->out.copy && e->how != 'r') {
    h->files.streams[e->number]->f = fopen("/dev/null", "r+e");
    return true;
  }
  struct stat status;
  FILE *f = files_again(e);
  if (f == NULL) {
    snprintf(error, size,
             "the model had %s open, which cannot be opened again: %s", e->path,
             strerror(errno));
    return false;
  }
  h->files.streams[e->number]->f = f;
  if (fstat(fileno(f), &status) == 0 && S_ISREG(status.st_mode) &&
      status.st_size < e->length) {
    snprintf(error, size,
             "the model had %s open, which had %lld bytes and has %lld now: it "
             "is not the file that it was",
             e->path, e->length, (long long)status.st_size);
    return false;
  }
  return true;
}

/* Cuts off what was written after the image was taken. */
static bool files_place(md_host *h, const files_entry *e, char *error,
                        size_t size) {
  FILE *f = h->files.streams[e->number]->f;
  if (e->at < 0 || (h->out.copy && e->how != 'r')) return true;
  if (e->how == 'r' || ftruncate(fileno(f), (off_t)e->length) == 0)
    if (fseeko(f, (off_t)e->at, SEEK_SET) == 0) return true;
  snprintf(error, size, "cannot go to where the model stood in %s: %s", e->path,
           strerror(errno));
  return false;
}

static bool files_each(md_host *h, md_note note,
                       bool (*what)(md_host *, const files_entry *, char *,
                                    size_t),
                       char *error, size_t size) {
  md_note name, bytes;
  while (md_note_next(&note, &name, &bytes)) {
    if (!md_note_is(&name, "file")) continue;
    char *text = strndup(bytes.text, bytes.size);
    files_entry e;
    bool good =
        text != NULL && files_read(text, &e) && what(h, &e, error, size);
    free(text);
    if (!good) return false;
  }
  return true;
}

static void files_wake_standard(md_host *h, md_note note) {
  md_note name, bytes;
  while (md_note_next(&note, &name, &bytes)) {
    uint32_t i;
    int which;
    char text[32];
    if (!md_note_is(&name, "standard")) continue;
    snprintf(text, sizeof text, "%.*s", (int)bytes.size, bytes.text);
    if (sscanf(text, "%u %d", &i, &which) == 2)
      h->files.streams[i]->f = files_standard(which);
  }
}

/* The stream that the state tells of is another process's, or another time's.
 */
static bool files_forget(md_host *h, const files_entry *e, char *error,
                         size_t size) {
  (void)error, (void)size;
  h->files.streams[e->number]->f = NULL;
  return true;
}

/* For Lua, the file is one that was closed. */
static bool files_shut(md_host *h, const files_entry *e, char *error,
                       size_t size) {
  luaL_Stream *stream = h->files.streams[e->number];
  (void)error, (void)size;
  if (stream->f != NULL) fclose(stream->f);
  stream->f = NULL;
  stream->closef = NULL;
  return true;
}

bool host_wake_files(md_host *h, md_note note, char *error, size_t size) {
  files_wake_standard(h, note);
  files_each(h, note, files_forget, error, size);
  if (files_each(h, note, files_open, error, size) &&
      files_each(h, note, files_place, error, size))
    return true;
  files_each(h, note, files_shut, error, size);
  return false;
}
