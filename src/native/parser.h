/* What the parts of the parser share: parse.c (declarations), declare.c
   (declarators), whole.c (structs, unions, enums), constant.c (expressions).

   Whatever is wrong is left by a jump to md_parse, which takes back what was
   declared: the parser owns nothing. */
#ifndef MD_NATIVE_PARSER_H
#define MD_NATIVE_PARSER_H

#include "native/lex.h"
#include "native/parse.h"

#include <setjmp.h>

enum { PARSE_DEEP = 60, PARSE_POOL = 1024 };

typedef struct md_parser {
  md_lexer lexer;
  md_ctoken token, ahead; /* ahead.kind is looked at when `looked` */
  bool looked;
  md_ctypes *types;
  md_given given;
  uint32_t given_used;
  int depth;
  md_ctype_id pool[PARSE_POOL]; /* parameters of functions under way */
  uint32_t pooled;
  char *error;
  jmp_buf out;
} md_parser;

/* A type, and whether what has it is const. */
typedef struct md_qualified {
  md_ctype_id type;
  bool constant;
} md_qualified;

/* What attributes ask for. */
typedef struct md_attributes {
  bool packed;
  uint32_t align;
} md_attributes;

/* What stands before a declarator. */
typedef struct md_specifiers {
  md_qualified base;
  md_attributes attributes;
  bool is_typedef, is_static, is_extern;
} md_specifiers;

typedef struct md_declarator {
  uint32_t name; /* 0: none */
  md_ctype_id type;
  bool constant;
  md_attributes attributes;
  uint32_t symbol; /* of __asm__("symbol"), 0: none */
  int line;
} md_declarator;

/* -- parse.c -- */

_Noreturn void parse_fail(md_parser *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
_Noreturn void parse_no_memory(md_parser *);

/* "expected WHAT, got the token". */
_Noreturn void parse_expected(md_parser *, const char *what);

void parse_advance(md_parser *);
const md_ctoken *parse_ahead(md_parser *); /* the token behind this one */

static inline bool parse_at(const md_parser *p, int mark) {
  return p->token.kind == MD_TOKEN_MARK && p->token.mark == mark;
}

static inline bool parse_at_key(const md_parser *p, uint32_t key) {
  return p->token.kind == MD_TOKEN_KEYWORD && p->token.key == key;
}

/* Passes the mark if it is there; the other raises if it is not. */
bool parse_accept(md_parser *, int mark);
void parse_expect(md_parser *, int mark, const char *what);

void parse_enter(md_parser *); /* one level deeper, up to a limit */
static inline void parse_leave(md_parser *p) { p->depth--; }

/* 0 means that there was no memory. */
static inline uint32_t parse_made(md_parser *p, uint32_t made) {
  if (made == 0) parse_no_memory(p);
  return made;
}

void parse_attributes(md_parser *, md_attributes *);

/* The specifiers of a declaration; raises where no type is named. */
md_specifiers parse_specifiers(md_parser *, const char *what);

/* Does a type begin here? */
bool parse_type_begins(const md_parser *, const md_ctoken *);

/* -- declare.c -- */

/* A declarator and its type; what it must not be is refused: a name where
   there must be none, or none where one must be. */
typedef enum md_naming { MD_NAMED, MD_NAMELESS, MD_EITHER } md_naming;
md_declarator parse_declarator(md_parser *, const md_specifiers *, md_naming);

/* A type between brackets, without a name. */
md_qualified parse_type_name(md_parser *);

/* -- whole.c -- */

md_ctype_id parse_whole(md_parser *); /* at struct or union */
md_ctype_id parse_enum(md_parser *);

/* -- constant.c -- */

int64_t parse_constant(md_parser *);

#endif
