/* How structs and unions lie in memory, as the C compilers of 64-bit Linux lay
   them. */
#ifndef MD_NATIVE_LAYOUT_H
#define MD_NATIVE_LAYOUT_H

#include "native/type.h"

/* A struct or union that is being laid out; zeroes are none. */
typedef struct md_layout {
  bool together; /* a union */
  bool packed;
  uint8_t flags;  /* of the whole, from its members */
  uint32_t align; /* the most of any so far, or what was asked for */
  uint64_t size;
} md_layout;

/* Bytes that a type may have. */
#define MD_C_LARGEST (UINT64_C(1) << 40)

/* Adds a member, aligned to `align` if that is more (0: as its type is); its
   offset. The size may have become more than MD_C_LARGEST. */
uint64_t md_layout_add(md_layout *, const md_ctype *, uint32_t align);

/* The members from `first` on are all: the type is known from here on. */
void md_layout_end(const md_layout *, md_ctypes *, md_ctype_id, uint32_t first);

/* Have the two structs, unions or enums the same members at the same places? */
bool md_layout_same(const md_ctypes *, md_ctype_id, md_ctype_id);

#endif
