#include "native/lex.h"

#include <ctype.h>
#include <string.h>

static const struct {
  const char *text;
  uint32_t key;
} lex_words[] = {
#define LEX_WORD(name, text) {text, MD_WORD_##name},
    MD_C_KEYWORDS(LEX_WORD)
#undef LEX_WORD
        {"__const", MD_WORD_CONST},
    {"__const__", MD_WORD_CONST},
    {"__volatile", MD_WORD_VOLATILE},
    {"__volatile__", MD_WORD_VOLATILE},
    {"__restrict", MD_WORD_RESTRICT},
    {"__restrict__", MD_WORD_RESTRICT},
    {"__inline", MD_WORD_INLINE},
    {"__inline__", MD_WORD_INLINE},
    {"__signed", MD_WORD_SIGNED},
    {"__signed__", MD_WORD_SIGNED},
    {"__attribute", MD_WORD_ATTRIBUTE},
    {"asm", MD_WORD_ASM},
    {"__asm", MD_WORD_ASM},
    {"__alignof__", MD_WORD_ALIGNOF},
    {"alignof", MD_WORD_ALIGNOF},
    {"alignas", MD_WORD_ALIGNAS},
    {"static_assert", MD_WORD_ASSERT},
    {"__complex__", MD_WORD_COMPLEX},
    {"__thread", MD_WORD_THREAD}};

bool md_lexer_prepare(md_ctypes *t) {
  for (size_t i = 0; i < sizeof lex_words / sizeof *lex_words; i++) {
    const char *text = lex_words[i].text;
    uint32_t name = md_cname_add(t, text, strlen(text));
    if (name == 0) return false;
    t->names[name].meaning = MD_C_KEYWORD;
    t->names[name].value = lex_words[i].key;
  }
  return true;
}

static md_ctoken lex_wrong(const md_lexer *x, const char *what) {
  return (md_ctoken){.kind = MD_TOKEN_WRONG, .text = what, .line = x->line};
}

/* Passes what is between two tokens; NULL, or what is wrong. */
static const char *lex_blanks(md_lexer *x) {
  while (x->at < x->end) {
    char c = *x->at, next = x->at + 1 < x->end ? x->at[1] : '\0';
    if (c == '\n') x->line++;
    if (c == '/' && next == '/') {
      while (x->at < x->end && *x->at != '\n') x->at++;
    } else if (c == '/' && next == '*') {
      int line = x->line;
      for (x->at += 2; x->at + 1 < x->end; x->at++) {
        if (x->at[0] == '*' && x->at[1] == '/') break;
        if (*x->at == '\n') x->line++;
      }
      if (x->at + 1 >= x->end) {
        x->line = line;
        return "this comment has no end";
      }
      x->at += 2;
    } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
      x->at++;
    } else {
      break;
    }
  }
  return NULL;
}

static bool lex_letter(char c) { return isalnum((unsigned char)c) || c == '_'; }

static md_ctoken lex_name(md_lexer *x) {
  md_ctoken token = {.kind = MD_TOKEN_NAME, .text = x->at, .line = x->line};
  while (x->at < x->end && lex_letter(*x->at)) x->at++;
  token.length = (size_t)(x->at - token.text);
  token.name = md_cname_add(x->types, token.text, token.length);
  if (token.name == 0) return lex_wrong(x, "no memory is left");
  const md_cname *n = &x->types->names[token.name];
  if (n->meaning == MD_C_KEYWORD) {
    token.kind = MD_TOKEN_KEYWORD;
    token.key = (uint32_t)n->value;
  }
  return token;
}

static int lex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

static md_ctoken lex_number(md_lexer *x) {
  md_ctoken token = {.kind = MD_TOKEN_INTEGER, .text = x->at, .line = x->line};
  int base = 10, digits = 0;
  const char *c = x->at, *end = x->end;
  if (*c == '0' && c + 1 < end && (c[1] | 0x20) == 'x') base = 16, c += 2;
  else if (*c == '0' && c + 1 < end && (c[1] | 0x20) == 'b') base = 2, c += 2;
  else if (*c == '0') base = 8;
  for (; c < end && lex_digit(*c) < base; c++, digits++) {
    uint64_t before = token.value, digit = (uint64_t)lex_digit(*c);
    token.value = before * (uint64_t)base + digit;
    if (before > (UINT64_MAX - digit) / (uint64_t)base)
      return lex_wrong(x, "this number has more than 64 bits");
  }
  token.is_unsigned = token.value > INT64_MAX;
  while (c < end && ((*c | 0x20) == 'u' || (*c | 0x20) == 'l')) {
    if ((*c | 0x20) == 'u') token.is_unsigned = true;
    c++;
  }
  if (c < end && (*c == '.' || (base == 10 && (*c | 0x20) == 'e')))
    return lex_wrong(x, "expected an integer, got a number with a point or an "
                        "exponent");
  if (digits == 0 || (c < end && lex_letter(*c)))
    return lex_wrong(x, "this is no number");
  x->at = c;
  token.length = (size_t)(c - token.text);
  return token;
}

