#include "kernel/lexicon.h"

#include <stdint.h>
#include <string.h>

#include "spec/check.h"

static void numbers_texts(md_arena *arena) {
  md_lexicon *lexicon = md_lexicon_open(arena);
  IT("numbers distinct texts in the order they first came") {
    EXPECT(md_lexicon_add(lexicon, "a", 1) == 0);
    EXPECT(md_lexicon_add(lexicon, "bb", 2) == 1);
    EXPECT(md_lexicon_add(lexicon, "a", 1) == 0);
    EXPECT(md_lexicon_count(lexicon) == 2);
  }
  IT("holds any bytes, also none") {
    EXPECT(md_lexicon_find(lexicon, "", 0) == -1);
    EXPECT(md_lexicon_add(lexicon, "", 0) == 2);
    EXPECT(md_lexicon_add(lexicon, "a\0b", 3) == 3);
    EXPECT(md_lexicon_add(lexicon, "a\0", 2) == 4);
    EXPECT(md_lexicon_find(lexicon, "a", 1) == 0);
    size_t length = 0;
    EXPECT(memcmp(md_lexicon_text(lexicon, 3, &length), "a\0b", 4) == 0);
    EXPECT(length == 3);
  }
  md_lexicon_close(lexicon);
}

static void keeps_texts(md_arena *arena) {
  enum { MANY = 100000 };
  size_t used = md_arena_used(arena);
  md_lexicon *lexicon = md_lexicon_open(arena);
  char text[32];
  IT("finds every one of many texts") {
    bool added = true, found = true;
    md_lexicon_add(lexicon, "0", 1);
    const char *first = md_lexicon_text(lexicon, 0, NULL);
    for (int i = 1; i < MANY; i++) {
      int length = snprintf(text, sizeof text, "%d", i);
      added = added && md_lexicon_add(lexicon, text, (size_t)length) == i;
    }
    for (int i = 0; i < MANY; i++) {
      int length = snprintf(text, sizeof text, "%d", i);
      found = found && md_lexicon_find(lexicon, text, (size_t)length) == i &&
              strcmp(md_lexicon_text(lexicon, i, NULL), text) == 0;
    }
    EXPECT(added);
    EXPECT(found);
    EXPECT(md_lexicon_text(lexicon, 0, NULL) == first);
  }
  IT("finds each of many names that end in a number, of each kind") {
    static const char *const kinds[] = {"src/%d", "process %d", "process 2.%d"};
    int known = md_lexicon_count(lexicon), n = 0;
    for (int kind = 0; kind < 3; kind++)
      for (int i = 0; i < 200000; i++) {
        char name[32];
        snprintf(name, sizeof name, kinds[kind], i);
        n += md_lexicon_add(lexicon, name, strlen(name)) >= known;
      }
    EXPECT(n == 600000 && md_lexicon_count(lexicon) == known + n);
  }
  IT("gives every byte back") {
    md_lexicon_close(lexicon);
    EXPECT(md_arena_used(arena) == used);
  }
}

static void survives_refusals(md_arena *arena) {
  md_lexicon *lexicon = md_lexicon_open(arena);
  IT("keeps its numbering when there is no memory") {
    bool kept = true;
    for (int i = 0; i < 100; i++) {
      char text[2] = {(char)(i + 1), 'x'};
      for (uint64_t n = 1;; n++) {
        md_arena_fail_at(arena, md_arena_count(arena) + n);
        int number = md_lexicon_add(lexicon, text, 2);
        md_arena_fail_at(arena, 0);
        if (number == i) break;
        kept = kept && number == -1 && md_lexicon_count(lexicon) == i &&
               md_lexicon_find(lexicon, text, 2) == -1;
      }
    }
    EXPECT(kept);
    EXPECT(md_lexicon_count(lexicon) == 100);
  }
  md_lexicon_close(lexicon);
}

int main(void) {
  md_arena *arena = md_arena_open(0);
  if (arena == NULL) return 2;
  numbers_texts(arena);
  keeps_texts(arena);
  survives_refusals(arena);
  md_arena_close(arena);
  return check_done("lexicon");
}
