/* What messages are compared with: values, kinds, tables, functions, and the
   types and protocols that a model declares. */
#ifndef MD_HOST_PATTERN_H
#define MD_HOST_PATTERN_H

#include "host/host.h"

/* -- match.c -- */

/* The tag of a value: equal values have equal tags; 0: no tag. */
uint64_t host_tag(lua_State *L, int i);
uint64_t host_text_tag(const char *text, size_t n); /* of a string */

/* The tag that a pattern asks for, 0: any. */
uint64_t host_pattern_tag(lua_State *L, int i);

/* Does the value at (V, v) match the pattern at (P, p)? Nothing is pushed. */
bool host_match(lua_State *P, int p, lua_State *V, int v);

/* Is the value of the kind that a pattern (the bits of one) asks for? */
bool host_match_kind(uint64_t pattern, lua_State *V, int v);

/* Does pattern a match whatever b does; whatever a literal of that type does?
 */
bool host_kind_covers(uint64_t a, uint64_t b);
bool host_kind_of_type(uint64_t pattern, int type);

/* True when what matches is stripped: a literal. */
bool host_literal_object(lua_State *P, int p, int type);

static inline bool host_literal(lua_State *P, int p) {
  int type = lua_type(P, p);
  return type == LUA_TSTRING || host_literal_object(P, p, type);
}

/* True when a value of that type is no pattern: a function. */
bool host_no_pattern(int type);

/* A digest of n values for the trace: of the first, as many as a plain ask has.
 */
enum { HOST_DIGESTED = 5 };
uint64_t host_digest(lua_State *L, int first, int n);

/* A pid or a ref without its sim: what goes the same way in two sims has the
   same digests. */
static inline uint64_t host_digest_light(uint64_t bits) {
  return bits & ~(UINT64_C(0xff) << 52);
}

static inline uint64_t host_digest_mix(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 32;
}

/* -- pattern.c: patterns that look into a value -- */

bool host_deep(lua_State *P, int p);
bool host_match_deep(lua_State *P, int p, lua_State *V, int v);
uint64_t host_deep_tag(lua_State *L, int i);

/* Calls the guard below the top n values; false as well when it has failed on
   behalf of h->receiver (not `own`), as h->guard_failed says. [-n-1, +0, e] */
bool host_guard(lua_State *L, bool own, int n);

/* Raises when a guard is running, which must change nothing. */
void host_no_guard(lua_State *L, const char *call);

/* -- typed.c: message types, their records, protocols -- */

enum { HOST_TYPE = 1, HOST_RECORD };

/* Is the value a message type or a record? 0: neither. */
int host_typed(lua_State *L, int i);

/* The name of the type that the record at i is of, NULL: it is none. */
const char *host_record_name(lua_State *L, int i);
bool host_record_of(lua_State *L, int v, int type);
bool host_same_type(lua_State *L, int a, int b);
bool host_protocol(lua_State *L, int i);

/* What of the protocol at i host_check_protocol tries first. */
const void *host_quick_rules(lua_State *L, int i);

/* Raises when one of n values is a record that lacks a field. */
void host_check_records(lua_State *L, const char *call, int first, int n);

/* Raises when `to` does not accept the n values, or `who` those that the
   protocol at i does not have. */
void host_check_protocol(lua_State *L, host_sim *s, uint32_t to,
                         const char *call, int first, int n);
void host_check_rules(lua_State *L, int i, const char *who, const char *call,
                      int first, int n);

#endif
