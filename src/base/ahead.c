#include "base/ahead.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* since Linux 5.14 */
#endif

/* At once: small, since whoever changes the mapping waits for it. */
enum { AHEAD_PIECE = 128 << 10 };

static struct {
  bool begun;
  sem_t wishes;
  atomic_uintptr_t from, to; /* of the last wish */
} ahead;

static void *ahead_thread(void *unused) {
  uintptr_t at = 0;
  for (;;) {
    uintptr_t from = atomic_load(&ahead.from), to = atomic_load(&ahead.to);
    if (at < from || at > to) at = from; /* late, or elsewhere */
    if (at >= to) {
      while (sem_wait(&ahead.wishes) != 0) {
      }
      continue;
    }
    if (madvise((void *)at, AHEAD_PIECE, MADV_POPULATE_WRITE) != 0 &&
        errno == EINVAL)
      return unused; /* the system does not know how */
    at += AHEAD_PIECE;
  }
}

static void ahead_begin(void) {
  pthread_t thread;
  pthread_attr_t attributes;
  sigset_t all, signals;
  ahead.begun = true;
  if (sem_init(&ahead.wishes, 0, 0) != 0) return;
  if (pthread_attr_init(&attributes) != 0) return;
  sigfillset(&all); /* they are for those who have something to do */
  pthread_sigmask(SIG_BLOCK, &all, &signals);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_create(&thread, &attributes, ahead_thread, NULL);
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &signals, NULL);
}

void md_ahead_wish(const char *from, const char *to) {
  atomic_store(&ahead.from, (uintptr_t)from / AHEAD_PIECE * AHEAD_PIECE);
  atomic_store(&ahead.to, (uintptr_t)to / AHEAD_PIECE * AHEAD_PIECE);
  if (!ahead.begun) ahead_begin();
  sem_post(&ahead.wishes);
}
