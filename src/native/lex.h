/* The words of C declarations: a text, one token at a time. Comments are
   blanks. Words are looked up in the table of names, where keywords are first.
 */
#ifndef MD_NATIVE_LEX_H
#define MD_NATIVE_LEX_H

#include "native/type.h"

/* The keywords, in the order of their numbers in a table that is new. One that
   stands for another (__const) is said behind it. */
/* clang-format off: it never comes to rest here */
#define MD_C_KEYWORDS(X)                                                       \
  X(VOID, "void")                                                              \
  X(CHAR, "char")                                                              \
  X(SHORT, "short")                                                            \
  X(INT, "int")                                                                \
  X(LONG, "long")                                                              \
  X(FLOAT, "float")                                                            \
  X(DOUBLE, "double")                                                          \
  X(SIGNED, "signed")                                                          \
  X(UNSIGNED, "unsigned")                                                      \
  X(BOOL, "_Bool")                                                             \
  X(STRUCT, "struct")                                                          \
  X(UNION, "union")                                                            \
  X(ENUM, "enum")                                                              \
  X(TYPEDEF, "typedef")                                                        \
  X(STATIC, "static")                                                          \
  X(EXTERN, "extern")                                                          \
  X(CONST, "const")                                                            \
  X(VOLATILE, "volatile")                                                      \
  X(RESTRICT, "restrict")                                                      \
  X(INLINE, "inline")                                                          \
  X(REGISTER, "register")                                                      \
  X(SIZEOF, "sizeof")                                                          \
  X(ALIGNOF, "_Alignof")                                                       \
  X(ALIGNAS, "_Alignas")                                                       \
  X(ATTRIBUTE, "__attribute__")                                                \
  X(ASM, "__asm__")                                                            \
  X(NORETURN, "_Noreturn")                                                     \
  X(ASSERT, "_Static_assert")                                                  \
  X(EXTENSION, "__extension__")                                                \
  X(COMPLEX, "_Complex")                                                       \
  X(INT128, "__int128")                                                        \
  X(ATOMIC, "_Atomic")                                                         \
  X(THREAD, "_Thread_local")                                                   \
  X(DECLSPEC, "__declspec")                                                    \
  X(AUTO, "auto")
/* clang-format on */

enum md_ckeyword {
  MD_WORD_NONE,
#define LEX_ENUM(name, text) MD_WORD_##name,
  MD_C_KEYWORDS(LEX_ENUM)
#undef LEX_ENUM
};

typedef enum md_ctoken_kind {
  MD_TOKEN_END,
  MD_TOKEN_NAME,
  MD_TOKEN_KEYWORD,
  MD_TOKEN_INTEGER,
  MD_TOKEN_STRING,
  MD_TOKEN_MARK, /* an operator or a bracket: `mark` */
  MD_TOKEN_WRONG,
} md_ctoken_kind;

/* Marks of two characters. */
enum {
  MD_MARK_LEFT = 256, /* << */
  MD_MARK_RIGHT,
  MD_MARK_LE,
  MD_MARK_GE,
  MD_MARK_EQ,
  MD_MARK_NE,
  MD_MARK_AND,
  MD_MARK_OR,
  MD_MARK_DOTS,
};

typedef struct md_ctoken {
  md_ctoken_kind kind;
  uint32_t name;    /* of a name; its number as a keyword is `key` */
  uint32_t key;     /* enum md_ckeyword */
  int mark;         /* a character, or one of those above */
  uint64_t value;   /* of an integer or a character */
  bool is_unsigned; /* it ends in u, or fits no other way */
  const char *text; /* in the source; of a wrong one: what is wrong */
  size_t length;
  int line;
} md_ctoken;

typedef struct md_lexer {
  md_ctypes *types;
  const char *at, *end;
  int line;
} md_lexer;

/* Puts the keywords into a new table. False without memory. */
bool md_lexer_prepare(md_ctypes *);

/* The next token; of a wrong one `text` is a sentence, and its length 0. */
md_ctoken md_lexer_next(md_lexer *);

#endif
