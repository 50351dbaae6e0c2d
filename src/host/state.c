#include "host/state.h"
#include "host/cproc.h"
#include "host/files.h"
#include "host/outside.h"
#include "host/loop.h"
#include "host/modules.h"
#include "host/pattern.h"
#include "host/travel.h"
#include "host/native.h"
#include "image/audit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* -- the arena alone -- */

typedef struct state_outside {
  host_outside out;
  FILE **files;
  sigset_t signals;
} state_outside;

/* Takes what is not the simulation's out of the arena; Ctrl-C waits. */
static void state_bare(md_host *h, state_outside *kept) {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &kept->signals);
  kept->out = h->out;
  kept->files = calloc(h->files.count + 1, sizeof *kept->files);
  if (kept->files == NULL) abort();
  memset((void *)&h->out, 0, sizeof h->out);
  host_native_bare(h);
  cproc_bare(h);
  host_lend_files(h, kept->files);
  for (host_sim *s = h->sims; s != NULL; s = s->next)
    md_sim_trace(s->kernel)->ring = NULL;
  md_arena_reveal(h->arena);
}

static void state_dress(md_host *h, state_outside *kept) {
  h->out = kept->out;
  host_take_files(h, kept->files);
  free(kept->files);
  for (host_sim *s = h->sims; s != NULL; s = s->next)
    md_sim_trace(s->kernel)->ring = h->out.ring;
  pthread_sigmask(SIG_SETMASK, &kept->signals, NULL);
}

void host_state_hash(md_host *h, char text[33]) {
  state_outside kept;
  state_bare(h, &kept);
  md_image_hash(h->arena, text);
  state_dress(h, &kept);
}

size_t host_audit(md_host *h) {
  state_outside kept;
  state_bare(h, &kept);
  size_t found = md_image_audit(h->arena, HOST_STACK, HOST_STACK_SIZE, stderr);
  state_dress(h, &kept);
  return found;
}

/* -- saving -- */

static void state_note_time(md_host *h, FILE *note) {
  const host_sim *s = h->sim ? h->sim : h->first;
  char now[40] = "0";
  if (s != NULL)
    md_time_text(md_sim_scale(s->kernel), md_sim_now(s->kernel), now,
                 sizeof now);
  md_note_text(note, "time", now);
}

/* A path that is good from anywhere. */
static void state_note_path(FILE *note, const char *name, const char *path) {
  char *whole = realpath(*path != '\0' ? path : ".", NULL);
  md_note_text(note, name, whole != NULL ? whole : path);
  free(whole);
}

static bool state_note(md_host *h, FILE *note, char *error, size_t size) {
  state_note_time(h, note);
  md_note_text(note, "script", h->out.script_given);
  state_note_path(note, "folder", h->out.script_folder);
  for (int i = 0; i < h->out.argument_count; i++)
    md_note_text(note, "argument", h->out.arguments[i]);
  if (h->out.note != NULL) h->out.note(h, note);
  return host_note_files(h, note, error, size);
}

bool host_save(md_host *h, const char *path, char error[MD_IMAGE_ERROR]) {
  md_image image = {.root = h};
  char *text = NULL;
  if (host_in_branch(h)) {
    snprintf(error, MD_IMAGE_ERROR,
             "cannot save %s: a branch of the run is open, which an image "
             "could not come back from",
             path);
    return false;
  }
  FILE *note = open_memstream(&text, &image.note_size);
  if (note == NULL) abort();
  fflush(stdout); /* what was printed before belongs to this run */
  char why[MD_IMAGE_ERROR - 64];
  bool good = host_native_good(h, why, sizeof why) &&
              cproc_good(h, why, sizeof why) &&
              state_note(h, note, why, sizeof why);
  fclose(note);
  image.note = text;
  if (good) {
    state_outside kept;
    state_bare(h, &kept);
    good = md_image_write(path, h->arena, &image, error);
    state_dress(h, &kept);
  } else {
    snprintf(error, MD_IMAGE_ERROR, "cannot save: %s", why);
  }
  free(text);
  return good;
}

md_host *host_wake(const char *path, bool lazy, md_note *note,
                   char error[MD_IMAGE_ERROR]) {
  md_image image;
  char why[MD_IMAGE_ERROR - 128];
  md_arena *arena = md_image_open(path, lazy, &image, error);
  if (arena == NULL) return NULL;
  md_host *h = image.root;
  *note = (md_note){image.note, image.note_size};
  if (!host_wake_files(h, *note, why, sizeof why) ||
      !cproc_wake(h, why, sizeof why)) {
    snprintf(error, MD_IMAGE_ERROR, "cannot resume %s: %s", path, why);
    md_arena_close(arena);
    free((void *)(uintptr_t)image.note);
    return NULL;
  }
  host_wake_library(h);
  if (h->wish.kind == HOST_SAVE) {
    h->wish.kind = HOST_NO_WISH;
    h->wish.answer = "resumed";
    h->going = h->wish.process;
  }
  return h;
}

