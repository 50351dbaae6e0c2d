#include "kernel/record.h"

#include <assert.h>
#include <string.h>

#include "kernel/lexicon.h"

#ifdef MD_HOSTILE
enum { REC_SHIFT = 3, REC_ROWS_FIRST = 1, REC_ROOM_FIRST = 1 };
#else
enum { REC_SHIFT = 12, REC_ROWS_FIRST = 16, REC_ROOM_FIRST = 2 };
#endif

enum {
  REC_ROWS = 1 << REC_SHIFT, /* in a chunk */
  REC_MASK = REC_ROWS - 1,
  REC_MIXED = 0xff /* the kind of a chunk with a kind for each cell */
};

/* Cells of one column. Those past `count` are nil; `kinds` is there only when
   the kind is REC_MIXED.

     bits   | 8 | 8 | 8 | 8 | . | . |      kinds  |1|1|1|1|.|.|
              0   1   2   3 ^ count   ^ room                          */
struct rec_chunk {
  uint64_t *bits;
  uint8_t *kinds;
  uint16_t count, room;
  uint8_t kind;
};

/* A chunk without bits, and one past the end, is nil throughout. */
struct rec_column {
  struct rec_chunk *chunks;
  size_t count;
};

/* What every row has; chunks of stamps are as long as those of cells. */
struct rec_stamp {
  int64_t ticks;
  int64_t process;
};

struct rec_table {
  int64_t rows, stamps_room;
  struct rec_stamp **stamps;
  size_t stamps_count;
  struct rec_column *columns;
  size_t room;
  md_lexicon *names;
};

struct md_records {
  md_arena *arena;
  md_lexicon *names, *texts;
  struct rec_table *tables;
  size_t room;
};

static_assert(REC_ROWS <= UINT16_MAX, "a chunk counts its cells in 16 bits");
static_assert(sizeof(double) == sizeof(uint64_t), "a number fills a cell");

/* -- growth: each function either does all it should or changes nothing -- */

/* The list with room for `count` entries at least, new ones zero; NULL: there
   is no memory, and the list stays as it was. */
static void *rec_reach(md_arena *arena, void *list, size_t *room, size_t count,
                       size_t size) {
  if (count <= *room) return list;
  size_t wide = 2 * *room > REC_ROOM_FIRST ? 2 * *room : REC_ROOM_FIRST;
  if (wide < count) wide = count;
  char *wider = md_arena_resize(arena, list, *room * size, wide * size);
  if (wider == NULL) return NULL;
  memset(wider + *room * size, 0, (wide - *room) * size);
  *room = wide;
  return wider;
}

/* The first chunk doubles, so that a short table is small; later chunks are
   whole from the start. */
static bool rec_chunk_grow(md_arena *arena, struct rec_chunk *chunk, bool first,
                           size_t offset) {
  size_t old = chunk->room, room = first ? REC_ROWS_FIRST : REC_ROWS;
  while (room <= offset) room *= 2;
  uint8_t *kinds = NULL;
  if (chunk->kinds != NULL) {
    kinds = md_arena_alloc(arena, room);
    if (kinds == NULL) return false;
  }
  void *bits = md_arena_resize(arena, chunk->bits, old * sizeof *chunk->bits,
                               room * sizeof *chunk->bits);
  if (bits == NULL) {
    md_arena_free(arena, kinds, room);
    return false;
  }
  if (kinds != NULL) {
    memcpy(kinds, chunk->kinds, chunk->count);
    md_arena_free(arena, chunk->kinds, old);
    chunk->kinds = kinds;
  }
  chunk->bits = bits;
  chunk->room = (uint16_t)room;
  return true;
}

/* Readies a chunk for a cell that does not simply continue it: the first, one
   of another kind, one behind a gap of nils, or one named twice. */
