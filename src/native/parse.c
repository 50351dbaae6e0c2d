#include "native/parse.h"
#include "native/layout.h"
#include "native/parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* -- what is wrong -- */

_Noreturn static void parse_out(md_parser *p, md_parsed why) {
  longjmp(p->out, (int)why);
}

_Noreturn void parse_no_memory(md_parser *p) { parse_out(p, MD_PARSE_MEMORY); }

_Noreturn void parse_fail(md_parser *p, const char *format, ...) {
  va_list arguments;
  int n = snprintf(p->error, MD_PARSE_ERROR, "line %d: ", p->token.line);
  va_start(arguments, format);
  vsnprintf(p->error + n, (size_t)(MD_PARSE_ERROR - n), format, arguments);
  va_end(arguments);
  parse_out(p, MD_PARSE_FAILED);
}

_Noreturn void parse_expected(md_parser *p, const char *what) {
  const md_ctoken *k = &p->token;
  if (k->kind == MD_TOKEN_END)
    parse_fail(p, "expected %s, got the end of the text", what);
  int shown = k->length > 40 ? 40 : (int)k->length;
  bool name = k->kind == MD_TOKEN_NAME &&
              p->types->names[k->name].meaning == MD_C_UNKNOWN;
  parse_fail(p, "expected %s, got '%.*s'%s", what, shown, k->text,
             name ? ", which is not declared" : "");
}

/* -- tokens -- */

static md_ctoken parse_token(md_parser *p) {
  md_ctoken token = md_lexer_next(&p->lexer);
  if (token.kind != MD_TOKEN_WRONG) return token;
  p->token.line = token.line;
  parse_fail(p, "%s", token.text);
}

void parse_advance(md_parser *p) {
  p->token = p->looked ? p->ahead : parse_token(p);
  p->looked = false;
}

const md_ctoken *parse_ahead(md_parser *p) {
  if (!p->looked) p->ahead = parse_token(p);
  p->looked = true;
  return &p->ahead;
}

bool parse_accept(md_parser *p, int mark) {
  if (!parse_at(p, mark)) return false;
  parse_advance(p);
  return true;
}

void parse_expect(md_parser *p, int mark, const char *what) {
  if (!parse_accept(p, mark)) parse_expected(p, what);
}

void parse_enter(md_parser *p) {
  if (++p->depth > PARSE_DEEP)
    parse_fail(p, "this is nested more than %d deep", PARSE_DEEP);
}

/* -- attributes -- */

/* Passes what is in brackets, and what is nested in it. */
static void parse_brackets(md_parser *p) {
  int deep = 0;
  do {
    if (parse_at(p, '(')) deep++;
    else if (parse_at(p, ')')) deep--;
    else if (p->token.kind == MD_TOKEN_END) parse_expected(p, "')'");
    parse_advance(p);
  } while (deep > 0);
}

static bool parse_word(const md_parser *p, const char *word) {
  const md_ctoken *k = &p->token;
  size_t n = strlen(word);
  if (k->kind != MD_TOKEN_NAME) return false;
  if (k->length == n) return memcmp(k->text, word, n) == 0;
  return k->length == n + 4 && memcmp(k->text, "__", 2) == 0 &&
         memcmp(k->text + 2, word, n) == 0;
}

static uint32_t parse_alignment(md_parser *p) {
  int64_t n = 16;
  if (parse_accept(p, '(')) {
    bool type = parse_type_begins(p, &p->token);
    n = type ? (int64_t)md_ctype_at(p->types, parse_type_name(p).type)->align
             : parse_constant(p);
    parse_expect(p, ')', "')'");
  }
  if (n < 1 || n > 4096 || (n & (n - 1)) != 0)
    parse_fail(p, "an alignment is a power of two up to 4096, not %lld",
               (long long)n);
  return (uint32_t)n;
}

static void parse_attribute(md_parser *p, md_attributes *a) {
  parse_advance(p);
  parse_expect(p, '(', "'(('");
  parse_expect(p, '(', "'(('");
  while (!parse_at(p, ')')) {
    if (parse_accept(p, ',')) continue;
    if (p->token.kind == MD_TOKEN_END) parse_expected(p, "'))'");
    if (parse_word(p, "vector_size") || parse_word(p, "mode"))
      parse_fail(p, "the attribute '%.*s' is not supported",
                 (int)p->token.length, p->token.text);
    bool packed = parse_word(p, "packed"), align = parse_word(p, "aligned");
    parse_advance(p);
    if (packed) a->packed = true;
    if (align) a->align = parse_alignment(p);
    else if (parse_at(p, '(')) parse_brackets(p);
  }
  parse_expect(p, ')', "'))'");
  parse_expect(p, ')', "'))'");
}

