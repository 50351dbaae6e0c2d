#include "image/note.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void md_note_put(FILE *f, const char *name, const void *bytes, size_t size) {
  fprintf(f, "%s %zu:", name, size);
  fwrite(bytes, 1, size, f);
  fputc('\n', f);
}

void md_note_text(FILE *f, const char *name, const char *text) {
  md_note_put(f, name, text, strlen(text));
}

void md_note_number(FILE *f, const char *name, long long number) {
  char text[32];
  snprintf(text, sizeof text, "%lld", number);
  md_note_text(f, name, text);
}

void md_note_path(FILE *f, const char *name, const char *path) {
  char *here = *path != '/' ? getcwd(NULL, 0) : NULL, *whole = NULL;
  if (here != NULL && asprintf(&whole, "%s/%s", here, path) < 0) whole = NULL;
  md_note_text(f, name, whole != NULL ? whole : path);
  free(whole);
  free(here);
}

bool md_note_next(md_note *note, md_note *name, md_note *bytes) {
  if (note->size == 0) return false;
  const char *space = memchr(note->text, ' ', note->size);
  if (space == NULL) return false;
  *name = (md_note){note->text, (size_t)(space - note->text)};
  const char *end = note->text + note->size, *at = space + 1;
  size_t size = 0;
  for (; at < end && *at >= '0' && *at <= '9' && size < note->size; at++)
    size = size * 10 + (size_t)(*at - '0');
  if (at == end || *at != ':' || size + 1 >= (size_t)(end - at)) return false;
  *bytes = (md_note){at + 1, size};
  at += size + 2;
  *note = (md_note){at, (size_t)(end - at)};
  return true;
}

bool md_note_is(const md_note *name, const char *text) {
  return name->size == strlen(text) &&
         memcmp(name->text, text, name->size) == 0;
}

static char *note_copy(md_note bytes) {
  char *text = malloc(bytes.size + 1);
  if (text == NULL) abort();
  memcpy(text, bytes.text, bytes.size);
  text[bytes.size] = '\0';
  return text;
}

char *md_note_find(md_note note, const char *wanted) {
  md_note name, bytes;
  while (md_note_next(&note, &name, &bytes))
    if (md_note_is(&name, wanted)) return note_copy(bytes);
  return NULL;
}

char **md_note_all(md_note note, const char *wanted, int *count) {
  md_note name, bytes;
  char **texts = NULL;
  *count = 0;
  while (md_note_next(&note, &name, &bytes)) {
    if (!md_note_is(&name, wanted)) continue;
    texts = realloc(texts, (size_t)(*count + 1) * sizeof *texts);
    if (texts == NULL) abort();
    texts[(*count)++] = note_copy(bytes);
  }
  return texts;
}

long long md_note_find_number(md_note note, const char *name) {
  char *text = md_note_find(note, name);
  long long number = text != NULL ? strtoll(text, NULL, 10) : 0;
  free(text);
  return number;
}
