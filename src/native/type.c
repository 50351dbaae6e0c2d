#include "native/type.h"

#include <assert.h>
#include <string.h>

/* -- growing -- */

/* Makes room for `needed` records; false without memory. */
static bool ctype_room(md_ctypes *t, void **array, uint32_t *room, size_t size,
                       uint64_t needed) {
  if (needed <= *room) return true;
  if (needed > UINT32_MAX / 4) return false;
  uint32_t more = *room * 2 + 32;
  while (more < needed) more *= 2;
  void *grown = md_arena_resize(t->arena, *array, *room * size, more * size);
  if (grown == NULL) return false;
  *array = grown;
  *room = more;
  return true;
}

#define CTYPE_ROOM(t, what, n)                                                 \
  ctype_room(t, (void **)&(t)->what##s, &(t)->what##_room,                     \
             sizeof *(t)->what##s, (uint64_t)(t)->what##_count + (n))

static uint32_t ctype_mix(uint32_t hash, uint64_t word) {
  uint64_t x = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
  return (uint32_t)(x >> 32) ^ (uint32_t)x;
}

/* Chains for as many as there are: heads that are a power of two. */
static bool ctype_heads(md_ctypes *t, uint32_t **heads, uint32_t *count,
                        uint32_t needed) {
  if (*count >= needed && *count > 0) return true;
  uint32_t more = *count > 0 ? *count : 256;
  while (more < needed) more *= 2;
  uint32_t *made = md_arena_alloc(t->arena, more * sizeof *made);
  if (made == NULL) return false;
  md_arena_free(t->arena, *heads, *count * sizeof *made);
  *heads = made;
  *count = more;
  return true;
}

/* -- names -- */

static uint32_t cname_hash(const char *text, size_t length) {
  uint32_t hash = (uint32_t)length * 16777619u ^ 2166136261u;
  for (size_t i = 0; i < length; i++)
    hash = (hash ^ (unsigned char)text[i]) * 16777619u;
  return hash ^ hash >> 15;
}

static void cname_chain(md_ctypes *t) {
  memset(t->name_heads, 0, t->name_heads_count * sizeof *t->name_heads);
  for (uint32_t i = 1; i < t->name_count; i++) {
    uint32_t *head =
        &t->name_heads[t->names[i].hash & (t->name_heads_count - 1)];
    t->names[i].next = *head;
    *head = i;
  }
}

static uint32_t cname_look(const md_ctypes *t, const char *text, size_t length,
                           uint32_t hash) {
  uint32_t i = t->name_heads[hash & (t->name_heads_count - 1)];
  for (; i != 0; i = t->names[i].next) {
    const md_cname *n = &t->names[i];
    if (n->hash == hash && n->length == length &&
        memcmp(t->text + n->text, text, length) == 0)
      break;
  }
  return i;
}

uint32_t md_cname_find(const md_ctypes *t, const char *text, size_t length) {
  return cname_look(t, text, length, cname_hash(text, length));
}

uint32_t md_cname_add(md_ctypes *t, const char *text, size_t length) {
  uint32_t hash = cname_hash(text, length);
  uint32_t i = cname_look(t, text, length, hash);
  if (i != 0) return i;
  if (!CTYPE_ROOM(t, name, 1)) return 0;
  if (!ctype_room(t, (void **)&t->text, &t->text_room, 1,
                  (uint64_t)t->text_count + length + 1))
    return 0;
  uint32_t heads = t->name_heads_count;
  if (!ctype_heads(t, &t->name_heads, &t->name_heads_count, t->name_count))
    return 0;
  if (heads != t->name_heads_count) cname_chain(t);
  uint32_t *head = &t->name_heads[hash & (t->name_heads_count - 1)];
  i = t->name_count++;
  t->names[i] = (md_cname){.text = t->text_count,
                           .length = (uint32_t)length,
                           .hash = hash,
                           .next = *head};
  *head = i;
  memcpy(t->text + t->text_count, text, length);
  t->text[t->text_count + length] = '\0';
  t->text_count += (uint32_t)length + 1;
  return i;
}

md_cname *md_cname_change(md_ctypes *t, uint32_t name) {
  assert(name > 0 && name < t->name_count);
  if (name < t->mark.names) {
    if (!CTYPE_ROOM(t, change, 1)) return NULL;
    t->changes[t->change_count++] = (md_cchange){name, t->names[name]};
  }
  return &t->names[name];
}

/* -- types -- */

static md_ctype_id ctype_add(md_ctypes *t, md_ctype record) {
  if (!CTYPE_ROOM(t, type, 1)) return 0;
  t->types[t->type_count] = record;
  return t->type_count++;
}

/* The hash of a type that is made of others; 0: it is not. */
static uint32_t ctype_hash(const md_ctypes *t, const md_ctype *type) {
  if (type->kind != MD_C_POINTER && type->kind != MD_C_ARRAY &&
      type->kind != MD_C_FUNCTION)
    return 0;
  uint32_t hash = ctype_mix(type->kind, type->of);
  hash = ctype_mix(hash, (uint64_t)(type->flags & ~MD_C_META) << 32);
  hash = ctype_mix(hash, type->length);
  for (uint32_t i = 0; i < type->count; i++)
    hash = ctype_mix(hash, t->members[type->first + i].type);
  return hash | 1;
}

static void ctype_chain(md_ctypes *t) {
  memset(t->type_heads, 0, t->type_heads_count * sizeof *t->type_heads);
  for (md_ctype_id i = 1; i < t->type_count; i++) {
    uint32_t hash = ctype_hash(t, &t->types[i]);
    if (hash == 0) continue;
    uint32_t *head = &t->type_heads[hash >> 1 & (t->type_heads_count - 1)];
    t->types[i].next = *head;
    *head = i;
  }
}

static bool ctype_same(const md_ctypes *t, const md_ctype *a,
                       const md_ctype *b) {
  if (a->kind != b->kind || a->of != b->of || a->length != b->length ||
      (a->flags & ~MD_C_META) != (b->flags & ~MD_C_META) ||
      a->count != b->count)
    return false;
  for (uint32_t i = 0; i < a->count; i++)
    if (t->members[a->first + i].type != t->members[b->first + i].type)
      return false;
  return true;
}

/* The type like this one that is there, or this one, added. Its members are
   the last ones, and go if they are not needed. */
static md_ctype_id ctype_once(md_ctypes *t, md_ctype type) {
  uint32_t hash = ctype_hash(t, &type), before = t->type_heads_count;
  md_ctype_id i = t->type_heads[hash >> 1 & (before - 1)];
  while (i != 0 && !ctype_same(t, &t->types[i], &type)) i = t->types[i].next;
  if (i != 0) {
    t->member_count -= type.count;
    return i;
  }
  if (!ctype_heads(t, &t->type_heads, &t->type_heads_count, t->type_count))
    return 0;
  if (before != t->type_heads_count) ctype_chain(t);
  uint32_t *head = &t->type_heads[hash >> 1 & (t->type_heads_count - 1)];
  type.next = *head;
  i = ctype_add(t, type);
  if (i != 0) *head = i;
  return i;
}

md_ctype_id md_ctype_pointer(md_ctypes *t, md_ctype_id to, bool constant) {
  return ctype_once(
      t, (md_ctype){.kind = MD_C_POINTER,
                    .flags =
                        (uint8_t)(MD_C_POINTERS | (constant ? MD_C_CONST : 0)),
                    .align = sizeof(void *),
                    .size = sizeof(void *),
                    .of = to});
}

md_ctype_id md_ctype_array(md_ctypes *t, md_ctype_id of, uint64_t length,
                           uint8_t flags) {
  const md_ctype *element = &t->types[of];
  return ctype_once(t, (md_ctype){.kind = MD_C_ARRAY,
                                  .flags = (uint8_t)(flags | (element->flags &
                                                              MD_C_POINTERS)),
                                  .align = element->align,
                                  .size = length * element->size,
                                  .of = of,
                                  .length = length});
}

md_ctype_id md_ctype_function(md_ctypes *t, md_ctype_id result,
                              const md_ctype_id *parameters, uint32_t count,
                              bool variadic) {
  assert(count <= MD_C_MOST);
  uint32_t first = t->member_count;
  for (uint32_t i = 0; i < count; i++)
    if (!md_ctypes_member(t, 0, parameters[i], 0)) return 0;
  return ctype_once(t, (md_ctype){.kind = MD_C_FUNCTION,
                                  .flags = variadic ? MD_C_VARIADIC : 0,
                                  .align = 1,
                                  .of = result,
                                  .first = first,
                                  .count = count});
}

md_ctype_id md_ctype_open(md_ctypes *t, md_ckind kind, uint32_t tag) {
  return ctype_add(t, (md_ctype){.kind = (uint8_t)kind,
                                 .flags = MD_C_OPEN,
                                 .align = 1,
                                 .name = tag});
}

bool md_ctypes_member(md_ctypes *t, uint32_t name, md_ctype_id type,
                      uint64_t offset) {
  if (!CTYPE_ROOM(t, member, 1)) return false;
  t->members[t->member_count++] = (md_cmember){name, type, offset};
  return true;
}

const md_cmember *md_ctype_member(const md_ctypes *t, md_ctype_id id,
                                  uint32_t name, uint64_t *offset) {
  const md_ctype *type = &t->types[id];
  const md_cmember *m = t->members + type->first;
  for (const md_cmember *end = m + type->count; m < end; m++) {
    uint64_t inner;
    if (m->name == name) {
      *offset = m->offset;
      return m;
    }
    if (m->name != 0) continue;
    const md_cmember *in = md_ctype_member(t, m->type, name, &inner);
    if (in == NULL) continue;
    *offset = m->offset + inner;
    return in;
  }
  return NULL;
}

/* -- taking back -- */

void md_ctypes_mark(md_ctypes *t) {
  t->mark =
      (md_cmark){t->type_count, t->member_count, t->name_count, t->text_count};
  t->change_count = 0;
}

void md_ctypes_undo(md_ctypes *t) {
  while (t->change_count > 0) {
    const md_cchange *change = &t->changes[--t->change_count];
    t->names[change->name] = change->before;
  }
  t->type_count = t->mark.types;
  t->member_count = t->mark.members;
  t->name_count = t->mark.names;
  t->text_count = t->mark.text;
  for (md_ctype_id i = 1; i < t->type_count; i++) {
    md_ctype *type = &t->types[i];
    bool completed = type->kind >= MD_C_STRUCT && type->kind <= MD_C_ENUM &&
                     type->count > 0 && type->first >= t->member_count;
    if (completed)
      *type =
          (md_ctype){.kind = type->kind,
                     .flags = (uint8_t)(MD_C_OPEN | (type->flags & MD_C_META)),
                     .align = 1,
                     .name = type->name};
  }
  cname_chain(t);
  ctype_chain(t);
}

/* -- the types that are always there -- */

typedef struct ctype_known {
  const char *name;
  uint8_t kind, flags, size;
} ctype_known;

static const ctype_known ctype_basic[] = {
    {"void", MD_C_VOID, 0, 0},
    {"bool", MD_C_BOOL, MD_C_UNSIGNED, 1},
    {"char", MD_C_INTEGER, (char)-1 > 0 ? MD_C_UNSIGNED : 0, 1},
    {"signed char", MD_C_INTEGER, 0, 1},
    {"unsigned char", MD_C_INTEGER, MD_C_UNSIGNED, 1},
    {"short", MD_C_INTEGER, 0, sizeof(short)},
    {"unsigned short", MD_C_INTEGER, MD_C_UNSIGNED, sizeof(short)},
    {"int", MD_C_INTEGER, 0, sizeof(int)},
    {"unsigned int", MD_C_INTEGER, MD_C_UNSIGNED, sizeof(int)},
    {"long", MD_C_INTEGER, 0, sizeof(long)},
    {"unsigned long", MD_C_INTEGER, MD_C_UNSIGNED, sizeof(long)},
    {"long long", MD_C_INTEGER, 0, sizeof(long long)},
    {"unsigned long long", MD_C_INTEGER, MD_C_UNSIGNED, sizeof(long long)},
    {"float", MD_C_FLOAT, 0, sizeof(float)},
    {"double", MD_C_FLOAT, 0, sizeof(double)},
    {"long double", MD_C_FLOAT, 0, sizeof(long double)}};

static const struct {
  const char *name;
  md_ctype_id type;
} ctype_aliases[] = {{"bool", MD_C_BOOL_ID},       {"int8_t", MD_C_SCHAR_ID},
                     {"uint8_t", MD_C_UCHAR_ID},   {"int16_t", MD_C_SHORT_ID},
                     {"uint16_t", MD_C_USHORT_ID}, {"int32_t", MD_C_INT_ID},
                     {"uint32_t", MD_C_UINT_ID},   {"int64_t", MD_C_LONG_ID},
                     {"uint64_t", MD_C_ULONG_ID},  {"size_t", MD_C_ULONG_ID},
                     {"ssize_t", MD_C_LONG_ID},    {"intptr_t", MD_C_LONG_ID},
                     {"uintptr_t", MD_C_ULONG_ID}, {"ptrdiff_t", MD_C_LONG_ID},
                     {"wchar_t", MD_C_INT_ID}};

_Static_assert(sizeof(long) == 8 && sizeof(int) == 4 && sizeof(void *) == 8,
               "the aliases are those of 64 bits");
_Static_assert(sizeof ctype_basic / sizeof *ctype_basic == MD_C_LDOUBLE_ID,
               "the numbers of the types that are always there");

static bool ctype_start(md_ctypes *t) {
  size_t basics = sizeof ctype_basic / sizeof *ctype_basic;
  size_t aliases = sizeof ctype_aliases / sizeof *ctype_aliases;
  if (!ctype_heads(t, &t->name_heads, &t->name_heads_count, 1) ||
      !ctype_heads(t, &t->type_heads, &t->type_heads_count, 1))
    return false;
  t->type_count = t->name_count = t->text_count = 1;
  if (!CTYPE_ROOM(t, type, 1) || !CTYPE_ROOM(t, name, 1)) return false;
  t->types[0] = (md_ctype){0};
  t->names[0] = (md_cname){0};
  cname_chain(t);
  ctype_chain(t);
  if (!ctype_room(t, (void **)&t->text, &t->text_room, 1, 1)) return false;
  t->text[0] = '\0';
  for (size_t i = 0; i < basics; i++) {
    const ctype_known *b = &ctype_basic[i];
    uint32_t name = md_cname_add(t, b->name, strlen(b->name));
    md_ctype type = {.kind = b->kind,
                     .flags = b->flags,
                     .align = b->size ? b->size : 1,
                     .size = b->size,
                     .name = name};
    if (name == 0 || ctype_add(t, type) == 0) return false;
  }
  for (size_t i = 0; i < aliases; i++) {
    const char *text = ctype_aliases[i].name;
    uint32_t name = md_cname_add(t, text, strlen(text));
    if (name == 0) return false;
    t->names[name].meaning = MD_C_TYPE;
    t->names[name].type = ctype_aliases[i].type;
  }
  return true;
}

md_ctypes *md_ctypes_open(md_arena *arena) {
  md_ctypes *t = md_arena_alloc(arena, sizeof *t);
  if (t == NULL) return NULL;
  memset(t, 0, sizeof *t);
  t->arena = arena;
  if (ctype_start(t)) return t;
  md_ctypes_close(t);
  return NULL;
}

void md_ctypes_close(md_ctypes *t) {
  md_arena *a = t->arena;
  md_arena_free(a, t->types, t->type_room * sizeof *t->types);
  md_arena_free(a, t->members, t->member_room * sizeof *t->members);
  md_arena_free(a, t->names, t->name_room * sizeof *t->names);
  md_arena_free(a, t->changes, t->change_room * sizeof *t->changes);
  md_arena_free(a, t->text, t->text_room);
  md_arena_free(a, t->type_heads, t->type_heads_count * sizeof(uint32_t));
  md_arena_free(a, t->name_heads, t->name_heads_count * sizeof(uint32_t));
  md_arena_free(a, t, sizeof *t);
}
