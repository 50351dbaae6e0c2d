/* The files of the model, as an image knows them: those of Lua's io that are
   open, and the three standard streams. A file is named by its path, which the
   system tells, and by where it stood; when it is opened again, what was
   written after that is cut off. What has no path is refused. */
#ifndef MD_HOST_FILES_H
#define MD_HOST_FILES_H

#include "host/host.h"
#include "image/note.h"

/* Has io's functions tell of the files they open. [-0, +0, m] */
void host_open_files(lua_State *L);

/* Flushes what is open and puts it into the note; false with a sentence when
   one of them cannot be. */
bool host_note_files(md_host *, FILE *note, char *error, size_t size);

/* For as long as an image is written, streams are none of this process's. */
void host_lend_files(md_host *, FILE **kept);
void host_take_files(md_host *, FILE *const *kept);

/* Closes what the model has open and an image could name: its state is given up
   for another. */
void host_close_files(md_host *);

/* Opens what the note names, in the host that an image has brought; false with
   a sentence, and all of them are closed. Nothing is cut off unless all can be
   opened. */
bool host_wake_files(md_host *, md_note, char *error, size_t size);

#endif
