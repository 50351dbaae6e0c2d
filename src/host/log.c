/* Records as the model meets them: md.log for a row now and then, md.recorder
   for many, records to read them back. */
#include "host/modules.h"

#include <string.h>

enum { LOG_COLUMNS = 64 };

int host_log_process(host_sim *s) {
  const md_host *h = s->host;
  char label[64];
  if (h->sim != s || h->process == 0) return 0;
  const md_proc_extra *extra = md_sim_extra(s->kernel, h->process);
  const char *text = label;
  size_t length;
  if (extra != NULL && extra->name != NULL) {
    text = extra->name;
    length = extra->name_length;
  } else {
    length = strlen(host_label(s, h->process, label));
  }
  return md_records_text(s->records, text, length);
}

static md_cell log_cell(lua_State *L, int i, const char *call,
                        const char *field) {
  md_cell cell = {.kind = MD_CELL_NIL};
  switch (lua_type(L, i)) {
  case LUA_TNONE:
  case LUA_TNIL:
    break;
  case LUA_TBOOLEAN:
    cell.kind = MD_CELL_BOOLEAN;
    cell.boolean = lua_toboolean(L, i);
    break;
  case LUA_TNUMBER:
    if (lua_isinteger(L, i)) {
      cell.kind = MD_CELL_INTEGER;
      cell.integer = lua_tointeger(L, i);
    } else {
      cell.kind = MD_CELL_NUMBER;
      cell.number = lua_tonumber(L, i);
    }
    break;
  case LUA_TSTRING:
    cell.kind = MD_CELL_TEXT;
    cell.text = lua_tolstring(L, i, &cell.length);
    break;
  case LUA_TLIGHTUSERDATA: /* a pid, a ref: as it prints */
    luaL_tolstring(L, i, NULL);
    cell.kind = MD_CELL_TEXT;
    cell.text = lua_tolstring(L, -1, &cell.length);
    break;
  default:
    host_raise(L, "usage",
               "%s: expected a number, a string or a boolean as '%s', got %s",
               call, field, host_describe(L, i));
  }
  return cell;
}

static void log_row(lua_State *L, host_sim *s, int table, const md_cell *cells,
                    const int *columns, int n) {
  int process = host_log_process(s);
  if (process < 0 || !md_records_row(s->records, table, md_sim_now(s->kernel),
                                     process, cells, columns, n))
    host_no_memory(L);
}

static int log_table(lua_State *L, host_sim *s, int i, const char *call) {
  size_t n;
  if (lua_type(L, i) != LUA_TSTRING)
    host_raise(L, "usage",
               "%s: expected the name of the record as argument %d, got %s",
               call, i, host_describe(L, i));
  const char *name = lua_tolstring(L, i, &n);
  int table = md_records_table(s->records, name, n);
  if (table < 0) host_no_memory(L);
  return table;
}

static int log_column(lua_State *L, host_sim *s, int table, int i) {
  size_t n;
  const char *name = lua_tolstring(L, i, &n);
  int column = md_records_column(s->records, table, name, n);
  if (column < 0) host_no_memory(L);
  return column;
}

/* The names of the fields at i, sorted: pairs has no order of its own. Pushes
   the list. */
static int log_sorted(lua_State *L, int i) {
  int n = 0;
  lua_newtable(L);
  int list = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, i) != 0) {
    lua_pop(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING)
      host_raise(L, "usage",
                 "log: expected named fields, {wait = 1.5}, got the key %s",
                 host_describe(L, -1));
    lua_pushvalue(L, -1);
    lua_rawseti(L, list, ++n);
  }
  lua_getfield(L, LUA_REGISTRYINDEX, "md.sort");
  lua_pushvalue(L, list);
  lua_call(L, 1, 0);
  return n;
}

/* log(name, {field = value, ...})
   Keeps a record of that name, with the time and the process. Values are
   numbers, strings, booleans, nil, or pids and refs as they print; at most 64
   fields. `moondial --out FILE` writes the records, one table a name. Raises
   usage for any other value and for a key that is no string.
     md.log("served", { wait = 1.5, customer = "anna" }) */
static int f_log(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  lua_settop(L, 2);
  if (!lua_istable(L, 2) && !lua_isnil(L, 2))
    return host_raise(L, "usage",
                      "log: expected a table of fields as argument 2, got %s; "
                      "md.log(\"served\", {wait = w})",
                      host_describe(L, 2));
  md_cell cells[LOG_COLUMNS];
  int columns[LOG_COLUMNS];
  int table = log_table(L, s, 1, "log");
  int n = lua_istable(L, 2) ? log_sorted(L, 2) : 0;
  if (n > LOG_COLUMNS)
    return host_raise(L, "usage", "log: a record has at most %d fields, got %d",
                      LOG_COLUMNS, n);
  luaL_checkstack(L, 3 * n + 8, NULL);
  for (int k = 0; k < n; k++) {
    lua_rawgeti(L, 3, k + 1);
    columns[k] = log_column(L, s, table, -1);
    lua_pushvalue(L, -1);
    lua_rawget(L, 2);
    cells[k] =
        log_cell(L, lua_gettop(L), "log", lua_tostring(L, -2)); /* both stay */
  }
  log_row(L, s, table, cells, columns, n);
  return 0;
}

typedef struct log_recorder {
  host_sim *sim;
  int table, n;
  int columns[];
} log_recorder;

