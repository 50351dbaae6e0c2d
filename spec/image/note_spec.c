/* Notes, through their interface alone. */
#include "image/note.h"
#include "spec/check.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed;
}

static bool holds(md_note bytes, const char *text) {
  return md_note_is(&bytes, text);
}

static void spec_texts(void) {
  char *text;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  md_note_text(f, "script", "model.lua");
  md_note_put(f, "raw", "a\0b\n: 3", 7);
  md_note_text(f, "empty", "");
  md_note_number(f, "least", LLONG_MIN);
  md_note_text(f, "script", "another");
  fclose(f);
  md_note note = {text, size}, name, bytes;
  IT("gives back what was put, in order") {
    md_note rest = note;
    EXPECT(md_note_next(&rest, &name, &bytes));
    EXPECT(holds(name, "script") && holds(bytes, "model.lua"));
    EXPECT(md_note_next(&rest, &name, &bytes));
    EXPECT(holds(name, "raw") && bytes.size == 7);
    EXPECT(memcmp(bytes.text, "a\0b\n: 3", 7) == 0);
    EXPECT(md_note_next(&rest, &name, &bytes));
    EXPECT(holds(name, "empty") && bytes.size == 0);
    EXPECT(md_note_next(&rest, &name, &bytes));
    EXPECT(md_note_next(&rest, &name, &bytes) && holds(bytes, "another"));
    EXPECT(!md_note_next(&rest, &name, &bytes) && rest.size == 0);
  }
  IT("finds the first of a name, and none") {
    char *found = md_note_find(note, "script");
    EXPECT(found != NULL && strcmp(found, "model.lua") == 0);
    free(found);
    EXPECT(md_note_find(note, "scrip") == NULL);
    EXPECT(md_note_find(note, "") == NULL);
    EXPECT(md_note_find((md_note){NULL, 0}, "script") == NULL);
  }
  IT("finds numbers, and 0 for what is none") {
    EXPECT(md_note_find_number(note, "least") == LLONG_MIN);
    EXPECT(md_note_find_number(note, "script") == 0);
    EXPECT(md_note_find_number(note, "missing") == 0);
  }
  IT("ends where it is cut off") {
    for (size_t n = 0; n < size; n++) {
      char *part = malloc(n + 1); /* of its own: a step too far is seen */
      if (part == NULL) abort();
      memcpy(part, text, n);
      md_note rest = {part, n};
      int count = 0;
      while (md_note_next(&rest, &name, &bytes)) count++;
      EXPECT(count < 5);
      free(part);
    }
  }
  free(text);
}

static void spec_paths(void) {
  char *text, here[4096], whole[4200];
  size_t size;
  FILE *f = open_memstream(&text, &size);
  md_note_path(f, "relative", "a/b.txt");
  md_note_path(f, "absolute", "/a/b.txt");
  fclose(f);
  IT("makes paths absolute") {
    char *found = md_note_find((md_note){text, size}, "relative");
    if (getcwd(here, sizeof here) == NULL) abort();
    snprintf(whole, sizeof whole, "%s/a/b.txt", here);
    EXPECT(found != NULL && strcmp(found, whole) == 0);
    free(found);
    found = md_note_find((md_note){text, size}, "absolute");
    EXPECT(found != NULL && strcmp(found, "/a/b.txt") == 0);
    free(found);
  }
  free(text);
}

static void spec_garbage(void) {
  static const char letters[] = "ab 0123456789:\n";
  IT("stays inside of any bytes") {
    for (int k = 0; k < 200000; k++) {
      size_t n = next_random() % 40;
      char *text = malloc(n + 1);
      if (text == NULL) abort();
      for (size_t i = 0; i < n; i++)
        text[i] = letters[next_random() % (sizeof letters - 1)];
      md_note rest = {text, n}, name, bytes;
      while (md_note_next(&rest, &name, &bytes)) {
        EXPECT(name.text >= text && name.text + name.size <= text + n);
        EXPECT(bytes.text >= text && bytes.text + bytes.size < text + n);
        EXPECT(rest.text > bytes.text && rest.text + rest.size == text + n);
      }
      free(text);
    }
  }
  IT("does not believe a size beyond all numbers") {
    const char *text = "a 99999999999999999999999999999999:b\n";
    md_note rest = {text, strlen(text)}, name, bytes;
    EXPECT(!md_note_next(&rest, &name, &bytes));
  }
}

int main(void) {
  spec_texts();
  spec_paths();
  spec_garbage();
  return check_done("note");
}