void parse_attributes(md_parser *p, md_attributes *a) {
  for (;;) {
    if (parse_at_key(p, MD_WORD_ATTRIBUTE)) {
      parse_attribute(p, a);
    } else if (parse_at_key(p, MD_WORD_DECLSPEC)) {
      parse_advance(p);
      if (!parse_at(p, '(')) parse_expected(p, "'('");
      parse_brackets(p);
    } else if (parse_at_key(p, MD_WORD_EXTENSION) ||
               parse_at_key(p, MD_WORD_NORETURN) ||
               parse_at_key(p, MD_WORD_INLINE)) {
      parse_advance(p);
    } else {
      return;
    }
  }
}

/* -- specifiers -- */

bool parse_type_begins(const md_parser *p, const md_ctoken *k) {
  if (k->kind == MD_TOKEN_MARK) return k->mark == '$';
  if (k->kind == MD_TOKEN_NAME)
    return p->types->names[k->name].meaning == MD_C_TYPE;
  if (k->kind != MD_TOKEN_KEYWORD) return false;
  return (k->key >= MD_WORD_VOID && k->key <= MD_WORD_ENUM) ||
         k->key == MD_WORD_CONST || k->key == MD_WORD_VOLATILE ||
         k->key == MD_WORD_COMPLEX || k->key == MD_WORD_INT128 ||
         k->key == MD_WORD_ATOMIC;
}

/* The words that make up a basic type, counted. */
typedef struct parse_words {
  int is_void, is_bool, is_char, is_short, is_int, is_long, is_float, is_double;
  int is_signed, is_unsigned;
} parse_words;

static int *parse_count(parse_words *w, uint32_t key) {
  switch (key) {
  case MD_WORD_VOID:
    return &w->is_void;
  case MD_WORD_BOOL:
    return &w->is_bool;
  case MD_WORD_CHAR:
    return &w->is_char;
  case MD_WORD_SHORT:
    return &w->is_short;
  case MD_WORD_INT:
    return &w->is_int;
  case MD_WORD_LONG:
    return &w->is_long;
  case MD_WORD_FLOAT:
    return &w->is_float;
  case MD_WORD_DOUBLE:
    return &w->is_double;
  case MD_WORD_SIGNED:
    return &w->is_signed;
  case MD_WORD_UNSIGNED:
    return &w->is_unsigned;
  default:
    return NULL;
  }
}

/* The basic type that the words make up; 0: none. */
static md_ctype_id parse_basic(md_parser *p, const parse_words *w) {
  int sign = w->is_signed + w->is_unsigned, size = w->is_short + w->is_long;
  int all = w->is_void + w->is_bool + w->is_char + w->is_float + w->is_double;
  bool u = w->is_unsigned;
  if (all + sign + size + w->is_int == 0) return 0;
  bool plain = sign == 0 && w->is_int == 0;
  bool good = all <= 1 && sign <= 1 && w->is_int <= 1 && w->is_short <= 1 &&
              w->is_long <= 2 && (w->is_short == 0 || w->is_long == 0) &&
              (all == 0 || (w->is_char && size == 0 && w->is_int == 0) ||
               (w->is_double && plain && w->is_short == 0 && w->is_long < 2) ||
               (plain && size == 0));
  if (!good) parse_fail(p, "these words do not make up a type");
  if (w->is_void) return MD_C_VOID_ID;
  if (w->is_bool) return MD_C_BOOL_ID;
  if (w->is_float) return MD_C_FLOAT_ID;
  if (w->is_double) return w->is_long ? MD_C_LDOUBLE_ID : MD_C_DOUBLE_ID;
  if (w->is_char)
    return sign == 0 ? MD_C_CHAR_ID : u ? MD_C_UCHAR_ID : MD_C_SCHAR_ID;
  if (w->is_short) return u ? MD_C_USHORT_ID : MD_C_SHORT_ID;
  if (w->is_long == 2) return u ? MD_C_ULLONG_ID : MD_C_LLONG_ID;
  if (w->is_long == 1) return u ? MD_C_ULONG_ID : MD_C_LONG_ID;
  return u ? MD_C_UINT_ID : MD_C_INT_ID;
}

static md_ctype_id parse_given(md_parser *p) {
  if (p->given_used == p->given.count)
    parse_fail(p, "there are more '$' than types given for them");
  parse_advance(p);
  return p->given.types[p->given_used++];
}