static bool rec_chunk_settle(md_arena *arena, struct rec_chunk *chunk,
                             size_t offset, md_cell_kind kind) {
  if (chunk->count > offset) chunk->count = (uint16_t)offset;
  if (offset == 0 && chunk->kinds == NULL) {
    chunk->kind = (uint8_t)kind;
    return true;
  }
  if (chunk->kind == kind && chunk->count == offset) return true;
  if (chunk->kinds == NULL) {
    chunk->kinds = md_arena_alloc(arena, chunk->room);
    if (chunk->kinds == NULL) return false;
    memset(chunk->kinds, chunk->kind, chunk->count);
    chunk->kind = REC_MIXED;
  }
  memset(chunk->kinds + chunk->count, MD_CELL_NIL, offset - chunk->count);
  return true;
}

/* Makes room for a stamp more, the same way as a column does. */
static bool rec_stamps_grow(md_arena *arena, struct rec_table *table) {
  size_t index = (size_t)(table->stamps_room >> REC_SHIFT);
  size_t old = (size_t)table->stamps_room & REC_MASK;
  size_t room = old > 0 ? 2 * old : index == 0 ? REC_ROWS_FIRST : REC_ROWS;
  void *list = rec_reach(arena, table->stamps, &table->stamps_count, index + 1,
                         sizeof *table->stamps);
  if (list == NULL) return false;
  table->stamps = list;
  void *stamps = md_arena_resize(arena, old > 0 ? table->stamps[index] : NULL,
                                 old * sizeof **table->stamps,
                                 room * sizeof **table->stamps);
  if (stamps == NULL) return false;
  table->stamps[index] = stamps;
  table->stamps_room += (int64_t)(room - old);
  return true;
}

/* -- one cell -- */

static bool rec_put_slowly(md_arena *arena, struct rec_column *column,
                           int64_t row, md_cell_kind kind, uint64_t bits) {
  size_t index = (size_t)(row >> REC_SHIFT), offset = (size_t)row & REC_MASK;
  void *chunks = rec_reach(arena, column->chunks, &column->count, index + 1,
                           sizeof *column->chunks);
  if (chunks == NULL) return false;
  column->chunks = chunks;
  struct rec_chunk *chunk = &column->chunks[index];
  if (offset >= chunk->room &&
      !rec_chunk_grow(arena, chunk, index == 0, offset))
    return false;
  if (!rec_chunk_settle(arena, chunk, offset, kind)) return false;
  chunk->bits[offset] = bits;
  if (chunk->kinds != NULL) chunk->kinds[offset] = (uint8_t)kind;
  chunk->count = (uint16_t)(offset + 1);
  return true;
}

/* Writes a cell of the row to come, which no reader sees before it is added.
   Most cells are of the same kind as the one above. */
static inline bool rec_put(md_arena *arena, struct rec_column *column,
                           int64_t row, md_cell_kind kind, uint64_t bits) {
  size_t index = (size_t)(row >> REC_SHIFT), offset = (size_t)row & REC_MASK;
  if (index < column->count) {
    struct rec_chunk *chunk = &column->chunks[index];
    if (chunk->kind == kind && chunk->count == offset && offset < chunk->room) {
      chunk->bits[offset] = bits;
      chunk->count = (uint16_t)(offset + 1);
      return true;
    }
  }
  return rec_put_slowly(arena, column, row, kind, bits);
}

/* Takes a cell of a row back that could not be added. */
static void rec_unput(struct rec_column *column, int64_t row) {
  size_t index = (size_t)(row >> REC_SHIFT), offset = (size_t)row & REC_MASK;
  if (index >= column->count) return;
  struct rec_chunk *chunk = &column->chunks[index];
  if (chunk->count > offset) chunk->count = (uint16_t)offset;
}

