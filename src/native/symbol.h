/* Libraries and the symbols in them. Nothing that this finds is kept by it: who
   has the names finds the same again in another process. */
#ifndef MD_NATIVE_SYMBOL_H
#define MD_NATIVE_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>

enum { MD_SYMBOL_ERROR = 300 };

/* The address of a symbol in a library, which is loaded if it is not yet; of
   the program and what it is linked with if library is NULL. A symbol that is
   NULL loads alone. NULL with a sentence, or, with no symbol, something else.
   "z" is libz.so, or, when only the runtime is installed, libz.so.1 and the
   like; a name with a dot or a slash is taken as it stands. */
void *md_symbol_find(const char *library, const char *symbol, bool global,
                     char error[MD_SYMBOL_ERROR]);

/* The path of the file that the code at an address is from. */
bool md_symbol_file(const void *address, char *path, size_t size);

/* Does an address lie in the program itself? */
bool md_symbol_own(const void *address);

#endif
