#include "native/layout.h"

static uint64_t layout_up(uint64_t n, uint32_t align) {
  return (n + align - 1) / align * align;
}

uint64_t md_layout_add(md_layout *l, const md_ctype *type, uint32_t align) {
  uint32_t own = l->packed ? 1 : type->align;
  if (align > own) own = align;
  if (own > l->align) l->align = own;
  l->flags |= type->flags & (MD_C_POINTERS | MD_C_VARIABLE);
  if (type->kind == MD_C_ARRAY && type->flags & MD_C_OPEN)
    l->flags |= MD_C_VARIABLE;
  uint64_t offset = l->together ? 0 : layout_up(l->size, own);
  uint64_t end = offset + type->size;
  if (end > l->size) l->size = end;
  return offset;
}

void md_layout_end(const md_layout *l, md_ctypes *t, md_ctype_id id,
                   uint32_t first) {
  md_ctype *type = md_ctype_at(t, id);
  type->flags = (uint8_t)((type->flags & ~MD_C_OPEN) | l->flags);
  type->align = l->align > 0 ? l->align : 1;
  type->size = layout_up(l->size, type->align);
  type->first = first;
  type->count = t->member_count - first;
}

/* Equal types, or types without a name that have equal members. */
static bool layout_alike(const md_ctypes *t, md_ctype_id a, md_ctype_id b) {
  const md_ctype *x = md_ctype_at(t, a), *y = md_ctype_at(t, b);
  if (a == b) return true;
  if (x->kind != y->kind) return false;
  if (x->kind == MD_C_POINTER || x->kind == MD_C_ARRAY)
    return x->length == y->length && layout_alike(t, x->of, y->of);
  bool whole = x->kind >= MD_C_STRUCT && x->kind <= MD_C_ENUM;
  bool bare = (x->name == 0 || x->alias) && (y->name == 0 || y->alias);
  return whole && bare && md_layout_same(t, a, b);
}

bool md_layout_same(const md_ctypes *t, md_ctype_id a, md_ctype_id b) {
  const md_ctype *x = md_ctype_at(t, a), *y = md_ctype_at(t, b);
  if (x->kind != y->kind || x->size != y->size || x->align != y->align ||
      x->count != y->count || x->of != y->of)
    return false;
  for (uint32_t i = 0; i < x->count; i++) {
    const md_cmember *m = &t->members[x->first + i];
    const md_cmember *n = &t->members[y->first + i];
    if (m->name != n->name || m->offset != n->offset) return false;
    if (!layout_alike(t, m->type, n->type)) return false;
  }
  return true;
}
