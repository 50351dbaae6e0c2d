/* Bodies: functions of C that processes execute, found by the names of their
   libraries and their own, and known by the hash of the library's file. */
#include "host/cdata.h"
#include "host/cproc.h"
#include "image/image.h"
#include "native/symbol.h"

#include <string.h>

/* void (md_process *), whatever the name of the typedef. */
bool cproc_is_body(lua_State *L, int i) {
  const cdata *c = cdata_at(L, i);
  if (c == NULL || c->is != CDATA_FUNCTION) return false;
  const md_ctypes *t = native_of(L)->types;
  const md_ctype *type = md_ctype_at(t, c->type);
  if (type->kind != MD_C_FUNCTION || type->count != 1 ||
      type->flags & MD_C_VARIADIC || type->of != MD_C_VOID_ID)
    return false;
  const md_ctype *pointer = md_ctype_at(t, t->members[type->first].type);
  if (pointer->kind != MD_C_POINTER) return false;
  const md_ctype *process = md_ctype_at(t, pointer->of);
  return process->kind == MD_C_STRUCT && process->name != 0 &&
         strcmp(md_cname_text(t, process->name), "md_process") == 0;
}

const char *cproc_library(const md_host *h, uint32_t symbol) {
  const host_native *n = h->native;
  uint32_t library = n->symbols[symbol].library;
  return library ? md_cname_text(n->types, library) : NULL;
}

static host_bodies *cproc_table(lua_State *L) {
  md_host *h = host_of(L);
  if (h->bodies != NULL) return h->bodies;
  host_bodies *t = md_arena_alloc(h->arena, sizeof *t);
  if (t == NULL) host_no_memory(L);
  memset(t, 0, sizeof *t);
  h->bodies = t;
  return t;
}

/* The file that a library is from, hashed. */
static bool cproc_build(const void *address, uint64_t build[2]) {
  char path[MD_SYMBOL_ERROR];
  return md_symbol_file(address, path, sizeof path) &&
         md_image_hash_file(path, build);
}

void *cproc_find(const md_host *h, cproc_body *body, bool again, char *why,
                 size_t size) {
  const host_native *n = h->native;
  const native_symbol *symbol = &n->symbols[body->symbol];
  const char *library = cproc_library(h, body->symbol);
  const char *name = md_cname_text(n->types, symbol->name);
  char error[MD_SYMBOL_ERROR];
  uint64_t build[2];
  const uint32_t *abi = NULL;
  void *found = md_symbol_find(library, name, symbol->global, error);
  if (found != NULL)
    abi = md_symbol_find(library, "moondial_abi", symbol->global, error);
  if (found == NULL) {
    snprintf(why, size, "%s", error);
  } else if (abi == NULL) {
    snprintf(why, size,
             "'%s' is not from a library for C processes: its source has to "
             "#include <moondial.h>",
             name);
  } else if (*abi != MOONDIAL_ABI) {
    snprintf(why, size,
             "the library of '%s' was compiled for version %u of moondial.h, "
             "this program has version %u; compile it again",
             name, *abi, (unsigned)MOONDIAL_ABI);
  } else if (!cproc_build(found, build)) {
    snprintf(why, size, "cannot read the library of '%s'", name);
  } else if (again && memcmp(build, body->build, sizeof build) != 0) {
    snprintf(why, size,
             "the library '%.200s' is not the one that the run was begun with: "
             "its file has changed, and '%s' might go on in the wrong place",
             library, name);
  } else {
    memcpy(body->build, build, sizeof build);
    return found;
  }
  return NULL;
}

uint32_t cproc_body_arg(lua_State *L, int i, const char *call) {
  char why[512];
  if (!cproc_is_body(L, i))
    host_raise(L, "usage",
               "%s: expected a function of C that is declared as a body as "
               "argument %d, got %s; ffi.cdef \"md_body till;\" declares "
               "ffi.load(path).till",
               call, i, host_describe(L, i));
  host_bodies *t = cproc_table(L);
  uint32_t symbol = cdata_at(L, i)->symbol;
  if (t->L == NULL) {
    lua_State *own = lua_newthread(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "md.bodies");
    host_own(own, true);
    t->L = own; /* once it is held */
  }
  if (t->count == 0) t->count = 1;
  uint32_t k = 1;
  while (k < t->count && t->bodies[k].symbol != symbol) k++;
  if (k == t->count) {
    cproc_body body = {.symbol = symbol};
    body.address = cproc_find(host_of(L), &body, false, why, sizeof why);
    if (body.address == NULL) host_raise(L, "native", "%s: %s", call, why);
    if (!native_room(host_of(L)->arena, (void **)&t->bodies, &t->room, k,
                     sizeof body))
      host_no_memory(L);
    t->bodies[k] = body;
    t->count++;
  }
  return k;
}

void cproc_bare(md_host *h) {
  host_bodies *t = h->bodies;
  for (uint32_t i = 1; t != NULL && i < t->count; i++)
    t->bodies[i].address = NULL;
}

static bool cproc_in_use(const md_host *h, uint32_t body) {
  for (const host_sim *s = h->sims; s != NULL; s = s->next)
    for (uint32_t p = 0; (p = md_sim_after(s->kernel, p)) != 0;) {
      const cproc *c = cproc_of(s, p);
      if (c != NULL && c->body == body) return true;
    }
  return false;
}

bool cproc_wake(md_host *h, char *why, size_t size) {
  host_bodies *t = h->bodies;
  for (uint32_t i = 1; t != NULL && i < t->count; i++) {
    cproc_body *body = &t->bodies[i];
    if (!cproc_in_use(h, i)) continue;
    body->address = cproc_find(h, body, true, why, size);
    if (body->address == NULL) return false;
  }
  return true;
}