static inline bool rec_put_cell(md_records *records, struct rec_column *column,
                                int64_t row, const md_cell *cell) {
  uint64_t bits = (uint64_t)cell->integer;
  if (cell->kind == MD_CELL_NUMBER) {
    memcpy(&bits, &cell->number, sizeof bits);
  } else if (cell->kind == MD_CELL_BOOLEAN) {
    bits = cell->boolean;
  } else if (cell->kind == MD_CELL_TEXT) {
    int text = md_lexicon_add(records->texts, cell->text, cell->length);
    if (text < 0) return false;
    bits = (uint64_t)text;
  } else if (cell->kind == MD_CELL_NIL) {
    return true;
  }
  return rec_put(records->arena, column, row, cell->kind, bits);
}

static md_cell rec_read(const md_records *records,
                        const struct rec_column *column, int64_t row) {
  size_t index = (size_t)(row >> REC_SHIFT), offset = (size_t)row & REC_MASK;
  md_cell cell = {.kind = MD_CELL_NIL};
  if (index >= column->count) return cell;
  const struct rec_chunk *chunk = &column->chunks[index];
  if (offset >= chunk->count) return cell;
  uint64_t bits = chunk->bits[offset];
  cell.kind = chunk->kinds != NULL ? chunk->kinds[offset] : chunk->kind;
  if (cell.kind == MD_CELL_TEXT)
    cell.text = md_lexicon_text(records->texts, (int)bits, &cell.length);
  else if (cell.kind == MD_CELL_NUMBER)
    memcpy(&cell.number, &bits, sizeof bits);
  else if (cell.kind == MD_CELL_INTEGER) cell.integer = (int64_t)bits;
  else if (cell.kind == MD_CELL_BOOLEAN) cell.boolean = bits != 0;
  return cell;
}

static void rec_column_free(md_arena *arena, struct rec_column *column) {
  for (size_t i = 0; i < column->count; i++) {
    struct rec_chunk *chunk = &column->chunks[i];
    md_arena_free(arena, chunk->bits, chunk->room * sizeof *chunk->bits);
    md_arena_free(arena, chunk->kinds, chunk->room);
  }
  md_arena_free(arena, column->chunks, column->count * sizeof *column->chunks);
}

static struct rec_table *rec_table_at(const md_records *records, int table) {
  assert(table >= 0);
  assert(table < md_lexicon_count(records->names));
  return &records->tables[table];
}

/* -- the set -- */

md_records *md_records_open(md_arena *arena) {
  md_records *records = md_arena_alloc(arena, sizeof *records);
  if (records == NULL) return NULL;
  *records = (md_records){.arena = arena,
                          .names = md_lexicon_open(arena),
                          .texts = md_lexicon_open(arena)};
  if (records->names == NULL || records->texts == NULL ||
      md_lexicon_add(records->texts, "", 0) != 0) {
    md_records_close(records);
    return NULL;
  }
  return records;
}

static void rec_table_free(md_arena *arena, struct rec_table *table) {
  for (int64_t row = 0; row < table->stamps_room; row += REC_ROWS) {
    int64_t room = table->stamps_room - row;
    md_arena_free(arena, table->stamps[row >> REC_SHIFT],
                  (size_t)(room < REC_ROWS ? room : REC_ROWS) *
                      sizeof **table->stamps);
  }
  md_arena_free(arena, table->stamps,
                table->stamps_count * sizeof *table->stamps);
  for (int i = 0; i < md_lexicon_count(table->names); i++)
    rec_column_free(arena, &table->columns[i]);
  md_arena_free(arena, table->columns, table->room * sizeof *table->columns);
  md_lexicon_close(table->names);
}

void md_records_close(md_records *records) {
  if (records == NULL) return;
  md_arena *arena = records->arena;
  int count = records->names != NULL ? md_lexicon_count(records->names) : 0;
  for (int i = 0; i < count; i++) rec_table_free(arena, &records->tables[i]);
  md_arena_free(arena, records->tables,
                records->room * sizeof *records->tables);
  md_lexicon_close(records->names);
  md_lexicon_close(records->texts);
  md_arena_free(arena, records, sizeof *records);
}

int md_records_find(const md_records *records, const char *name,
                    size_t length) {
  return md_lexicon_find(records->names, name, length);
}

