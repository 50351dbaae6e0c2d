/* Streams, as the model has them: a userdata "md.rng" that holds the generator
   itself. */
#ifndef MD_HOST_STREAM_H
#define MD_HOST_STREAM_H

#include "host/host.h"

/* A stream is known by its size and its mark: looking up the metatable would
   cost more than most distributions. */
typedef struct chance_stream {
  uint64_t mark;
  md_rng rng;
} chance_stream;

static const uint64_t chance_mark = 0x6d642e726e670001; /* "md.rng" */

static inline md_rng *chance_test(lua_State *L, int i) {
  chance_stream *stream = lua_touserdata(L, i);
  if (!md_arena_near(stream)) return NULL; /* nothing, or a light userdata */
  return stream->mark == chance_mark ? &stream->rng : NULL;
}

/* Pushes the stream called name of s. [-0, +1, e] */
md_rng *host_stream(lua_State *L, host_sim *s, const char *name, size_t n);

#endif
