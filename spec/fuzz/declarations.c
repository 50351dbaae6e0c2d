/* What libFuzzer calls with mutated declarations of C, see scripts/fuzz. Each
   text is declared, read as a type, and undone; nothing must be lost of what
   was declared before, or of the arena. */
#include "native/parse.h"

#include <stdlib.h>
#include <string.h>

#include "native/lex.h"

int LLVMFuzzerTestOneInput(const unsigned char *text, size_t size);

#define demand(truth)                                                          \
  do {                                                                         \
    if (!(truth)) abort();                                                     \
  } while (0)

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size) {
  const char *text = (const char *)bytes;
  char error[MD_PARSE_ERROR], shown[80];
  md_given none = {NULL, 0};
  md_ctype_id type = 0;
  md_arena *arena = md_arena_open(64u << 20);
  md_ctypes *t = arena ? md_ctypes_open(arena) : NULL;
  demand(t != NULL && md_lexer_prepare(t));
  static const char known[] = "typedef struct known { int a, b[3]; } known;";
  demand(md_parse(t, known, sizeof known - 1, none, error) == MD_PARSED);
  uint32_t types = t->type_count, names = t->name_count;
  md_parsed first = md_parse(t, text, size, none, error);
  if (first != MD_PARSED) {
    demand(t->type_count == types && t->name_count == names);
    demand(first == MD_PARSE_MEMORY || strlen(error) < sizeof error);
  }
  if (md_parse_type(t, text, size, none, &type, error) == MD_PARSED)
    demand(type < t->type_count);
  for (md_ctype_id id = 1; id < t->type_count; id++)
    md_ctype_text(t, id, shown, sizeof shown);
  demand(md_parse_type(t, "known[4]", 8, none, &type, error) == MD_PARSED);
  demand(md_ctype_at(t, type)->size == 64);
  md_ctypes_close(t);
  md_arena_close(arena);
  return 0;
}
