/* Constant expressions: integers of 64 bits, signed unless said otherwise, with
   C's operators and their precedence. */
#include "native/parser.h"

typedef struct constant {
  uint64_t bits;
  bool is_unsigned;
} constant;

static constant constant_ternary(md_parser *p);

static constant constant_of(int64_t value) {
  return (constant){(uint64_t)value, false};
}

/* sizeof(type), _Alignof(type) */
static constant constant_measure(md_parser *p, bool size) {
  parse_advance(p);
  parse_expect(p, '(', "'(' and a type");
  md_ctype_id id = parse_type_name(p).type;
  const md_ctype *type = md_ctype_at(p->types, id);
  if (type->flags & MD_C_OPEN || type->kind == MD_C_FUNCTION)
    parse_fail(p, "the size of this type is not known here");
  parse_expect(p, ')', "')'");
  return (constant){size ? type->size : type->align, true};
}

/* The value as one of a type would have it. */
static constant constant_cast(md_parser *p, md_ctype_id id, constant c) {
  const md_ctype *type = md_ctype_at(p->types, id);
  if (type->kind == MD_C_BOOL) return constant_of(c.bits != 0);
  if (type->kind != MD_C_INTEGER && type->kind != MD_C_ENUM &&
      type->kind != MD_C_POINTER)
    parse_fail(p, "a constant can only be cast to a type of integers");
  unsigned shift = (unsigned)(64 - type->size * 8);
  c.is_unsigned = type->flags & MD_C_UNSIGNED;
  if (shift == 0) return c;
  c.bits <<= shift;
  c.bits =
      c.is_unsigned ? c.bits >> shift : (uint64_t)((int64_t)c.bits >> shift);
  return c;
}

static constant constant_name(md_parser *p) {
  const md_cname *n = &p->types->names[p->token.name];
  if (n->meaning != MD_C_CONSTANT)
    parse_fail(p, "'%s' is no constant that was declared before",
               md_cname_text(p->types, p->token.name));
  constant c = constant_of(n->value);
  parse_advance(p);
  return c;
}

static constant constant_unary(md_parser *p) {
  constant c;
  parse_enter(p);
  if (p->token.kind == MD_TOKEN_INTEGER) {
    c = (constant){p->token.value, p->token.is_unsigned};
    parse_advance(p);
  } else if (p->token.kind == MD_TOKEN_NAME) {
    c = constant_name(p);
  } else if (parse_at_key(p, MD_WORD_SIZEOF)) {
    c = constant_measure(p, true);
  } else if (parse_at_key(p, MD_WORD_ALIGNOF)) {
    c = constant_measure(p, false);
  } else if (parse_accept(p, '-')) {
    c = constant_unary(p);
    c.bits = -c.bits;
  } else if (parse_accept(p, '+')) {
    c = constant_unary(p);
  } else if (parse_accept(p, '~')) {
    c = constant_unary(p);
    c.bits = ~c.bits;
  } else if (parse_accept(p, '!')) {
    c = constant_of(constant_unary(p).bits == 0);
  } else if (parse_accept(p, '(')) {
    bool cast = parse_type_begins(p, &p->token);
    md_ctype_id to = cast ? parse_type_name(p).type : 0;
    c = cast ? (constant){0, false} : constant_ternary(p);
    parse_expect(p, ')', "')'");
    if (cast) c = constant_cast(p, to, constant_unary(p));
  } else {
    parse_expected(p, "a constant");
  }
  parse_leave(p);
  return c;
}

/* How strongly the operator at the token binds; 0: it is none. */
static int constant_binds(const md_parser *p) {
  if (p->token.kind != MD_TOKEN_MARK) return 0;
  switch (p->token.mark) {
  case '*':
  case '/':
  case '%':
    return 10;
  case '+':
  case '-':
    return 9;
  case MD_MARK_LEFT:
  case MD_MARK_RIGHT:
    return 8;
  case '<':
  case '>':
  case MD_MARK_LE:
  case MD_MARK_GE:
    return 7;
  case MD_MARK_EQ:
  case MD_MARK_NE:
    return 6;
  case '&':
    return 5;
  case '^':
    return 4;
  case '|':
    return 3;
  case MD_MARK_AND:
    return 2;
  case MD_MARK_OR:
    return 1;
  default:
    return 0;
  }
}

