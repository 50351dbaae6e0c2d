/* Declarators: the name in the middle, and what is written around it. Each part
   is noted from the name outwards, and applied to the base the other way. */
#include "native/parser.h"
#include "native/layout.h"

enum { DECLARE_PARTS = 64 };

typedef struct declare_part {
  uint8_t kind; /* MD_C_POINTER, MD_C_ARRAY or MD_C_FUNCTION */
  uint8_t flags;
  bool constant;         /* the pointer itself */
  uint64_t length;       /* of an array */
  uint32_t first, count; /* parameters, in the pool */
} declare_part;

typedef struct declare_parts {
  declare_part part[DECLARE_PARTS];
  uint32_t count;
} declare_parts;

static void declare_add(md_parser *p, declare_parts *parts, declare_part part) {
  if (parts->count == DECLARE_PARTS)
    parse_fail(p, "this declaration has more than %d parts", DECLARE_PARTS);
  parts->part[parts->count++] = part;
}

static void declare_length(md_parser *p, declare_parts *parts) {
  declare_part part = {.kind = MD_C_ARRAY};
  while (parse_at_key(p, MD_WORD_STATIC) || parse_at_key(p, MD_WORD_CONST) ||
         parse_at_key(p, MD_WORD_RESTRICT))
    parse_advance(p);
  if (parse_at(p, ']')) {
    part.flags = MD_C_OPEN;
  } else if (parse_accept(p, '?')) {
    part.flags = MD_C_VARIABLE;
  } else {
    int64_t n = parse_constant(p);
    if (n < 0 || (uint64_t)n > MD_C_LARGEST)
      parse_fail(p, "an array cannot have %lld elements", (long long)n);
    part.length = (uint64_t)n;
  }
  parse_expect(p, ']', "']' behind the length of the array");
  declare_add(p, parts, part);
}

/* Parameters are passed as C does: arrays and functions as pointers. */
static md_ctype_id declare_decay(md_parser *p, md_declarator d) {
  const md_ctype *type = md_ctype_at(p->types, d.type);
  md_ctype_id made = d.type;
  if (type->kind == MD_C_ARRAY)
    made = md_ctype_pointer(p->types, type->of, type->flags & MD_C_CONST);
  else if (type->kind == MD_C_FUNCTION)
    made = md_ctype_pointer(p->types, d.type, false);
  return parse_made(p, made);
}

static void declare_parameter(md_parser *p) {
  md_specifiers s = parse_specifiers(p, "a parameter's type");
  md_declarator d = parse_declarator(p, &s, MD_EITHER);
  md_ctype_id type = declare_decay(p, d);
  if (md_ctype_at(p->types, type)->kind == MD_C_VOID)
    parse_fail(p, "a parameter cannot be void; write (void) for none");
  if (p->pooled == PARSE_POOL)
    parse_fail(p, "more than %d parameters in one declaration", PARSE_POOL);
  p->pool[p->pooled++] = type;
}

static bool declare_no_parameters(md_parser *p) {
  if (parse_at(p, ')')) return true;
  if (!parse_at_key(p, MD_WORD_VOID)) return false;
  const md_ctoken *next = parse_ahead(p);
  if (next->kind != MD_TOKEN_MARK || next->mark != ')') return false;
  parse_advance(p);
  return true;
}

static void declare_parameters(md_parser *p, declare_parts *parts) {
  declare_part part = {.kind = MD_C_FUNCTION, .first = p->pooled};
  if (!declare_no_parameters(p)) {
    do {
      if (parse_accept(p, MD_MARK_DOTS)) {
        part.flags = MD_C_VARIADIC;
        break;
      }
      declare_parameter(p);
    } while (parse_accept(p, ','));
  }
  part.count = p->pooled - part.first;
  if (part.count > MD_C_MOST)
    parse_fail(p, "a function can have %d parameters, not %u", MD_C_MOST,
               part.count);
  parse_expect(p, ')', "',' or ')' behind a parameter");
  declare_add(p, parts, part);
}

/* '(' begins a declarator in brackets, not parameters. */
static bool declare_nested(md_parser *p) {
  const md_ctoken *next = parse_ahead(p);
  if (next->kind == MD_TOKEN_MARK)
    return next->mark == '*' || next->mark == '(' || next->mark == '[';
  if (next->kind == MD_TOKEN_KEYWORD) return next->key == MD_WORD_ATTRIBUTE;
  return next->kind == MD_TOKEN_NAME && !parse_type_begins(p, next);
}

static void declare_suffixes(md_parser *p, declare_parts *parts) {
  for (;;) {
    if (parse_accept(p, '[')) declare_length(p, parts);
    else if (parse_accept(p, '(')) declare_parameters(p, parts);
    else break;
  }
}

