/* Structs, unions and enums. */
#include "native/layout.h"
#include "native/parser.h"

/* -- tags -- */

/* The type of a tag, open if it is new; 0 for none, which makes a new one. */
static md_ctype_id whole_tagged(md_parser *p, md_ckind kind, uint32_t tag) {
  md_ctypes *t = p->types;
  if (tag == 0) return parse_made(p, md_ctype_open(t, kind, 0));
  md_ctype_id id = t->names[tag].tag;
  if (id == 0) {
    id = parse_made(p, md_ctype_open(t, kind, tag));
    md_cname *n = md_cname_change(t, tag);
    if (n == NULL) parse_no_memory(p);
    n->tag = id;
  }
  if (md_ctype_at(t, id)->kind != kind) {
    char text[80];
    parse_fail(p, "'%s' is declared already, as '%s'", md_cname_text(t, tag),
               md_ctype_text(t, id, text, sizeof text));
  }
  return id;
}

/* The word behind struct, union or enum. */
static uint32_t whole_tag(md_parser *p, md_attributes *attributes) {
  parse_advance(p);
  parse_attributes(p, attributes);
  if (p->token.kind != MD_TOKEN_NAME) return 0;
  uint32_t tag = p->token.name;
  parse_advance(p);
  parse_attributes(p, attributes);
  return tag;
}

/* A second declaration of the same is fine, of another is not. */
static md_ctype_id whole_once(md_parser *p, md_ctype_id before,
                              md_ctype_id now) {
  char text[80];
  if (before == now) return now;
  if (!md_layout_same(p->types, before, now))
    parse_fail(p, "'%s' is declared already, with other members",
               md_ctype_text(p->types, before, text, sizeof text));
  return before;
}

/* -- structs and unions -- */

/* Members under way, which are noted when all of them are known: there may be
   other structs among them. */
typedef struct whole_list {
  md_parser *parser;
  md_layout layout;
  md_cmember *members;
  uint32_t count, room;
} whole_list;

enum { WHOLE_MEMBERS = 512 };

static bool whole_has(const whole_list *list, uint32_t name) {
  const md_ctypes *t = list->parser->types;
  uint64_t offset;
  for (uint32_t i = 0; i < list->count; i++) {
    const md_cmember *m = &list->members[i];
    if (m->name == name) return true;
    if (m->name == 0 && md_ctype_member(t, m->type, name, &offset)) return true;
  }
  return false;
}

static void whole_add(whole_list *list, uint32_t name, md_ctype_id id,
                      uint32_t align) {
  md_parser *p = list->parser;
  const md_ctype *type = md_ctype_at(p->types, id);
  char text[80];
  bool open_array =
      type->kind == MD_C_ARRAY && type->flags & (MD_C_OPEN | MD_C_VARIABLE);
  if (list->layout.flags & MD_C_VARIABLE && !list->layout.together)
    parse_fail(p, "only the last member can be an array of open length");
  if (type->kind == MD_C_VOID || type->kind == MD_C_FUNCTION ||
      (type->flags & MD_C_OPEN && !open_array))
    parse_fail(p,
               "a member cannot be of type '%s', whose size is not known; "
               "use a pointer to it",
               md_ctype_text(p->types, id, text, sizeof text));
  if (name != 0 && whole_has(list, name))
    parse_fail(p, "there are two members '%s'", md_cname_text(p->types, name));
  if (list->count == WHOLE_MEMBERS)
    parse_fail(p, "more than %d members", WHOLE_MEMBERS);
  uint64_t offset = md_layout_add(&list->layout, type, align);
  if (list->layout.size > MD_C_LARGEST) parse_fail(p, "this is too large");
  list->members[list->count++] = (md_cmember){name, id, offset};
}

static void whole_no_bits(md_parser *p) {
  if (parse_at(p, ':'))
    parse_fail(p, "bit-fields are not supported; declare the whole integer and "
                  "take its bits with & and >>");
}

/* One line of members: `int x, *y;` */
static void whole_line(whole_list *list) {
  md_parser *p = list->parser;
  if (parse_accept(p, ';')) return;
  md_specifiers s = parse_specifiers(p, "a member's type or '}'");
  const md_ctype *base = md_ctype_at(p->types, s.base.type);
  bool whole = base->kind == MD_C_STRUCT || base->kind == MD_C_UNION;
  if (whole && parse_at(p, ';')) {
    whole_add(list, 0, s.base.type, s.attributes.align);
  } else if (!parse_at(p, ';')) {
    do {
      whole_no_bits(p);
      md_declarator d = parse_declarator(p, &s, MD_NAMED);
      whole_no_bits(p);
      whole_add(list, d.name, d.type, d.attributes.align);
    } while (parse_accept(p, ','));
  }
  parse_expect(p, ';', "';' behind a member");
}