static constant constant_divide(md_parser *p, constant a, constant b,
                                bool rest) {
  bool is_unsigned = a.is_unsigned || b.is_unsigned;
  if (b.bits == 0) parse_fail(p, "this constant is divided by 0");
  if (is_unsigned)
    return (constant){rest ? a.bits % b.bits : a.bits / b.bits, true};
  if (b.bits == UINT64_MAX) /* by -1, which might not fit */
    return (constant){rest ? 0 : -a.bits, false};
  int64_t x = (int64_t)a.bits, y = (int64_t)b.bits;
  return constant_of(rest ? x % y : x / y);
}

static constant constant_shift(md_parser *p, constant a, constant b,
                               bool left) {
  if (b.bits > 63)
    parse_fail(p, "this constant is shifted by other than 0 to 63 bits");
  if (left) return (constant){a.bits << b.bits, a.is_unsigned};
  if (a.is_unsigned) return (constant){a.bits >> b.bits, true};
  return constant_of((int64_t)a.bits >> b.bits);
}

static bool constant_less(constant a, constant b) {
  if (a.is_unsigned || b.is_unsigned) return a.bits < b.bits;
  return (int64_t)a.bits < (int64_t)b.bits;
}

static constant constant_apply(md_parser *p, int mark, constant a, constant b) {
  bool is_unsigned = a.is_unsigned || b.is_unsigned;
  switch (mark) {
  case '*':
    return (constant){a.bits * b.bits, is_unsigned};
  case '/':
  case '%':
    return constant_divide(p, a, b, mark == '%');
  case '+':
    return (constant){a.bits + b.bits, is_unsigned};
  case '-':
    return (constant){a.bits - b.bits, is_unsigned};
  case MD_MARK_LEFT:
  case MD_MARK_RIGHT:
    return constant_shift(p, a, b, mark == MD_MARK_LEFT);
  case '<':
    return constant_of(constant_less(a, b));
  case '>':
    return constant_of(constant_less(b, a));
  case MD_MARK_LE:
    return constant_of(!constant_less(b, a));
  case MD_MARK_GE:
    return constant_of(!constant_less(a, b));
  case MD_MARK_EQ:
    return constant_of(a.bits == b.bits);
  case MD_MARK_NE:
    return constant_of(a.bits != b.bits);
  case '&':
    return (constant){a.bits & b.bits, is_unsigned};
  case '^':
    return (constant){a.bits ^ b.bits, is_unsigned};
  case '|':
    return (constant){a.bits | b.bits, is_unsigned};
  case MD_MARK_AND:
    return constant_of(a.bits != 0 && b.bits != 0);
  default:
    return constant_of(a.bits != 0 || b.bits != 0);
  }
}

static constant constant_binary(md_parser *p, int least) {
  constant a = constant_unary(p);
  for (int binds; (binds = constant_binds(p)) >= least;) {
    int mark = p->token.mark;
    parse_advance(p);
    a = constant_apply(p, mark, a, constant_binary(p, binds + 1));
  }
  return a;
}

static constant constant_ternary(md_parser *p) {
  parse_enter(p);
  constant c = constant_binary(p, 1);
  if (parse_accept(p, '?')) {
    constant yes = constant_ternary(p);
    parse_expect(p, ':', "':' and what it is otherwise");
    constant no = constant_ternary(p);
    c = c.bits != 0 ? yes : no;
  }
  parse_leave(p);
  return c;
}

int64_t parse_constant(md_parser *p) {
  return (int64_t)constant_ternary(p).bits;
}
