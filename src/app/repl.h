/* `moondial repl`: a prompt between two events.

   Everything that only looks is done by a copy of the program (fork), which
   prints and is gone: so looking never changes a run. The copy also reads each
   line, in Lua (lua/repl), and tells by a pipe what is to be done for real: the
   plan. Only then this program does something: it executes a line of Lua, lets
   the run go on up to a certain event, or goes back to one. Where a run is to
   stop at a condition, the copy runs ahead to find the event.

   A plan is a note (image/note.h); its entries are the actions of repl.c. */
#ifndef MD_APP_REPL_H
#define MD_APP_REPL_H

#include "app/app.h"
#include "host/travel.h"

/* The prompt, until it is left; the exit status. On the host's stack. */
int app_repl(md_host *, const app_options *, host_past *, app_journal *);

#endif
