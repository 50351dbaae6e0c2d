#include "app/export_plan.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* All memory of a plan but its trees hangs on one chain. */
struct export_block {
  struct export_block *next;
  max_align_t bytes[];
};

/* An entry of a tree: a name and what it stands for. */
struct export_key {
  const char *text;
  size_t length;
  int index;
  bool fold; /* letters of both cases are the same */
};

static void *plan_alloc(md_export_plan *plan, size_t size) {
  struct export_block *block = malloc(sizeof *block + size);
  if (block == NULL) return NULL;
  block->next = plan->blocks;
  plan->blocks = block;
  return block->bytes;
}

/* Doubles a list that is full; its old place stays until the plan closes. */
static bool plan_reserve(md_export_plan *plan, void *list, int count, int *room,
                         size_t size) {
  if (count < *room) return true;
  int wide = *room > 0 ? 2 * *room : 8;
  void *old, *wider = plan_alloc(plan, (size_t)wide * size);
  if (wider == NULL) return false;
  memcpy(&old, list, sizeof old);
  if (count > 0) memcpy(wider, old, (size_t)count * size);
  memcpy(list, &wider, sizeof wider);
  *room = wide;
  return true;
}

static int plan_compare(const void *left, const void *right) {
  const struct export_key *a = left, *b = right;
  if (a->length != b->length) return a->length < b->length ? -1 : 1;
  return a->fold ? strncasecmp(a->text, b->text, a->length)
                 : memcmp(a->text, b->text, a->length);
}

/* The key's entry in a tree, entered when it is new; NULL: no memory. */
static struct export_key *plan_enter(md_export_plan *plan, void **tree,
                                     struct export_key key) {
  struct export_key **found = tfind(&key, tree, plan_compare);
  if (found != NULL) return *found;
  struct export_key *kept = plan_alloc(plan, sizeof *kept);
  if (kept == NULL) return NULL;
  *kept = key;
  return tsearch(kept, tree, plan_compare) != NULL ? kept : NULL;
}

static void plan_fell(void **tree) {
  while (*tree != NULL) tdelete(*(void **)*tree, tree, plan_compare);
}

/* -- merging the sources -- */

static md_export_table *plan_table(md_export_plan *plan, const char *name,
                                   size_t length) {
  struct export_key key = {name, length, plan->count, false};
  struct export_key *kept = plan_enter(plan, &plan->known, key);
  if (kept == NULL) return NULL;
  if (kept->index < plan->count) return &plan->tables[kept->index];
  if (!plan_reserve(plan, &plan->tables, plan->count, &plan->room,
                    sizeof *plan->tables))
    return NULL;
  md_export_table *table = &plan->tables[plan->count++];
  *table = (md_export_table){.record = {name, length}};
  return table;
}

static int plan_column(md_export_plan *plan, md_export_table *table,
                       const char *name, size_t length) {
  struct export_key key = {name, length, table->count, false};
  struct export_key *kept = plan_enter(plan, &table->known, key);
  if (kept == NULL) return -1;
  if (kept->index < table->count) return kept->index;
  if (!plan_reserve(plan, &table->columns, table->count, &table->room,
                    sizeof *table->columns))
    return -1;
  table->columns[table->count] = (md_export_name){name, length};
  return table->count++;
}

static md_export_part *plan_part(md_export_plan *plan, md_export_table *table,
                                 const md_export_source *source, int at) {
  md_export_part *part = plan_alloc(plan, sizeof *part);
  if (part == NULL) return NULL;
  *part = (md_export_part){.source = source, .table = at};
  if (table->parts == NULL) table->parts = part;
  else *table->parts_end = part;
  table->parts_end = &part->next;
  return part;
}

static bool plan_map(md_export_plan *plan, md_export_table *table,
                     md_export_part *part) {
  const md_records *records = part->source->records;
  int count = md_records_columns(records, part->table);
  int *planned = malloc(((size_t)count + 1) * sizeof *planned);
  bool whole = planned != NULL;
  for (int i = 0; whole && i < count; i++) {
    size_t length;
    const char *name = md_records_column_name(records, part->table, i, &length);
    planned[i] = plan_column(plan, table, name, length);
    whole = planned[i] >= 0;
  }
  size_t size = (size_t)table->count * sizeof *part->map;
  part->map = whole ? plan_alloc(plan, size) : NULL;
  if (part->map != NULL) {
    part->mapped = table->count;
    memset(part->map, 0xff, size); /* -1 */
    for (int i = 0; i < count; i++) part->map[planned[i]] = i;
  }
  free(planned);
  return part->map != NULL;
}

static bool plan_merge(md_export_plan *plan, const md_export_source *source,
                       bool *rows) {
  for (int i = 0; i < md_records_count(source->records); i++) {
    size_t length;
    const char *name = md_records_name(source->records, i, &length);
    if (source->only != NULL && (strlen(source->only) != length ||
                                 memcmp(source->only, name, length) != 0))
      continue;
    md_export_table *table = plan_table(plan, name, length);
    if (table == NULL) return false;
    md_export_part *part = plan_part(plan, table, source, i);
    if (part == NULL || !plan_map(plan, table, part)) return false;
    if (md_records_rows(source->records, i) > 0) *rows = true;
  }
  return true;
}

