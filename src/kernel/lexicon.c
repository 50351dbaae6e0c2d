#include "kernel/lexicon.h"

#include <assert.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LEX_WORDS_FIRST = 4, LEX_SLOTS_FIRST = 8 };

struct lex_word {
  char *text;
  size_t length;
};

/* An open addressing slot. The hash stands beside the number, so that a probe
   seldom touches the text and doubling never does. */
struct lex_slot {
  uint32_t hash;
  uint32_t number; /* plus one; 0 is a free slot */
};

struct md_lexicon {
  md_arena *arena;
  struct lex_word *words;
  struct lex_slot *slots;
  uint32_t count, words_room, slots_room;
};

/* Eight bytes a step. No order depends on the value, so the byte order of the
   machine may. */
static uint32_t lex_hash(const char *text, size_t length) {
  uint64_t hash = length * UINT64_C(0x9e3779b97f4a7c15), word;
  for (; length >= sizeof word; text += sizeof word, length -= sizeof word) {
    memcpy(&word, text, sizeof word);
    hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
    hash ^= hash >> 32;
  }
  if (length > 0) {
    word = 0;
    memcpy(&word, text, length);
    hash = (hash ^ word) * UINT64_C(0xff51afd7ed558ccd);
  }
  /* names that end in a number differ in few bits: each has to reach the lower
     ones (Appleby: MurmurHash3's finalizer) */
  hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
  hash ^= hash >> 33;
  return (uint32_t)hash;
}

static bool lex_same(const struct lex_word *word, const char *text,
                     size_t length) {
  return word->length == length &&
         (length == 0 || memcmp(word->text, text, length) == 0);
}

static int lex_probe(const md_lexicon *lexicon, uint32_t hash, const char *text,
                     size_t length) {
  if (lexicon->slots_room == 0) return -1;
  uint32_t mask = lexicon->slots_room - 1;
  for (uint32_t at = hash & mask;; at = (at + 1) & mask) {
    struct lex_slot slot = lexicon->slots[at];
    if (slot.number == 0) return -1;
    if (slot.hash == hash &&
        lex_same(&lexicon->words[slot.number - 1], text, length))
      return (int)slot.number - 1;
  }
}

static void lex_put(struct lex_slot *slots, uint32_t room,
                    struct lex_slot slot) {
  uint32_t at = slot.hash & (room - 1);
  while (slots[at].number != 0) at = (at + 1) & (room - 1);
  slots[at] = slot;
}

static bool lex_words_reserve(md_lexicon *lexicon) {
  if (lexicon->count < lexicon->words_room) return true;
  uint32_t old = lexicon->words_room;
  uint32_t room = old > 0 ? 2 * old : LEX_WORDS_FIRST;
  size_t size = room * sizeof *lexicon->words;
  void *words = md_arena_resize(lexicon->arena, lexicon->words,
                                old * sizeof *lexicon->words, size);
  if (words == NULL) return false;
  lexicon->words = words;
  lexicon->words_room = room;
  return true;
}

/* Keeps a quarter of the slots free, so that every probe ends. */
static bool lex_slots_reserve(md_lexicon *lexicon) {
  uint32_t old = lexicon->slots_room;
  if (lexicon->count + 1 <= old / 4 * 3) return true;
  uint32_t room = old > 0 ? 2 * old : LEX_SLOTS_FIRST;
  struct lex_slot *slots = md_arena_alloc(lexicon->arena, room * sizeof *slots);
  if (slots == NULL) return false;
  memset(slots, 0, room * sizeof *slots);
  for (uint32_t i = 0; i < old; i++)
    if (lexicon->slots[i].number != 0) lex_put(slots, room, lexicon->slots[i]);
  md_arena_free(lexicon->arena, lexicon->slots, old * sizeof *slots);
  lexicon->slots = slots;
  lexicon->slots_room = room;
  return true;
}

md_lexicon *md_lexicon_open(md_arena *arena) {
  md_lexicon *lexicon = md_arena_alloc(arena, sizeof *lexicon);
  if (lexicon != NULL) *lexicon = (md_lexicon){.arena = arena};
  return lexicon;
}

void md_lexicon_close(md_lexicon *lexicon) {
  if (lexicon == NULL) return;
  md_arena *arena = lexicon->arena;
  for (uint32_t i = 0; i < lexicon->count; i++)
    md_arena_free(arena, lexicon->words[i].text, lexicon->words[i].length + 1);
  md_arena_free(arena, lexicon->words,
                lexicon->words_room * sizeof *lexicon->words);
  md_arena_free(arena, lexicon->slots,
                lexicon->slots_room * sizeof *lexicon->slots);
  md_arena_free(arena, lexicon, sizeof *lexicon);
}

int md_lexicon_add(md_lexicon *lexicon, const char *text, size_t length) {
  uint32_t hash = lex_hash(text, length);
  int known = lex_probe(lexicon, hash, text, length);
  if (known >= 0) return known;
  if (lexicon->count >= INT_MAX / 2 || length == SIZE_MAX) return -1;
  if (!lex_words_reserve(lexicon) || !lex_slots_reserve(lexicon)) return -1;
  char *copy = md_arena_alloc(lexicon->arena, length + 1);
  if (copy == NULL) return -1;
  if (length > 0) memcpy(copy, text, length);
  copy[length] = '\0';
  uint32_t number = lexicon->count++;
  lexicon->words[number] = (struct lex_word){copy, length};
  lex_put(lexicon->slots, lexicon->slots_room,
          (struct lex_slot){hash, number + 1});
  return (int)number;
}

int md_lexicon_find(const md_lexicon *lexicon, const char *text,
                    size_t length) {
  return lex_probe(lexicon, lex_hash(text, length), text, length);
}

const char *md_lexicon_text(const md_lexicon *lexicon, int number,
                            size_t *length) {
  assert(number >= 0);
  assert((uint32_t)number < lexicon->count);
  if (length != NULL) *length = lexicon->words[number].length;
  return lexicon->words[number].text;
}

int md_lexicon_count(const md_lexicon *lexicon) { return (int)lexicon->count; }
