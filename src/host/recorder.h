/* The recorder: a function of the library (family.lua) that is told what the
   processes of a template's instances do, and answers how a replay wants it.
   Nobody else's process pays for it more than a look at a flag. */
#ifndef MD_HOST_RECORDER_H
#define MD_HOST_RECORDER_H

#include "host/host.h"

/* What an instance and all that it spawns have in common. The library holds
   it; the word HOST_RECORDED of each of its processes has its address, and in
   the low bits what else is known of that process. */
typedef struct host_family {
  uint64_t id;
  uint64_t turns; /* of its processes and their timers, so far */
  uint64_t told;  /* turns by the last signal */
  uint64_t kept;  /* how much there is in its log */
  bool loud;      /* it is replayed: the recorder wants to be told all */
  bool tied;      /* more was due at the instant of these turns; see turn.h */
  md_time at;     /* the instant of those that were last */
  uint64_t *since;
  uint32_t count, first, capacity;
  md_arena *arena;
} host_family;

enum {
  HOST_USES = 1,   /* is in md.use: what it does is of no concern */
  HOST_STANDS = 2, /* stands in for one that is not run: its error is known */
  HOST_MARKS = 3,
};

/* The word HOST_RECORDED of p, 0: it has none. The family of p, NULL: none. */
uint64_t host_recorded(const host_sim *s, uint32_t p);
host_family *host_family_of(const host_sim *s, uint32_t p);

/* The family of that number, NULL: nobody has it any more. [-0, +0, -] */
host_family *host_family_numbered(lua_State *L, uint64_t id);

bool host_stands(const host_sim *s, uint32_t p);

/* Tells what befalls p, with copies of n values from `first` on. [-0,+0,e] */
void host_record_values(lua_State *L, host_sim *s, uint32_t p, const char *kind,
                        int first, int n);

/* The same with the values of a message that is held, or with all those on p's
   coroutine. [-0, +0, e] */
void host_record_mail(lua_State *L, host_sim *s, uint32_t p, const char *kind,
                      const md_mail *mail);
void host_record_leaf(lua_State *L, host_sim *s, uint32_t p, const char *kind,
                      lua_State *leaf);

/* The first of the process that runs, or of the one whose callback runs, unless
   it is in md.use; true when the recorder says so. [-0, +0, e] */
bool host_record_own(lua_State *L, host_sim *s, const char *kind, int first,
                     int n);

/* p begins: what it runs may be replaced. Below the top are host_body's. */
void host_record_start(lua_State *L, host_sim *s, uint32_t p);

/* The new process p, to which its parent forwards or not. [-0, +0, e] */
void host_record_spawn(lua_State *L, host_sim *s, uint32_t p, bool forward);

/* p is interrupted or killed by another (0: nobody), for the reason at that
   index. [-0, +0, e] */
void host_record_blow(lua_State *L, host_sim *s, uint32_t by, uint32_t p,
                      const char *kind, int reason);

/* n values from `first` on are sent to `to` (0: to the ended process at index
   `name`), at a time or now (-1); `to` is told if they come from outside. True
   when they are to be kept back. [-0, +0, e] */
bool host_record_send(lua_State *L, host_sim *s, uint32_t to, int name,
                      md_time at, int first, int n);

/* A message comes to `to` that nobody of its family has sent just now, from
   the process that was called `from`; true as above. [-0, +0, e] */
bool host_record_arrival(lua_State *L, host_sim *s, uint32_t to, md_pid from,
                         int first, int n);

/* Who sends something for later, and whether that is recorded: a word; and
   when it comes to `to`: true as above. */
uint64_t host_record_later(const host_sim *s);
bool host_record_late(lua_State *L, host_sim *s, uint32_t to, uint64_t later,
                      int first, int n);
static inline md_pid host_later_pid(uint64_t later) {
  return later & ~(3ull << 62);
}

/* The process that runs stands in line before the inbox of `to`. [-0,+0,e] */
void host_record_backoff(lua_State *L, host_sim *s, uint32_t to, int first,
                         int n);

/* Who plans a callback for that time, 0 if it is not recorded, and its family.
   [-0, +0, e] */
md_pid host_record_callback(lua_State *L, host_sim *s, md_time at,
                            uint64_t *family);

/* Raises journal when a process that is replayed does to the process at index
   i, outside of its family, what belongs into md.use. [-0, +0, e] */
void host_record_reach(lua_State *L, host_sim *s, int i, const char *call);

#endif