static void whole_keep(whole_list *list, md_ctype_id id, uint32_t align) {
  md_ctypes *t = list->parser->types;
  uint32_t first = t->member_count;
  if (align > list->layout.align) list->layout.align = align;
  for (uint32_t i = 0; i < list->count; i++) {
    const md_cmember *m = &list->members[i];
    if (!md_ctypes_member(t, m->name, m->type, m->offset))
      parse_no_memory(list->parser);
  }
  md_layout_end(&list->layout, t, id, first);
}

md_ctype_id parse_whole(md_parser *p) {
  md_cmember members[WHOLE_MEMBERS];
  md_attributes attributes = {0};
  md_ckind kind = p->token.key == MD_WORD_UNION ? MD_C_UNION : MD_C_STRUCT;
  uint32_t tag = whole_tag(p, &attributes);
  if (tag == 0 && !parse_at(p, '{')) parse_expected(p, "a name or '{'");
  md_ctype_id id = whole_tagged(p, kind, tag), made = id;
  if (!parse_accept(p, '{')) return id;
  bool again = !(md_ctype_at(p->types, id)->flags & MD_C_OPEN);
  if (again) made = parse_made(p, md_ctype_open(p->types, kind, 0));
  whole_list list = {
      .parser = p,
      .layout = {.together = kind == MD_C_UNION, .packed = attributes.packed},
      .members = members};
  parse_enter(p);
  while (!parse_at(p, '}')) {
    if (p->token.kind == MD_TOKEN_END)
      parse_expected(p, "'}' at the end of the members");
    whole_line(&list);
  }
  parse_leave(p);
  parse_advance(p);
  md_attributes after = attributes;
  parse_attributes(p, &after);
  if (after.packed && !attributes.packed) { /* once more, tightly */
    list.layout = (md_layout){.together = list.layout.together, .packed = true};
    for (uint32_t i = 0; i < list.count; i++)
      members[i].offset = md_layout_add(
          &list.layout, md_ctype_at(p->types, members[i].type), 0);
  }
  whole_keep(&list, made, after.align);
  return whole_once(p, id, made);
}

/* -- enums -- */

static void whole_name_constant(md_parser *p, uint32_t name, int64_t value) {
  md_cname *n = md_cname_change(p->types, name);
  if (n == NULL) parse_no_memory(p);
  bool same = n->meaning == MD_C_CONSTANT && n->value == value;
  if (n->meaning != MD_C_UNKNOWN && !same)
    parse_fail(p, "'%s' is declared already", md_cname_text(p->types, name));
  n->meaning = MD_C_CONSTANT;
  n->value = value;
}

/* The integers that serve for all values, as gcc chooses them. */
static md_ctype_id whole_enum_base(int64_t least, int64_t most) {
  if (least >= 0 && most <= UINT32_MAX) return MD_C_UINT_ID;
  if (least >= INT32_MIN && most <= INT32_MAX) return MD_C_INT_ID;
  return least >= 0 ? MD_C_ULONG_ID : MD_C_LONG_ID;
}

md_ctype_id parse_enum(md_parser *p) {
  md_attributes attributes = {0};
  md_ctypes *t = p->types;
  int64_t value = 0, least = 0, most = 0;
  uint32_t tag = whole_tag(p, &attributes);
  if (tag == 0 && !parse_at(p, '{')) parse_expected(p, "a name or '{'");
  md_ctype_id id = whole_tagged(p, MD_C_ENUM, tag);
  if (parse_accept(p, '{')) {
    do {
      if (parse_at(p, '}')) break;
      if (p->token.kind != MD_TOKEN_NAME) parse_expected(p, "a name or '}'");
      uint32_t name = p->token.name;
      parse_advance(p);
      if (parse_accept(p, '=')) value = parse_constant(p);
      whole_name_constant(p, name, value);
      if (value < least) least = value;
      if (value > most) most = value;
      value = (int64_t)((uint64_t)value + 1);
    } while (parse_accept(p, ','));
    parse_expect(p, '}', "',' or '}' behind a constant");
    parse_attributes(p, &attributes);
  } else if (!(md_ctype_at(t, id)->flags & MD_C_OPEN)) {
    return id;
  }
  md_ctype *type = md_ctype_at(t, id);
  md_ctype_id of = whole_enum_base(least, most);
  const md_ctype *base = md_ctype_at(t, of);
  type->of = of;
  type->size = type->align = base->align;
  type->flags =
      (uint8_t)((type->flags & MD_C_META) | (base->flags & MD_C_UNSIGNED));
  return id;
}