/* One specifier that is a keyword; false: it is none. */
static bool parse_keyword(md_parser *p, md_specifiers *s) {
  switch (p->token.kind == MD_TOKEN_KEYWORD ? p->token.key : MD_WORD_NONE) {
  case MD_WORD_TYPEDEF:
    s->is_typedef = true;
    break;
  case MD_WORD_STATIC:
    s->is_static = true;
    break;
  case MD_WORD_EXTERN:
    s->is_extern = true;
    break;
  case MD_WORD_CONST:
    s->base.constant = true;
    break;
  case MD_WORD_VOLATILE:
  case MD_WORD_RESTRICT:
  case MD_WORD_REGISTER:
  case MD_WORD_AUTO:
    break;
  case MD_WORD_ALIGNAS:
    parse_advance(p);
    s->attributes.align = parse_alignment(p);
    return true;
  case MD_WORD_COMPLEX:
  case MD_WORD_INT128:
  case MD_WORD_ATOMIC:
  case MD_WORD_THREAD:
    parse_fail(p, "'%.*s' is not supported", (int)p->token.length,
               p->token.text);
  default:
    return false;
  }
  parse_advance(p);
  return true;
}

/* A type that is one word, or one with members; 0: it is none. */
static md_ctype_id parse_single(md_parser *p) {
  if (parse_at_key(p, MD_WORD_STRUCT) || parse_at_key(p, MD_WORD_UNION))
    return parse_whole(p);
  if (parse_at_key(p, MD_WORD_ENUM)) return parse_enum(p);
  if (parse_at(p, '$')) return parse_given(p);
  if (p->token.kind != MD_TOKEN_NAME) return 0;
  const md_cname *n = &p->types->names[p->token.name];
  if (n->meaning != MD_C_TYPE) return 0;
  md_ctype_id type = n->type;
  parse_advance(p);
  return type;
}

md_specifiers parse_specifiers(md_parser *p, const char *what) {
  md_specifiers s = {0};
  parse_words words = {0};
  bool basic = false;
  for (;;) {
    parse_attributes(p, &s.attributes);
    if (parse_keyword(p, &s)) continue;
    int *count = p->token.kind == MD_TOKEN_KEYWORD
                     ? parse_count(&words, p->token.key)
                     : NULL;
    if (count != NULL) {
      (*count)++;
      basic = true;
      parse_advance(p);
      continue;
    }
    md_ctype_id single = basic || s.base.type ? 0 : parse_single(p);
    if (single == 0) break;
    s.base.type = single;
  }
  if (basic && s.base.type) parse_fail(p, "these words do not make up a type");
  if (basic) s.base.type = parse_basic(p, &words);
  if (s.base.type == 0) parse_expected(p, what);
  return s;
}

/* -- declarations -- */

/* Equal, or both without a tag and with the same members. */
static bool parse_same(const md_ctypes *t, md_ctype_id a, md_ctype_id b) {
  const md_ctype *x = md_ctype_at(t, a), *y = md_ctype_at(t, b);
  if (a == b) return true;
  bool whole = y->kind >= MD_C_STRUCT && y->kind <= MD_C_ENUM && y->name == 0;
  return whole && x->alias && md_layout_same(t, a, b);
}

/* A struct without a tag is called as its first typedef says. */
static void parse_alias(md_parser *p, const md_declarator *d) {
  md_ctype *type = md_ctype_at(p->types, d->type);
  if (type->kind < MD_C_STRUCT || type->kind > MD_C_ENUM) return;
  if (type->name != 0 || p->types->names[d->name].type != d->type) return;
  type->name = d->name;
  type->alias = true;
}

static void parse_declare(md_parser *p, const md_declarator *d,
                          md_cmeaning meaning, int64_t value) {
  md_ctypes *t = p->types;
  char text[160];
  md_cname *n = md_cname_change(t, d->name);
  if (n == NULL) parse_no_memory(p);
  bool known = n->meaning != MD_C_UNKNOWN;
  bool same = n->meaning == meaning && n->value == value &&
              parse_same(t, n->type, d->type);
  if (known && !same && n->meaning != MD_C_CONSTANT)
    parse_fail(p, "'%s' is declared already, as '%s'",
               md_cname_text(t, d->name),
               md_ctype_text(t, n->type, text, sizeof text));
  if (known && !same)
    parse_fail(p, "'%s' is declared already, as a constant",
               md_cname_text(t, d->name));
  if (!same) n->type = d->type;
  n->meaning = meaning;
  n->value = value;
  n->constant = d->constant;
  if (d->symbol != 0) n->symbol = d->symbol;
}

