/* Where a run is to stand still for the prompt, or for a copy that looks ahead:
   at an event, or a time. In a branch nobody stands still: it is gone through
   to its end, where everything is taken back, and the run stands before it. */
#ifndef MD_APP_STAND_H
#define MD_APP_STAND_H

#include "host/loop.h"

typedef struct app_stand {
  host_pause pause; /* as it is armed now */
  md_time time;     /* as was asked for */
  uint64_t events;
  bool exactly;  /* the clock shows that time then, not the last event's */
  uint32_t kept; /* points of the past when it began */
  void (*lost)(void);
} app_stand;

/* From now on the run stands still there. `lost` (NULL: nobody minds) is called
   before everything is taken back to a point that is older than this. */
void app_stand_begin(app_stand *, md_host *, md_time, uint64_t events,
                     bool exactly, void (*lost)(void));
void app_stand_end(app_stand *, md_host *);

#endif
