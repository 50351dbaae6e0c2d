/* What compiled clauses are made of, for clauses.c, which makes them, and
   clauses_match.c, which tries messages against them. */
#ifndef MD_HOST_CLAUSE_H
#define MD_HOST_CLAUSE_H

#include "host/clauses.h"

/* Types of cells that capture; those of literals are Lua's. */
enum { CELL_KIND = UINT8_MAX, CELL_DEEP = UINT8_MAX - 1 };

typedef struct clause_cell {
  uint64_t tag; /* of a literal */
  uint8_t type;
  uint8_t pattern; /* of CELL_KIND: its bits */
  bool whole;      /* of a number: it is an integer, or equals one */
  union {
    lua_Integer integer; /* of CELL_DEEP: where it is kept */
    lua_Number number;
    const void *pointer;
  };
  size_t length; /* of a string */
} clause_cell;

typedef struct clause {
  _Alignas(clause_cell) uint32_t first; /* its cells */
  uint32_t count;
  uint32_t guard; /* where its guard is kept, 0: it has none */
} clause;

typedef struct clauses {
  uint32_t count, cells, room;
  uint32_t kept;      /* values in its table: functions, guards, literals */
  bool filter, timed; /* it has an `after` */
  clause list[];
} clauses;

static inline clause_cell *clause_cells(clauses *c) {
  return (clause_cell *)(void *)(c->list + c->count);
}

static inline bool clause_captures(const clause_cell *cell) {
  return cell->type >= CELL_DEEP;
}

#endif