/* static const int X = 3 */
static void parse_value(md_parser *p, const md_specifiers *s,
                        const md_declarator *d) {
  const md_ctype *type = md_ctype_at(p->types, d->type);
  bool integer = type->kind == MD_C_INTEGER || type->kind == MD_C_ENUM ||
                 type->kind == MD_C_BOOL;
  if (!s->is_static || !d->constant || !integer)
    parse_fail(p,
               "only constants have a value here, as in: static const int "
               "%s = 3;",
               md_cname_text(p->types, d->name));
  parse_declare(p, d, MD_C_CONSTANT, parse_constant(p));
}

static void parse_named(md_parser *p, const md_specifiers *s) {
  md_declarator d = parse_declarator(p, s, MD_NAMED);
  bool function = md_ctype_at(p->types, d.type)->kind == MD_C_FUNCTION;
  if (parse_at(p, '{'))
    parse_fail(p,
               "'%s' has a body, and nothing is compiled here; see "
               "ffi.compile",
               md_cname_text(p->types, d.name));
  bool nothing = md_ctype_at(p->types, d.type)->kind == MD_C_VOID;
  if (s->is_typedef) {
    parse_declare(p, &d, MD_C_TYPE, 0);
    parse_alias(p, &d);
  } else if (parse_accept(p, '=')) {
    parse_value(p, s, &d);
  } else if (nothing) {
    parse_fail(p, "'%s' cannot be of type void",
               md_cname_text(p->types, d.name));
  } else {
    parse_declare(p, &d, function ? MD_C_FUNCTION_NAME : MD_C_VARIABLE_NAME, 0);
  }
}

static void parse_assert(md_parser *p) {
  parse_advance(p);
  parse_expect(p, '(', "'('");
  if (parse_constant(p) == 0) parse_fail(p, "this assertion does not hold");
  if (parse_accept(p, ',')) {
    if (p->token.kind != MD_TOKEN_STRING) parse_expected(p, "a text in quotes");
    parse_advance(p);
  }
  parse_expect(p, ')', "')'");
}

static void parse_declaration(md_parser *p) {
  if (parse_at_key(p, MD_WORD_ASSERT)) {
    parse_assert(p);
  } else {
    md_specifiers s = parse_specifiers(p, "a declaration");
    while (!parse_at(p, ';')) {
      parse_named(p, &s);
      if (parse_at(p, ';')) break;
      parse_expect(p, ',', "';' behind the declaration");
      if (parse_at(p, ';')) parse_expected(p, "a name");
    }
  }
  parse_expect(p, ';', "';' behind the declaration");
}

static void parse_start(md_parser *p, md_ctypes *t, const char *text,
                        size_t length, md_given given, char *error) {
  p->lexer =
      (md_lexer){.types = t, .at = text, .end = text + length, .line = 1};
  p->looked = false;
  p->types = t;
  p->given = given;
  p->given_used = 0;
  p->depth = 0;
  p->pooled = 0;
  p->error = error;
  p->token = (md_ctoken){.line = 1};
  md_ctypes_mark(t);
}

static void parse_given_all(md_parser *p) {
  if (p->given_used != p->given.count)
    parse_fail(p, "there are fewer '$' than types given for them");
}

md_parsed md_parse(md_ctypes *t, const char *text, size_t length,
                   md_given given, char error[MD_PARSE_ERROR]) {
  md_parser parser;
  parse_start(&parser, t, text, length, given, error);
  int why = setjmp(parser.out);
  if (why != 0) {
    md_ctypes_undo(t);
    return (md_parsed)why;
  }
  parse_advance(&parser);
  while (parser.token.kind != MD_TOKEN_END)
    if (!parse_accept(&parser, ';')) parse_declaration(&parser);
  parse_given_all(&parser);
  return MD_PARSED;
}

md_parsed md_parse_type(md_ctypes *t, const char *text, size_t length,
                        md_given given, md_ctype_id *type,
                        char error[MD_PARSE_ERROR]) {
  md_parser parser;
  parse_start(&parser, t, text, length, given, error);
  int why = setjmp(parser.out);
  if (why != 0) {
    md_ctypes_undo(t);
    return (md_parsed)why;
  }
  parse_advance(&parser);
  md_specifiers s = parse_specifiers(&parser, "a type");
  md_declarator d = parse_declarator(&parser, &s, MD_NAMELESS);
  if (parser.token.kind != MD_TOKEN_END)
    parse_expected(&parser, "the end of the type");
  parse_given_all(&parser);
  *type = d.type;
  return MD_PARSED;
}