/* -- wishes -- */

void host_may_wish(lua_State *L, const char *call) {
  md_host *h = host_of(L);
  host_no_guard(L, call);
  if (h->nested > 0)
    host_raise(L, "image",
               "%s: this run was begun inside of a C function or of a process, "
               "which cannot be kept; begin it in the script itself",
               call);
  bool script =
      (h->sim == NULL || h->prompting) && h->process == 0 && h->fences == 0;
  if (!script || !lua_isyieldable(L)) host_may_block(L, call);
}

int host_make_wish(lua_State *L, host_wish_kind kind, const char *text,
                   lua_KFunction k) {
  md_host *h = host_of(L);
  h->wish.kind = kind;
  h->wish.process = h->process;
  h->wish.text = text;
  h->wish.answer = NULL;
  if (h->process != 0) md_sim_proc(h->sim->kernel, h->process)->inner = L;
  return lua_yieldk(L, 0, 0, k);
}

static void state_grant_save(md_host *h, char *error) {
  host_journal *journal = h->out.journal;
  if (journal != NULL && journal->replays) {
    h->wish.answer = journal->save(journal, h);
    return;
  }
  h->wish.answer = host_save(h, h->wish.text, error) ? "saved" : NULL;
  h->out.error = error;
  if (journal != NULL) journal->saved(journal, h, h->wish.answer);
}

void host_grant(md_host *h) {
  static char error[MD_IMAGE_ERROR];
  if (h->wish.kind == HOST_BREAK) h->out.halt = true;
  else if (h->wish.kind == HOST_SAVE) state_grant_save(h, error);
  else host_travel_grant(h, error);
  h->out.error = error;
  if (h->wish.kind == HOST_NO_WISH) return; /* back where nobody waits */
  h->going = h->wish.process;
  h->wish.kind = HOST_NO_WISH;
}

/* -- md.save -- */

/* Names the C libraries that the model has loaded: what they hold cannot be
   known. */
static void state_no_libraries(lua_State *L, const char *call) {
  lua_getfield(L, LUA_REGISTRYINDEX, "_CLIBS");
  if (lua_istable(L, -1)) {
    lua_pushnil(L);
    while (lua_next(L, -2) != 0) {
      if (lua_type(L, -2) == LUA_TSTRING)
        host_raise(L, "image",
                   "%s: the model has loaded the C library '%s', whose state "
                   "no image can hold",
                   call, lua_tostring(L, -2));
      lua_pop(L, 1);
    }
  }
  lua_pop(L, 1);
}

static int state_saved(lua_State *L, int status, lua_KContext ctx) {
  const md_host *h = host_of(L);
  (void)status, (void)ctx;
  if (h->wish.answer == NULL)
    return host_raise(L, "image", "save: %s", h->out.error);
  lua_settop(L, 0);
  lua_pushstring(L, h->wish.answer);
  return 1;
}

/* save(path) -> "saved" or "resumed"
   Saves the whole program to a file, every process in the middle of its calls:
   an image. Returns "saved"; in the program that `moondial resume path` takes
   up again, the same call returns "resumed". A process or the script can save,
   between two events, and goes on in its turn as if nothing had been. The file
   takes its place when it is whole. What was kept in memory (md.checkpoint) is
   no part of it. Raises image, and has written nothing, when the file cannot be
   written, when a pipe or a nameless file is open or a C library is loaded, and
   where the run cannot be left; usage for a path that is no string. An image
   can do all that a program can: resume your own.
     print(md.save("run.mdi")) */
static int f_save(lua_State *L) {
  size_t n;
  lua_settop(L, 1);
  const char *path =
      lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &n) : NULL;
  if (path == NULL || n == 0 || strlen(path) != n)
    return host_raise(L, "usage",
                      "save: expected a path, got %s; md.save(\"run.mdi\")",
                      host_describe(L, 1));
  host_may_wish(L, "save");
  if (host_in_branch(host_of(L)))
    return host_raise(L, "image",
                      "save: a branch cannot be saved: it ends where it began, "
                      "and an image has no past; save before it");
  state_no_libraries(L, "save");
  host_native_check(L, "save");
  char why[400];
  if (!cproc_good(host_of(L), why, sizeof why))
    return host_raise(L, "image", "save: %s", why);
  return host_make_wish(L, HOST_SAVE, path, state_saved);
}

void host_open_state(lua_State *L) {
  lua_pushcfunction(L, f_save);
  lua_setfield(L, -2, "save");
}
