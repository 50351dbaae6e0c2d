#include "app/stand.h"
#include "host/travel.h"

static app_stand *stand_now;

static void stand_reach(md_host *h, host_sim *s, host_pause *pause) {
  const app_stand *own = (app_stand *)pause; /* its first member */
  bool halt = !host_in_branch(h);
  if (halt && own->exactly) host_pause_reached(h, s, pause);
  pause->time = INT64_MAX;
  pause->events = UINT64_MAX;
  h->out.halt = halt;
}

/* Behind a branch the pause is there again. */
static void stand_returning(md_host *h, uint32_t i) {
  (void)h;
  if (stand_now->lost != NULL && i < stand_now->kept) stand_now->lost();
  stand_now->pause.time = stand_now->time;
  stand_now->pause.events = stand_now->events;
}

void app_stand_begin(app_stand *stand, md_host *h, md_time time,
                     uint64_t events, bool exactly, void (*lost)(void)) {
  host_pause pause = {time, events, stand_reach, h->out.pauses, true};
  uint32_t kept = h->out.past->count;
  *stand = (app_stand){pause, time, events, exactly, kept, lost};
  stand_now = stand;
  h->out.pauses = &stand->pause;
  h->out.returning = stand_returning;
}

void app_stand_end(app_stand *stand, md_host *h) {
  h->out.pauses = stand->pause.next;
  h->out.returning = NULL;
  stand_now = NULL;
}