static void declare_inner(md_parser *p, md_declarator *d,
                          declare_parts *parts) {
  bool constant[DECLARE_PARTS];
  uint32_t stars = 0;
  parse_enter(p);
  parse_attributes(p, &d->attributes);
  while (parse_accept(p, '*')) {
    if (stars == DECLARE_PARTS) {
      parse_fail(p, "too many *");
      return;
    }
    constant[stars] = false;
    for (;; parse_advance(p)) {
      parse_attributes(p, &d->attributes);
      if (parse_at_key(p, MD_WORD_CONST)) constant[stars] = true;
      else if (!parse_at_key(p, MD_WORD_VOLATILE) &&
               !parse_at_key(p, MD_WORD_RESTRICT) &&
               !parse_at_key(p, MD_WORD_ATOMIC))
        break;
    }
    stars++;
  }
  if (parse_at(p, '(') && declare_nested(p)) {
    parse_advance(p);
    declare_inner(p, d, parts);
    parse_expect(p, ')', "')'");
  } else if (p->token.kind == MD_TOKEN_NAME) {
    d->name = p->token.name;
    parse_advance(p);
  }
  declare_suffixes(p, parts);
  while (stars-- > 0)
    declare_add(
        p, parts,
        (declare_part){.kind = MD_C_POINTER, .constant = constant[stars]});
  parse_leave(p);
}

static md_ctype_id declare_array(md_parser *p, const declare_part *part,
                                 md_qualified of) {
  const md_ctype *type = md_ctype_at(p->types, of.type);
  char text[80];
  if (type->kind == MD_C_VOID || type->kind == MD_C_FUNCTION ||
      (type->flags & (MD_C_OPEN | MD_C_VARIABLE)))
    parse_fail(p,
               "an array cannot have elements of '%s', whose size is not "
               "known",
               md_ctype_text(p->types, of.type, text, sizeof text));
  if (type->size > 0 && part->length > MD_C_LARGEST / type->size)
    parse_fail(p, "this array is too large");
  uint8_t constant = of.constant ? MD_C_CONST : 0;
  return md_ctype_array(p->types, of.type, part->length,
                        (uint8_t)(part->flags | constant));
}

static md_ctype_id declare_function(md_parser *p, const declare_part *part,
                                    md_qualified result) {
  uint8_t kind = md_ctype_at(p->types, result.type)->kind;
  if (kind == MD_C_ARRAY || kind == MD_C_FUNCTION)
    parse_fail(p, "a function cannot return an array or a function; let it "
                  "return a pointer");
  return md_ctype_function(p->types, result.type, p->pool + part->first,
                           part->count, part->flags & MD_C_VARIADIC);
}

/* Applies the parts to the base, from the outermost to the name. */
static md_qualified declare_apply(md_parser *p, md_qualified q,
                                  const declare_parts *parts) {
  for (uint32_t i = parts->count; i-- > 0;) {
    const declare_part *part = &parts->part[i];
    md_ctype_id made;
    if (part->kind == MD_C_POINTER) {
      made = md_ctype_pointer(p->types, q.type, q.constant);
      q.constant = part->constant;
    } else if (part->kind == MD_C_ARRAY) {
      made = declare_array(p, part, q);
    } else {
      made = declare_function(p, part, q);
      q.constant = false;
    }
    q.type = parse_made(p, made);
  }
  return q;
}

static void declare_symbol(md_parser *p, md_declarator *d) {
  if (!parse_at_key(p, MD_WORD_ASM)) return;
  parse_advance(p);
  parse_expect(p, '(', "'(' and a name in quotes");
  if (p->token.kind != MD_TOKEN_STRING) parse_expected(p, "a name in quotes");
  d->symbol =
      parse_made(p, md_cname_add(p->types, p->token.text, p->token.length));
  parse_advance(p);
  parse_expect(p, ')', "')'");
}

md_declarator parse_declarator(md_parser *p, const md_specifiers *s,
                               md_naming naming) {
  declare_parts parts;
  md_declarator d = {.attributes = s->attributes, .line = p->token.line};
  uint32_t pooled = p->pooled;
  parts.count = 0;
  declare_inner(p, &d, &parts);
  if (naming == MD_NAMED && d.name == 0) parse_expected(p, "a name");
  if (naming == MD_NAMELESS && d.name != 0)
    parse_fail(p, "expected a type alone, without the name '%s'",
               md_cname_text(p->types, d.name));
  md_qualified q = declare_apply(p, s->base, &parts);
  p->pooled = pooled;
  d.type = q.type;
  d.constant = q.constant;
  parse_attributes(p, &d.attributes);
  declare_symbol(p, &d);
  parse_attributes(p, &d.attributes);
  return d;
}

md_qualified parse_type_name(md_parser *p) {
  parse_enter(p);
  md_specifiers s = parse_specifiers(p, "a type");
  md_declarator d = parse_declarator(p, &s, MD_NAMELESS);
  parse_leave(p);
  return (md_qualified){d.type, d.constant};
}
