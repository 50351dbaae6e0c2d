/* Declarations of C, as a model gives them, into the table of types. What is
   not understood is refused with a sentence that names its line. */
#ifndef MD_NATIVE_PARSE_H
#define MD_NATIVE_PARSE_H

#include "native/type.h"

enum { MD_PARSE_ERROR = 400 };

typedef enum md_parsed {
  MD_PARSED,
  MD_PARSE_FAILED, /* there is a sentence */
  MD_PARSE_MEMORY, /* there was no memory */
} md_parsed;

/* Each `$` in a text stands for the next of these types. */
typedef struct md_given {
  const md_ctype_id *types;
  uint32_t count;
} md_given;

/* Declares all that a text says, or nothing of it. */
md_parsed md_parse(md_ctypes *, const char *text, size_t length, md_given,
                   char error[MD_PARSE_ERROR]);

/* The type that a text names, such as "int[?]"; a declared name serves. */
md_parsed md_parse_type(md_ctypes *, const char *text, size_t length, md_given,
                        md_ctype_id *, char error[MD_PARSE_ERROR]);

#endif