int md_records_table(md_records *records, const char *name, size_t length) {
  int known = md_lexicon_find(records->names, name, length);
  if (known >= 0) return known;
  void *tables =
      rec_reach(records->arena, records->tables, &records->room,
                (size_t)md_records_count(records) + 1, sizeof *records->tables);
  if (tables == NULL) return -1;
  records->tables = tables;
  md_lexicon *names = md_lexicon_open(records->arena);
  if (names == NULL) return -1;
  int table = md_lexicon_add(records->names, name, length);
  if (table < 0) md_lexicon_close(names);
  else records->tables[table] = (struct rec_table){.names = names};
  return table;
}

int md_records_column(md_records *records, int table, const char *name,
                      size_t length) {
  struct rec_table *at = rec_table_at(records, table);
  int known = md_lexicon_find(at->names, name, length);
  if (known >= 0) return known;
  void *columns =
      rec_reach(records->arena, at->columns, &at->room,
                (size_t)md_lexicon_count(at->names) + 1, sizeof *at->columns);
  if (columns == NULL) return -1;
  at->columns = columns;
  return md_lexicon_add(at->names, name, length);
}

int md_records_text(md_records *records, const char *text, size_t length) {
  return md_lexicon_add(records->texts, text, length);
}

bool md_records_row(md_records *records, int table, int64_t ticks, int process,
                    const md_cell *cells, const int *columns, int n) {
  struct rec_table *at = rec_table_at(records, table);
  assert(process >= 0);
  assert(process < md_lexicon_count(records->texts));
  int64_t row = at->rows;
  if (row >= at->stamps_room && !rec_stamps_grow(records->arena, at))
    return false;
  for (int i = 0; i < n; i++) {
    assert(columns[i] >= 0 && columns[i] < md_lexicon_count(at->names));
    if (!rec_put_cell(records, &at->columns[columns[i]], row, &cells[i])) {
      for (int k = 0; k < i; k++) rec_unput(&at->columns[columns[k]], row);
      return false;
    }
  }
  at->stamps[row >> REC_SHIFT][row & REC_MASK] =
      (struct rec_stamp){ticks, process};
  at->rows++;
  return true;
}

/* -- reading -- */

int md_records_count(const md_records *records) {
  return md_lexicon_count(records->names);
}

const char *md_records_name(const md_records *records, int table,
                            size_t *length) {
  return md_lexicon_text(records->names, table, length);
}

int md_records_columns(const md_records *records, int table) {
  return md_lexicon_count(rec_table_at(records, table)->names);
}

const char *md_records_column_name(const md_records *records, int table,
                                   int column, size_t *length) {
  return md_lexicon_text(rec_table_at(records, table)->names, column, length);
}

int64_t md_records_rows(const md_records *records, int table) {
  return rec_table_at(records, table)->rows;
}

md_cell md_records_cell(const md_records *records, int table, int column,
                        int64_t row) {
  const struct rec_table *at = rec_table_at(records, table);
  assert(column >= 0 && column < md_lexicon_count(at->names));
  assert(row >= 0 && row < at->rows);
  return rec_read(records, &at->columns[column], row);
}

int64_t md_records_ticks(const md_records *records, int table, int64_t row) {
  const struct rec_table *at = rec_table_at(records, table);
  assert(row >= 0 && row < at->rows);
  return at->stamps[row >> REC_SHIFT][row & REC_MASK].ticks;
}

md_cell md_records_process(const md_records *records, int table, int64_t row) {
  const struct rec_table *at = rec_table_at(records, table);
  assert(row >= 0 && row < at->rows);
  int64_t process = at->stamps[row >> REC_SHIFT][row & REC_MASK].process;
  md_cell cell = {.kind = process > 0 ? MD_CELL_TEXT : MD_CELL_NIL};
  cell.text = md_lexicon_text(records->texts, (int)process, &cell.length);
  return cell;
}
