/* Text: what is a character of UTF-8. */
#ifndef MD_BASE_TEXT_H
#define MD_BASE_TEXT_H

#include <stddef.h>

/* The length of the UTF-8 character that begins here, or 0 when none does:
   a stray or missing byte, an overlong form, a surrogate, past U+10FFFF. */
size_t md_text_character(const char *text, size_t left);

#endif