/* -- names in the file -- */

/* Appends "_" until the name is not in the tree, and enters it there. The
   text must have room for that. */
static bool plan_unique(md_export_plan *plan, void **tree, md_export_name *name,
                        char *text, size_t length, bool fold) {
  struct export_key key = {text, length, 0, fold};
  while (tfind(&key, tree, plan_compare) != NULL) {
    char *longer = plan_alloc(plan, key.length + 2);
    if (longer == NULL) return false;
    memcpy(longer, key.text, key.length);
    memcpy(longer + key.length, "_", 2);
    key.text = longer;
    key.length++;
  }
  *name = (md_export_name){key.text, key.length};
  return plan_enter(plan, tree, key) != NULL;
}

/* A copy with what the format cannot hold replaced. */
static char *plan_spell(md_export_plan *plan, md_export_name name) {
  char *text = plan_alloc(plan, name.length + 1);
  if (text == NULL) return NULL;
  memcpy(text, name.text, name.length);
  text[name.length] = '\0';
  for (size_t i = 0; plan->format == MD_EXPORT_SQLITE && i < name.length; i++)
    if (text[i] == '\0') text[i] = '_';
  return text;
}

static bool plan_name_columns(md_export_plan *plan, md_export_table *table) {
  bool fold = plan->format == MD_EXPORT_SQLITE, whole = true;
  void *tree = NULL;
  const char *const reserved[] = {"time", "process", plan->sims ? "sim" : NULL,
                                  plan->format == MD_EXPORT_JSONL ? "record"
                                                                  : NULL};
  for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
    if (reserved[i] == NULL) continue;
    struct export_key key = {reserved[i], strlen(reserved[i]), 0, fold};
    whole = whole && plan_enter(plan, &tree, key) != NULL;
  }
  for (int i = 0; whole && i < table->count; i++) {
    char *text = plan_spell(plan, table->columns[i]);
    whole = text != NULL && plan_unique(plan, &tree, &table->columns[i], text,
                                        table->columns[i].length, fold);
  }
  plan_fell(&tree);
  return whole;
}

/* A part of a file name: no separators, no control bytes, not too long. */
static char *plan_spell_file(md_export_plan *plan, md_export_name name,
                             size_t *length) {
  enum { LONGEST = 100 };
  size_t n = name.length < LONGEST ? name.length : LONGEST;
  while (n < name.length && ((unsigned char)name.text[n] & 0xc0) == 0x80) n--;
  char *text = plan_alloc(plan, n + 2);
  if (text == NULL) return NULL;
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)name.text[i];
    bool safe = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c >= 0x80;
    text[i] = safe ? (char)c : '_';
  }
  if (n == 0) text[n++] = '_';
  text[n] = '\0';
  *length = n;
  return text;
}

/* SQLite keeps the names that begin with sqlite_ to itself. */
static char *plan_spell_sqlite(md_export_plan *plan, md_export_name name,
                               size_t *length) {
  char *text = plan_spell(plan, name);
  *length = name.length;
  if (text == NULL || strncasecmp(text, "sqlite_", 7) != 0) return text;
  char *longer = plan_alloc(plan, name.length + 2);
  if (longer == NULL) return NULL;
  longer[0] = '_';
  memcpy(longer + 1, text, name.length + 1);
  ++*length;
  return longer;
}

static bool plan_name_tables(md_export_plan *plan) {
  void *tree = NULL;
  bool whole = true;
  for (int i = 0; whole && i < plan->count; i++) {
    md_export_table *table = &plan->tables[i];
    table->name = table->record;
    size_t length;
    char *text = NULL;
    if (plan->format == MD_EXPORT_CSV)
      text = plan_spell_file(plan, table->record, &length);
    else if (plan->format == MD_EXPORT_SQLITE)
      text = plan_spell_sqlite(plan, table->record, &length);
    else continue;
    whole = text != NULL &&
            plan_unique(plan, &tree, &table->name, text, length, true);
  }
  plan_fell(&tree);
  return whole;
}

bool md_export_plan_open(md_export_plan *plan, md_export_format format,
                         const md_export_source *sources, int n) {
  *plan = (md_export_plan){.format = format};
  int filled = 0;
  bool whole = true;
  for (int i = 0; whole && i < n; i++) {
    bool rows = false;
    whole = plan_merge(plan, &sources[i], &rows);
    if (rows) filled++;
    if (sources[i].precision > 0) plan->decimal = true;
  }
  plan->sims = filled > 1;
  for (int i = 0; whole && i < plan->count; i++)
    whole = plan_name_columns(plan, &plan->tables[i]);
  whole = whole && plan_name_tables(plan);
  if (!whole) md_export_plan_close(plan);
  return whole;
}

void md_export_plan_close(md_export_plan *plan) {
  for (int i = 0; i < plan->count; i++) plan_fell(&plan->tables[i].known);
  plan_fell(&plan->known);
  while (plan->blocks != NULL) {
    struct export_block *next = plan->blocks->next;
    free(plan->blocks);
    plan->blocks = next;
  }
}
