/* What comes from outside of the simulation, and is answered from a journal
   when that is replayed. */
#ifndef MD_HOST_OUTSIDE_H
#define MD_HOST_OUTSIDE_H

#include "host/host.h"
#include "image/note.h"

typedef struct host_journal {
  /* A side effect is about to happen. True: here is what came of it, plain
     values or an error; false: it is to be called. */
  bool (*answer)(struct host_journal *, md_host *, md_note *, bool *failed);
  /* It was called, and this came of it. */
  void (*keep)(struct host_journal *, md_host *, md_note, bool failed);
  /* An image was saved, or resumed, with this answer; NULL: it was not, see
     host_outside.error. Only when it is not replayed: */
  void (*saved)(struct host_journal *, md_host *, const char *answer);
  /* What the answer was; nothing is saved in a replay. */
  const char *(*save)(struct host_journal *, md_host *);
  /* A text of the model was read: of a file that is loaded, or loaded anew.
     What is to be taken for it, in a replay, or NULL: that text. Before a file
     is loaded anew, with no text: what it was in the journal. */
  const char *(*text)(struct host_journal *, md_host *, md_note text, bool anew,
                      size_t *size);
  bool replays;
} host_journal;

/* Replaces the text on the top by what the journal has for it. [-1, +1, m] */
void host_journal_text(lua_State *L, bool anew);

/* Pushes the text that a file had when it was loaded anew, in a replay. */
bool host_journal_reload(lua_State *L);

/* The function inside.external. */
int host_f_external(lua_State *L);

#endif
