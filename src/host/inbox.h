/* What inboxes keep of themselves, read: level over time, waits, throughput and
   what was dropped. The kernel keeps it, see mail.h; here it becomes tables,
   and outlives the processes, in sums by name. */
#ifndef MD_HOST_INBOX_H
#define MD_HOST_INBOX_H

#include "host/host.h"

/* p has ended, and its inbox is empty: what that has kept is added to that of
   the others of its name. [-0, +0, m] */
void inbox_close(lua_State *L, host_sim *s, uint32_t p);

/* Pushes a table of what p's inbox has kept, or nil: it keeps nothing.
   [-0, +1, m] */
void inbox_push(lua_State *L, host_sim *s, uint32_t p);

#endif
