-- SQLite through moondial.ffi: a shop keeps its books in a database in memory,
-- which answers at the end. md.log does this for most models; here is how any
-- library of C is used.
local md = require "moondial"
local ffi = require "moondial.ffi"

ffi.cdef [[
  typedef struct sqlite3 sqlite3;
  typedef struct sqlite3_stmt sqlite3_stmt;
  enum { SQLITE_OK = 0, SQLITE_ROW = 100, SQLITE_DONE = 101 };
  int sqlite3_open(const char *, sqlite3 **);
  int sqlite3_close(sqlite3 *);
  int sqlite3_prepare_v2(sqlite3 *, const char *, int, sqlite3_stmt **,
                         const char **);
  int sqlite3_bind_double(sqlite3_stmt *, int, double);
  int sqlite3_step(sqlite3_stmt *);
  int sqlite3_reset(sqlite3_stmt *);
  int sqlite3_finalize(sqlite3_stmt *);
  double sqlite3_column_double(sqlite3_stmt *, int);
  const char *sqlite3_errmsg(sqlite3 *);
]]
local C = ffi.load "sqlite3"

local box = ffi.new "sqlite3 *[1]"
assert(C.sqlite3_open(":memory:", box) == ffi.C.SQLITE_OK)
local db = box[0]

local function prepare(text)
  local made = ffi.new "sqlite3_stmt *[1]"
  if C.sqlite3_prepare_v2(db, text, -1, made, nil) ~= ffi.C.SQLITE_OK then
    error(ffi.string(C.sqlite3_errmsg(db)), 2)
  end
  return ffi.gc(made[0], C.sqlite3_finalize)
end

C.sqlite3_step(prepare "create table sale (time real, price real)")
local insert = prepare "insert into sale values (?, ?)"

local rng = md.rng "customers"
md.spawn({ name = "shop" }, function()
  while true do
    md.sleep(rng:exponential(2))
    C.sqlite3_bind_double(insert, 1, md.now())
    C.sqlite3_bind_double(insert, 2, rng:integer(1, 20))
    assert(C.sqlite3_step(insert) == ffi.C.SQLITE_DONE)
    C.sqlite3_reset(insert)
  end
end)
md.run(480)

local query = prepare [[select cast(time / 120 as integer), count(*), sum(price)
  from sale group by 1 order by 1]]
while C.sqlite3_step(query) == ffi.C.SQLITE_ROW do
  local row = {}
  for i = 0, 2 do
    row[i + 1] = ("%g"):format(C.sqlite3_column_double(query, i))
  end
  print("quarter " .. row[1], row[2] .. " sales", row[3])
end
print(select(2, pcall(prepare, "select price from nowhere")))

--[[ output
quarter 0	43 sales	422
quarter 1	54 sales	578
quarter 2	71 sales	743
quarter 3	58 sales	575
no such table: nowhere
]]
