/* What a copy of the program sees of the processes and their messages, for
   lua/repl: more of the module moondial.session. */
#ifndef MD_APP_VIEW_H
#define MD_APP_VIEW_H

#include "app/session.h"

/* Adds its functions to the table on the top. [-0, +0, m] */
void app_view_add(lua_State *, app_session *);

#endif
