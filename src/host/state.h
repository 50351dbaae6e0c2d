/* The state of the whole program as one thing: saved as an image, and taken up
   again. What is wanted of it is a wish, granted between two events, where
   nothing of it is on the C stack; who has the wish waits in the middle of its
   turn, and goes on in it.

   What belongs to this process of the system (host_outside, the model's files)
   is taken out of the arena while its bytes count: equal runs have equal bytes,
   which is what md_image_hash is about. */
#ifndef MD_HOST_STATE_H
#define MD_HOST_STATE_H

#include "host/host.h"
#include "image/image.h"
#include "image/note.h"

/* Saves an image; what else the program wants to find in it is told by
   host_outside.note. False with a sentence. */
bool host_save(md_host *, const char *path, char error[MD_IMAGE_ERROR]);

/* The host of an image, and its note, malloc's. What it had outside of the
   arena is the caller's to give again, all but the model's files. NULL with a
   sentence. */
md_host *host_wake(const char *path, bool lazy, md_note *,
                   char error[MD_IMAGE_ERROR]);

/* The hash of the state's bytes, see md_image_hash. */
void host_state_hash(md_host *, char text[33]);

/* Says what in the state leads out of it; how much that is. */
size_t host_audit(md_host *);

/* Grants the wish that there is. */
void host_grant(md_host *);

/* Raises unless the coroutine L, a process or the script, can wait for a wish
   here. [-0, +0, e] */
void host_may_wish(lua_State *L, const char *call);

/* Waits until the wish is granted. [-0, +0, -] */
int host_make_wish(lua_State *L, host_wish_kind kind, const char *text,
                   lua_KFunction k);

#endif
