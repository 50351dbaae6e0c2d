/* How a copy of the program goes on, to look ahead, for lua/repl: more of the
   module moondial.session. */
#ifndef MD_APP_FORWARD_H
#define MD_APP_FORWARD_H

#include "app/session.h"

/* Adds its functions to the table on the top. [-0, +0, m] */
void app_forward_add(lua_State *, app_session *);

#endif
