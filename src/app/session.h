/* What a session at the prompt knows besides the simulation, and the copies of
   the program that look at it for the prompt, see repl.h. */
#ifndef MD_APP_SESSION_H
#define MD_APP_SESSION_H

#include "app/app.h"
#include "app/roll.h"
#include "host/travel.h"
#include "image/note.h"

/* A line that was executed, and where the default sim stood. */
typedef struct session_input {
  uint64_t events, after; /* so many had been before it, and behind it */
  md_time time;
  bool quiet; /* nothing was due any more at that time */
  char *text;
} session_input;

typedef struct session_value {
  char *name, *text;
} session_value;

typedef struct app_session {
  md_host *host;
  const app_options *options;
  host_past *past;
  app_journal *journal; /* NULL: none is kept */
  struct app_terminal *terminal;
  session_input *inputs;
  session_input here;    /* where the line is executed that is being */
  session_value *values; /* what plans have set: breakpoints and the like */
  uint32_t input_count, value_count;
  md_note plan; /* of the line that was read last, malloc's */
  bool planned, over;
  bool failed;      /* some line, or command */
  bool interrupted; /* the last run, by Ctrl-C, */
  bool broken;      /* and with it what was planned behind it */
  app_roll roll;
  int leaving;  /* the pid of the last copy, which has said all; 0: none */
  bool keeping; /* of a copy: one more point is being kept, `coming` */
} app_session;

/* From now on the names of processes are known to it, also when these have
   ended. Others who want to hear of them are told, too. */
void app_session_open(app_session *);
void app_session_close(app_session *);

/* A copy calls the function of that name in lua/repl with the text and what
   lies on the main state; what it plans, malloc's. */
md_note app_session_look(app_session *, const char *what, const char *text);

/* The same of a copy that first goes back to the last point at or before that
   event. */
md_note app_session_look_back(app_session *, uint64_t events, const char *what,
                              const char *text);

/* A copy has said all, and is gone. */
_Noreturn void app_session_leave(void);

/* Where the program is over, and the default sim has something to do, that
   begins to run. */
void app_session_begin_rest(md_host *);

/* A line was executed; and what was, after so many events, never was. */
void app_session_stand(app_session *); /* before it, where the run stands */
void app_session_enter(app_session *, const char *text, size_t size);
void app_session_forget(app_session *, uint64_t events);

void app_session_set(app_session *, md_note name, md_note bytes);

/* Makes the default sim. */
int app_session_first(lua_State *L);

#endif
