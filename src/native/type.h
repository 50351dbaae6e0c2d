/* The types and names of C that a model has declared: one table in the arena.

   A type is a number, its record lies in `types`. Types that are made of others
   (pointers, arrays, functions) are there once, so that equal types have equal
   numbers; a struct, union or enum is a type of its own. Qualifiers are not
   kept but for one: a pointer or an array knows whether what it leads to is
   const. Nothing in the table points anywhere but into the arena, and arrays
   are referred to by index: they move when they grow.

   Invariant: every index in a record is below the count of its array. What was
   declared since md_ctypes_mark can be taken back as a whole. */
#ifndef MD_NATIVE_TYPE_H
#define MD_NATIVE_TYPE_H

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t md_ctype_id; /* 0: none */

enum { MD_C_MOST = 255 }; /* parameters of a function */

typedef enum md_ckind {
  MD_C_NONE,
  MD_C_VOID,
  MD_C_BOOL,
  MD_C_INTEGER,
  MD_C_FLOAT,
  MD_C_POINTER,
  MD_C_ARRAY,
  MD_C_STRUCT,
  MD_C_UNION,
  MD_C_ENUM,
  MD_C_FUNCTION,
} md_ckind;

/* Flags of a type. */
enum {
  MD_C_UNSIGNED = 1,
  MD_C_CONST = 2,     /* a pointer, an array: of what is const */
  MD_C_OPEN = 4,      /* declared, its members are not known */
  MD_C_VARIABLE = 8,  /* the length of it, or of its last member, is open */
  MD_C_VARIADIC = 16, /* a function with ... */
  MD_C_POINTERS = 32, /* it is, or holds, a pointer */
  MD_C_META = 64,     /* the host has methods for it */
};

/* The types that are always there, by number. */
enum {
  MD_C_VOID_ID = 1,
  MD_C_BOOL_ID,
  MD_C_CHAR_ID,
  MD_C_SCHAR_ID,
  MD_C_UCHAR_ID,
  MD_C_SHORT_ID,
  MD_C_USHORT_ID,
  MD_C_INT_ID,
  MD_C_UINT_ID,
  MD_C_LONG_ID,
  MD_C_ULONG_ID,
  MD_C_LLONG_ID,
  MD_C_ULLONG_ID,
  MD_C_FLOAT_ID,
  MD_C_DOUBLE_ID,
  MD_C_LDOUBLE_ID,
};

typedef struct md_ctype {
  uint8_t kind, flags;
  uint32_t align;
  uint64_t size;         /* bytes, without a length that is open */
  md_ctype_id of;        /* element, target, result; an enum's integer */
  uint32_t name;         /* its tag, or what it is called; 0: nothing */
  uint32_t first, count; /* members; of a function: parameters */
  uint64_t length;       /* of an array */
  md_ctype_id next;      /* of those with the same hash */
  uint32_t plan;         /* the host's: 0, or how a function is called */
  bool alias;            /* its name is a typedef's, it has no tag */
} md_ctype;

typedef struct md_cmember {
  uint32_t name; /* 0: of a struct or union without a name in another */
  md_ctype_id type;
  uint64_t offset;
} md_cmember;

typedef enum md_cmeaning {
  MD_C_UNKNOWN,
  MD_C_KEYWORD,
  MD_C_TYPE,
  MD_C_CONSTANT,
  MD_C_VARIABLE_NAME,
  MD_C_FUNCTION_NAME,
} md_cmeaning;

/* A word: what it means, and what it means behind struct, union or enum. */
typedef struct md_cname {
  uint32_t text, length, hash, next;
  uint32_t meaning;
  md_ctype_id type, tag;
  uint32_t symbol; /* the name that it has in a library, 0: its own */
  int64_t value;
  bool constant; /* a variable that must not be written */
} md_cname;

typedef struct md_cchange {
  uint32_t name;
  md_cname before;
} md_cchange;

/* How far the table was, see md_ctypes_mark. */
typedef struct md_cmark {
  uint32_t types, members, names, text;
} md_cmark;

typedef struct md_ctypes {
  md_arena *arena;
  md_ctype *types;
  md_cmember *members;
  md_cname *names;
  md_cchange *changes; /* to older names since the mark */
  char *text;
  uint32_t type_count, member_count, name_count, change_count, text_count;
  uint32_t type_room, member_room, name_room, change_room, text_room;
  uint32_t *type_heads, *name_heads; /* chains by hash */
  uint32_t type_heads_count, name_heads_count;
  md_cmark mark;
} md_ctypes;

/* NULL without memory. Close gives all of it back. */
md_ctypes *md_ctypes_open(md_arena *);
void md_ctypes_close(md_ctypes *);

static inline md_ctype *md_ctype_at(const md_ctypes *t, md_ctype_id id) {
  return &t->types[id];
}

static inline const char *md_cname_text(const md_ctypes *t, uint32_t name) {
  return t->text + t->names[name].text;
}

/* The number of a word, which is added; 0 without memory. The other finds one
   that is there, or 0. */
uint32_t md_cname_add(md_ctypes *, const char *text, size_t length);
uint32_t md_cname_find(const md_ctypes *, const char *text, size_t length);

/* The record of a word, to be changed: what it was is noted. NULL without
   memory. */
md_cname *md_cname_change(md_ctypes *, uint32_t name);

/* A pointer, an array of so many (those whose length is open have the flag
   MD_C_VARIABLE, or for [] MD_C_OPEN), a function. 0 without memory. */
md_ctype_id md_ctype_pointer(md_ctypes *, md_ctype_id to, bool constant);
md_ctype_id md_ctype_array(md_ctypes *, md_ctype_id of, uint64_t length,
                           uint8_t flags);
md_ctype_id md_ctype_function(md_ctypes *, md_ctype_id result,
                              const md_ctype_id *parameters, uint32_t count,
                              bool variadic);

/* A struct, union or enum whose members are not known. 0 without memory. */
md_ctype_id md_ctype_open(md_ctypes *, md_ckind, uint32_t tag);

/* Adds a member or parameter at the end of all; false without memory. */
bool md_ctypes_member(md_ctypes *, uint32_t name, md_ctype_id, uint64_t offset);

/* Where a member of that name is, also in one without a name; NULL: nowhere.
   Its offset from the beginning of the whole is put into `offset`. */
const md_cmember *md_ctype_member(const md_ctypes *, md_ctype_id, uint32_t name,
                                  uint64_t *offset);

/* From here on everything can be taken back. */
void md_ctypes_mark(md_ctypes *);
void md_ctypes_undo(md_ctypes *);

/* What a type is written as: "int (*)(const char *)". Cut off at size. */
const char *md_ctype_text(const md_ctypes *, md_ctype_id, char *buffer,
                          size_t size);

#endif