/* The character behind a backslash. */
static uint64_t lex_escape(md_lexer *x) {
  static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
  char c = *x->at++;
  const char *known = c != '\0' ? strchr(from, c) : NULL;
  if (known != NULL) return (uint64_t)to[known - from];
  uint64_t value = 0;
  if (c == 'x') {
    while (x->at < x->end && lex_digit(*x->at) < 16)
      value = value * 16 + (uint64_t)lex_digit(*x->at++);
    return (uint64_t)(int64_t)(char)value;
  }
  if (lex_digit(c) >= 8) return (unsigned char)c;
  x->at--;
  for (int n = 0; n < 3 && x->at < x->end && lex_digit(*x->at) < 8; n++)
    value = value * 8 + (uint64_t)lex_digit(*x->at++);
  return (uint64_t)(int64_t)(char)value;
}

/* 'a', or "text", whose bytes are left as they stand. */
static md_ctoken lex_quoted(md_lexer *x) {
  char quote = *x->at++;
  md_ctoken token = {.kind = MD_TOKEN_STRING, .text = x->at, .line = x->line};
  if (quote == '\'') token.kind = MD_TOKEN_INTEGER;
  while (x->at < x->end && *x->at != quote && *x->at != '\n') {
    token.length++;
    bool escaped = *x->at == '\\' && x->at + 1 < x->end;
    if (escaped) x->at++;
    if (escaped) token.value = lex_escape(x);
    else token.value = (uint64_t)(int64_t)*x->at++;
  }
  if (x->at >= x->end || *x->at != quote)
    return lex_wrong(x, "this quotation has no end");
  if (quote == '\'' && token.length != 1)
    return lex_wrong(x, "expected one character between the quotes");
  token.length = (size_t)(x->at - token.text);
  x->at++;
  return token;
}

static md_ctoken lex_mark(md_lexer *x) {
  static const struct {
    char text[3];
    int mark;
  } two[] = {{"<<", MD_MARK_LEFT}, {">>", MD_MARK_RIGHT}, {"<=", MD_MARK_LE},
             {">=", MD_MARK_GE},   {"==", MD_MARK_EQ},    {"!=", MD_MARK_NE},
             {"&&", MD_MARK_AND},  {"||", MD_MARK_OR}};
  md_ctoken token = {.kind = MD_TOKEN_MARK,
                     .mark = (unsigned char)*x->at,
                     .text = x->at,
                     .length = 1,
                     .line = x->line};
  size_t left = (size_t)(x->end - x->at);
  for (size_t i = 0; left >= 2 && i < sizeof two / sizeof *two; i++)
    if (memcmp(x->at, two[i].text, 2) == 0) {
      token.mark = two[i].mark;
      token.length = 2;
    }
  if (left >= 3 && memcmp(x->at, "...", 3) == 0) {
    token.mark = MD_MARK_DOTS;
    token.length = 3;
  }
  x->at += token.length;
  return token;
}

md_ctoken md_lexer_next(md_lexer *x) {
  const char *wrong = lex_blanks(x);
  if (wrong != NULL) return lex_wrong(x, wrong);
  if (x->at >= x->end)
    return (md_ctoken){.kind = MD_TOKEN_END, .text = x->at, .line = x->line};
  char c = *x->at;
  if (isdigit((unsigned char)c)) return lex_number(x);
  if (lex_letter(c)) return lex_name(x);
  if (c == '\'' || c == '"') return lex_quoted(x);
  if (c == '#')
    return lex_wrong(x, "there is no preprocessor here: leave out lines with "
                        "#, and write #define X 3 as static const int X = 3;");
  if ((unsigned char)c < 0x20 || (unsigned char)c >= 0x7f ||
      strchr("@`\\", c) != NULL)
    return lex_wrong(x, "this character is not one of C's");
  return lex_mark(x);
}
