#include "native/symbol.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

enum { SYMBOL_VERSIONS = 20, SYMBOL_PATH = 512 };

/* Loads "z" as libz.so, then libz.so.0, libz.so.1, ... */
static void *symbol_short(const char *name, int flags) {
  char path[SYMBOL_PATH];
  snprintf(path, sizeof path, "lib%s.so", name);
  void *handle = dlopen(path, flags);
  for (int version = 0; handle == NULL && version < SYMBOL_VERSIONS;
       version++) {
    snprintf(path, sizeof path, "lib%s.so.%d", name, version);
    handle = dlopen(path, flags);
  }
  return handle;
}

/* Handles are never closed: code may have been given to others. */
static void *symbol_library(const char *name, bool global, char *error) {
  int flags = RTLD_LAZY | (global ? RTLD_GLOBAL : RTLD_LOCAL);
  bool exact = strpbrk(name, "./") != NULL;
  void *handle = exact ? dlopen(name, flags) : symbol_short(name, flags);
  if (handle != NULL) return handle;
  const char *why = exact ? dlerror() : NULL;
  if (why != NULL)
    snprintf(error, MD_SYMBOL_ERROR, "cannot load the library '%.80s': %.160s",
             name, why);
  else
    snprintf(
        error, MD_SYMBOL_ERROR,
        "there is no library '%.60s' (lib%.60s.so, lib%.60s.so.1); install "
        "it, or give its path",
        name, name, name);
  return NULL;
}

void *md_symbol_find(const char *library, const char *symbol, bool global,
                     char error[MD_SYMBOL_ERROR]) {
  void *handle = RTLD_DEFAULT;
  if (library != NULL) {
    handle = symbol_library(library, global, error);
    if (handle == NULL || symbol == NULL) return handle;
  }
  void *found = dlsym(handle, symbol);
  if (found != NULL) return found;
  if (library != NULL)
    snprintf(error, MD_SYMBOL_ERROR,
             "the library '%.80s' has no '%.80s', which was declared", library,
             symbol);
  else
    snprintf(error, MD_SYMBOL_ERROR,
             "'%.80s' was declared, but neither the program nor the C library "
             "has it; ffi.load the library that does",
             symbol);
  return NULL;
}

bool md_symbol_file(const void *address, char *path, size_t size) {
  Dl_info info;
  if (dladdr(address, &info) == 0 || info.dli_fname == NULL) return false;
  return (size_t)snprintf(path, size, "%s", info.dli_fname) < size;
}

extern const char __executable_start[], _end[]; /* the linker's */

bool md_symbol_own(const void *address) {
  return (const char *)address >= __executable_start &&
         (const char *)address < _end;
}