static int log_record(lua_State *L) {
  const log_recorder *r = lua_touserdata(L, lua_upvalueindex(1));
  md_cell cells[LOG_COLUMNS];
  char field[16];
  int given = lua_gettop(L);
  if (given > r->n)
    return host_raise(L, "usage", "recorder: it has %d columns, got %d values",
                      r->n, given);
  luaL_checkstack(L, r->n, NULL);
  for (int k = 0; k < r->n; k++) {
    if (lua_type(L, k + 1) == LUA_TNUMBER && !lua_isinteger(L, k + 1)) {
      cells[k] =
          (md_cell){.kind = MD_CELL_NUMBER, .number = lua_tonumber(L, k + 1)};
      continue;
    }
    snprintf(field, sizeof field, "%d", k + 1);
    cells[k] =
        log_cell(L, k < given ? k + 1 : given + r->n + 1, "recorder", field);
  }
  log_row(L, r->sim, r->table, cells, r->columns, r->n);
  return 0;
}

/* recorder(name, {column, ...}) -> function
   A function that keeps a record of its arguments under these 1 to 64 column
   names, as log does and faster; a missing one is nil. Raises usage for wrong
   or equal names; the function does for more values than columns.
     local served = md.recorder("served", { "wait" }) served(1.5) */
static int f_recorder(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  lua_settop(L, 2);
  int table = log_table(L, s, 1, "recorder");
  int n = lua_istable(L, 2) ? (int)lua_rawlen(L, 2) : 0;
  if (n == 0 || n > LOG_COLUMNS)
    return host_raise(L, "usage",
                      "recorder: expected a list of 1 to %d column names as "
                      "argument 2, got %s; md.recorder(\"served\", {\"wait\"})",
                      LOG_COLUMNS, host_describe(L, 2));
  log_recorder *r =
      lua_newuserdatauv(L, sizeof *r + (size_t)n * sizeof(int), 1);
  *r = (log_recorder){s, table, n};
  for (int k = 0; k < n; k++) {
    lua_rawgeti(L, 2, k + 1);
    if (lua_type(L, -1) != LUA_TSTRING)
      return host_raise(L, "usage",
                        "recorder: expected a string as name of column %d, "
                        "got %s",
                        k + 1, host_describe(L, -1));
    r->columns[k] = log_column(L, s, table, -1);
    for (int i = 0; i < k; i++)
      if (r->columns[i] == r->columns[k])
        return host_raise(L, "usage",
                          "recorder: column %d is %s, as is column %d; "
                          "give each a name of its own",
                          k + 1, host_describe(L, -1), i + 1);
    lua_pop(L, 1);
  }
  host_push(L, s, HOST_SELF);
  lua_setiuservalue(L, -2, 1);
  lua_pushcclosure(L, log_record, 1);
  return 1;
}

static void log_push(lua_State *L, const md_cell *cell) {
  switch (cell->kind) {
  case MD_CELL_NIL:
    lua_pushnil(L);
    break;
  case MD_CELL_BOOLEAN:
    lua_pushboolean(L, cell->boolean);
    break;
  case MD_CELL_INTEGER:
    lua_pushinteger(L, cell->integer);
    break;
  case MD_CELL_NUMBER:
    lua_pushnumber(L, cell->number);
    break;
  case MD_CELL_TEXT:
    lua_pushlstring(L, cell->text, cell->length);
    break;
  }
}

/* The row's own: a field of that name is called time_ or process_. */
static bool log_reserved(const char *name) {
  return strcmp(name, "time") == 0 || strcmp(name, "process") == 0;
}

static void log_push_row(lua_State *L, host_sim *s, int table, int64_t row) {
  const md_records *r = s->records;
  int columns = md_records_columns(r, table);
  lua_createtable(L, 0, columns + 2);
  host_push_time(L, s, md_records_ticks(r, table, row));
  lua_setfield(L, -2, "time");
  md_cell cell = md_records_process(r, table, row);
  log_push(L, &cell);
  lua_setfield(L, -2, "process");
  for (int c = 0; c < columns; c++) {
    size_t n;
    const char *name = md_records_column_name(r, table, c, &n);
    cell = md_records_cell(r, table, c, row);
    lua_pushlstring(L, name, n);
    if (log_reserved(name)) { /* as in the files of --out */
      lua_pushliteral(L, "_");
      lua_concat(L, 2);
    }
    log_push(L, &cell);
    lua_rawset(L, -3);
  }
}

/* records([name]) -> list of {time=, process=, field = value, ...}
   The records of that name in the order in which they were kept, a new table
   each; an empty list when there are none. `process` is a name, or nil for one
   kept outside of a process. Without a name: the list of names there are.
     for _, r in ipairs(md.records("served")) do print(r.time, r.wait) end */
static int f_records(lua_State *L) {
  host_sim *s = host_sim_arg(L);
  const md_records *r = s->records;
  size_t n;
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_newtable(L);
    for (int t = 0; t < md_records_count(r); t++) {
      const char *name = md_records_name(r, t, &n);
      lua_pushlstring(L, name, n);
      lua_rawseti(L, -2, t + 1);
    }
    return 1;
  }
  if (lua_type(L, 1) != LUA_TSTRING)
    return host_raise(L, "usage",
                      "records: expected the name of the record, got %s",
                      host_describe(L, 1));
  const char *name = lua_tolstring(L, 1, &n);
  int table = md_records_find(r, name, n);
  int64_t rows = table < 0 ? 0 : md_records_rows(r, table);
  lua_createtable(L, (int)rows, 0);
  for (int64_t row = 0; row < rows; row++) {
    log_push_row(L, s, table, row);
    lua_rawseti(L, -2, row + 1);
  }
  return 1;
}

void host_open_records(lua_State *L) {
  static const luaL_Reg functions[] = {{"log", f_log},
                                       {"recorder", f_recorder},
                                       {"records", f_records},
                                       {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
  lua_getglobal(L, "table"); /* the model may change its own */
  lua_getfield(L, -1, "sort");
  lua_setfield(L, LUA_REGISTRYINDEX, "md.sort");
  lua_pop(L, 1);
}
