#include <math.h>

#include "spec/app/export_frame.h"

/* -- what the files hold -- */

static void writes_all_kinds(md_arena *arena) {
  md_records *records = md_records_open(arena);
  add(records, "t", 1500000000, "server", "x", number(0.1));
  add(records, "t", -1, "", "x", number(1.0 / 3));
  add(records, "t", 2000000000, "", "x", integer(INT64_MIN));
  add(records, "t", INT64_MAX, "", "y", boolean(true));
  add(records, "t", 0, "", "x", number(NAN));
  add(records, "t", 0, "", "x", number(-INFINITY));
  add(records, "t", 0, "", "x", number(-0.0));
  add(records, "t", 0, "", "x", number(5e-324));
  add(records, "t", 0, "", "x", number(3));
  add(records, "t", 0, "", "y", text(""));
  size_t used = md_arena_used(arena);
  uint64_t count = md_arena_count(arena);
  IT("writes each kind of cell to .csv") {
    EXPECT(export_to("a.csv", records, 9));
    EXPECT(holds("a.csv", "time,process,x,y\r\n1.5,server,0.1,\r\n"
                          "-0.000000001,,0.3333333333333333,\r\n"
                          "2,,-9223372036854775808,\r\n"
                          "9223372036.854775807,,,true\r\n0,,nan,\r\n"
                          "0,,-inf,\r\n0,,-0,\r\n0,,4.94065645841247e-324,\r\n"
                          "0,,3,\r\n0,,,\"\"\r\n"));
  }
  IT("writes each kind of cell to .jsonl") {
    EXPECT(export_to("a.jsonl", records, 9));
    EXPECT(holds("a.jsonl",
                 "{\"record\":\"t\",\"time\":1.5,\"process\":\"server\","
                 "\"x\":0.1}\n"
                 "{\"record\":\"t\",\"time\":-0.000000001,"
                 "\"x\":0.3333333333333333}\n"
                 "{\"record\":\"t\",\"time\":2,\"x\":-9223372036854775808}\n"
                 "{\"record\":\"t\",\"time\":9223372036.854775807,"
                 "\"y\":true}\n"
                 "{\"record\":\"t\",\"time\":0,\"x\":null}\n"
                 "{\"record\":\"t\",\"time\":0,\"x\":null}\n"
                 "{\"record\":\"t\",\"time\":0,\"x\":-0}\n"
                 "{\"record\":\"t\",\"time\":0,\"x\":4.94065645841247e-324}\n"
                 "{\"record\":\"t\",\"time\":0,\"x\":3}\n"
                 "{\"record\":\"t\",\"time\":0,\"y\":\"\"}\n"));
  }
  IT("writes each kind of cell to SQLite") {
    EXPECT(export_to("a.db", records, 9));
    EXPECT(answers("a.db", "SELECT * FROM t",
                   "r:1.5|t:server|r:0.1|n:\n"
                   "r:-1.0e-09|n:|r:0.333333333333333|n:\n"
                   "r:2.0|n:|i:-9223372036854775808|n:\n"
                   "r:9223372036.85478|n:|n:|i:1\nr:0.0|n:|n:|n:\n"
                   "r:0.0|n:|r:-Inf|n:\nr:0.0|n:|r:0.0|n:\n"
                   "r:0.0|n:|r:4.94065645841247e-324|n:\n"
                   "r:0.0|n:|r:3.0|n:\nr:0.0|n:|n:|t:\n"));
    EXPECT(
        answers("a.db", "SELECT x = 1.0 / 3 FROM t LIMIT 1 OFFSET 1", "i:1\n"));
  }
  IT("writes whole times without decimals") {
    EXPECT(export_to("b.csv", records, 0));
    EXPECT(export_to("b.sqlite3", records, 0));
    EXPECT(answers("b.sqlite3", "SELECT time FROM t LIMIT 2",
                   "i:1500000000\ni:-1\n"));
  }
  IT("leaves the arena as it was") {
    EXPECT(md_arena_used(arena) == used);
    EXPECT(md_arena_count(arena) == count);
  }
  md_records_close(records);
}

static void reads_numbers_back(md_arena *arena) {
  md_records *records = md_records_open(arena);
  enum { ROWS = 20000 };
  uint64_t state = 1;
  static double values[ROWS];
  for (int i = 0; i < ROWS; i++) {
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    if (i % 2 == 0) memcpy(&values[i], &state, sizeof state);
    else values[i] = (double)(int64_t)state / (double)(1LL << (i % 63));
    if (!isfinite(values[i])) values[i] = 1e22 + i;
    add(records, "t", i, "", "x", number(values[i]));
  }
  IT("writes decimals that read back as the same number") {
    EXPECT(export_to("n.csv", records, 3));
    FILE *file = fopen("n.csv", "r");
    char line[100];
    bool same = fgets(line, sizeof line, file) != NULL;
    for (int i = 0; same && i < ROWS; i++)
      same = fgets(line, sizeof line, file) != NULL &&
             strtod(strstr(line, ",,") + 2, NULL) == values[i] &&
             lround(strtod(line, NULL) * 1000) == i;
    fclose(file);
    EXPECT(same);
  }
  md_records_close(records);
}

static void writes_tricky_texts(md_arena *arena) {
  md_records *records = md_records_open(arena);
  add(records, "t", 0, "a,b", "say \"x\"", text("one \"two\", three"));
  add(records, "t", 0, "", "say \"x\"", text("one\r\ntwo\ttab\\"));
  add(records, "t", 0, "", "say \"x\"", bytes("nul\0\x01", 5));
  add(records, "t", 0, "", "say \"x\"", text("\xc3\xa9\xf0\x9f\x99\x82"));
  add(records, "t", 0, "", "say \"x\"",
      text("\x80|\xc0\xaf|\xed\xa0\x80|\xe2\x82|\xf4\x90\x80\x80|\xff"));
  IT("quotes texts in .csv") {
    static const char expected[] =
        "time,process,\"say \"\"x\"\"\"\r\n"
        "0,\"a,b\",\"one \"\"two\"\", three\"\r\n"
        "0,,\"one\r\ntwo\ttab\\\"\r\n0,,nul\0\x01\r\n"
        "0,,\xc3\xa9\xf0\x9f\x99\x82\r\n"
        "0,,\x80|\xc0\xaf|\xed\xa0\x80|\xe2\x82|\xf4\x90\x80\x80|\xff\r\n";
    EXPECT(export_to("t.csv", records, 9));
    EXPECT(holds_bytes("t.csv", expected, sizeof expected - 1));
  }
  IT("escapes texts in .jsonl, each byte of bad UTF-8 as U+FFFD") {
#define BAD "\xef\xbf\xbd"
#define ROW "{\"record\":\"t\",\"time\":0,"
#define KEY "\"say \\\"x\\\"\":"
    EXPECT(export_to("t.jsonl", records, 9));
    EXPECT(holds("t.jsonl", ROW "\"process\":\"a,b\"," KEY
                                "\"one \\\"two\\\", three\"}\n" ROW KEY
                                "\"one\\r\\ntwo\\ttab\\\\\"}\n" ROW KEY
                                "\"nul\\u0000\\u0001\"}\n" ROW KEY
                                "\"\xc3\xa9\xf0\x9f\x99\x82\"}\n" ROW KEY
                                "\"" BAD "|" BAD BAD "|" BAD BAD BAD "|" BAD BAD
                                "|" BAD BAD BAD BAD "|" BAD "\"}\n"));
  }
  IT("keeps texts whole in SQLite") {
    EXPECT(export_to("t.db", records, 9));
    EXPECT(answers("t.db", "SELECT hex(\"say \"\"x\"\"\") FROM t LIMIT 2, 1",
                   "t:6E756C0001\n"));
    EXPECT(answers("t.db", "SELECT \"say \"\"x\"\"\" FROM t LIMIT 0, 1",
                   "t:one \"two\", three\n"));
  }
  md_records_close(records);
}

/* -- names -- */

static void renames_fields(md_arena *arena) {
  md_records *records = md_records_open(arena);
  static const char *const fields[] = {"time", "process", "time_",
                                       "sim",  "record",  "Time"};
  for (int i = 0; i < 6; i++) add(records, "t", 0, "", fields[i], integer(i));
  IT("renames fields whose names are taken") {
    EXPECT(export_to("f.csv", records, 9));
    FILE *file = fopen("f.csv", "r");
    char line[100];
    EXPECT(fgets(line, sizeof line, file) != NULL);
    EXPECT(strcmp(line, "time,process,time_,process_,time__,sim,record,Time"
                        "\r\n") == 0);
    fclose(file);
  }
  IT("renames also what differs in case only in SQLite") {
    EXPECT(export_to("f.db", records, 9));
    EXPECT(answers("f.db", "SELECT name FROM pragma_table_info('t')",
                   "t:time\nt:process\nt:time_\nt:process_\nt:time__\nt:sim\n"
                   "t:record\nt:Time___\n"));
  }
  IT("keeps the record's name apart in .jsonl") {
    EXPECT(export_to("f.jsonl", records, 9));
    md_records *one = md_records_open(arena);
    add(one, "t", 0, "", "record", integer(1));
    EXPECT(export_to("f.jsonl", one, 9));
    EXPECT(holds("f.jsonl", "{\"record\":\"t\",\"time\":0,\"record_\":1}\n"));
    md_records_close(one);
  }
  md_records_close(records);
}

static void writes_many_tables(md_arena *arena) {
  md_records *records = md_records_open(arena);
  static const char *const names[] = {
      "jobs",     "Jobs",      "../a/b",           "",
      "sqlite_x", "say \"x\"", "\xc3\xa9t\xc3\xa9"};
  for (int i = 0; i < 7; i++) add(records, names[i], i, "", "n", integer(i));
  IT("writes one .csv a table, with names that are safe for files") {
    int before = files();
    EXPECT(export_to("run.csv", records, 0));
    EXPECT(files() == before + 7);
    EXPECT(!present("run.csv"));
    EXPECT(holds("run-jobs.csv", "time,process,n\r\n0,,0\r\n"));
    EXPECT(holds("run-Jobs_.csv", "time,process,n\r\n1,,1\r\n"));
    EXPECT(holds("run-.._a_b.csv", "time,process,n\r\n2,,2\r\n"));
    EXPECT(holds("run-_.csv", "time,process,n\r\n3,,3\r\n"));
    EXPECT(holds("run-sqlite_x.csv", "time,process,n\r\n4,,4\r\n"));
    EXPECT(holds("run-say__x_.csv", "time,process,n\r\n5,,5\r\n"));
    EXPECT(holds("run-\xc3\xa9t\xc3\xa9.csv", "time,process,n\r\n6,,6\r\n"));
  }
  IT("writes one SQLite table a name") {
    EXPECT(export_to("run.sqlite", records, 0));
    EXPECT(answers("run.sqlite", "SELECT name FROM sqlite_schema",
                   "t:jobs\nt:Jobs_\nt:../a/b\nt:\nt:_sqlite_x\n"
                   "t:say \"x\"\nt:\xc3\xa9t\xc3\xa9\n"));
    EXPECT(answers("run.sqlite", "SELECT n FROM \"../a/b\"", "i:2\n"));
  }
  md_records_close(records);
}

static void merges_sources(md_arena *arena) {
  md_records *a = md_records_open(arena), *b = md_records_open(arena),
             *none = md_records_open(arena);
  add(a, "t", 15, "p", "x", integer(1));
  add(b, "u", 1, "", NULL, integer(0));
  add(b, "t", 7, "q", "y", integer(2));
  add(b, "t", 8, "q", "x", integer(3));
  md_records_table(none, "t", 1);
  md_export_source sources[] = {{a, "one", 1}, {none, "two", 0}, {b, NULL, 0}};
  IT("tells the sim where more than one source has rows") {
    EXPECT(md_export("m.csv", sources, 3, error, sizeof error));
    EXPECT(holds("m-t.csv", "time,process,sim,x,y\r\n1.5,p,one,1,\r\n"
                            "7,q,,,2\r\n8,q,,3,\r\n"));
    EXPECT(holds("m-u.csv", "time,process,sim\r\n1,,\r\n"));
    EXPECT(md_export("m.db", sources, 3, error, sizeof error));
    EXPECT(answers("m.db", "SELECT * FROM t",
                   "r:1.5|t:p|t:one|i:1|n:\nr:7.0|t:q|n:|n:|i:2\n"
                   "r:8.0|t:q|n:|i:3|n:\n"));
    EXPECT(md_export("m.jsonl", sources, 3, error, sizeof error));
    EXPECT(holds("m.jsonl",
                 "{\"record\":\"t\",\"time\":1.5,\"process\":\"p\","
                 "\"sim\":\"one\",\"x\":1}\n"
                 "{\"record\":\"t\",\"time\":7,\"process\":\"q\",\"y\":2}\n"
                 "{\"record\":\"t\",\"time\":8,\"process\":\"q\",\"x\":3}\n"
                 "{\"record\":\"u\",\"time\":1}\n"));
  }
  IT("leaves the sim out where only one source has rows") {
    EXPECT(md_export("s.csv", sources, 2, error, sizeof error));
    EXPECT(holds("s.csv", "time,process,x\r\n1.5,p,1\r\n"));
  }
  IT("writes files without rows where there are no records") {
    EXPECT(md_export("z.csv", NULL, 0, error, sizeof error));
    EXPECT(holds("z.csv", "time,process\r\n"));
    EXPECT(md_export("z.jsonl", NULL, 0, error, sizeof error));
    EXPECT(holds("z.jsonl", ""));
    EXPECT(md_export("z.db", NULL, 0, error, sizeof error));
    EXPECT(answers("z.db", "SELECT count(*) FROM sqlite_schema", "i:0\n"));
  }
  md_records_close(a);
  md_records_close(b);
  md_records_close(none);
}

static void writes_a_million_rows(md_arena *arena) {
  enum { ROWS = 1000000 };
  md_records *records = md_records_open(arena);
  int table = md_records_table(records, "t", 1);
  int columns[2] = {md_records_column(records, table, "a", 1),
                    md_records_column(records, table, "b", 1)};
  for (int i = 0; i < ROWS; i++) {
    md_cell cells[2] = {number(i * 0.5), integer(i)};
    md_records_row(records, table, i, 0, cells, columns, 2);
  }
  IT("writes a million rows") {
    EXPECT(export_to("million.db", records, 3));
    EXPECT(answers("million.db",
                   "SELECT count(*), sum(b), sum(a), max(time) FROM t",
                   "i:1000000|i:499999500000|r:249999750000.0|r:999.999\n"));
    EXPECT(export_to("million.jsonl", records, 3));
    EXPECT(export_to("million.csv", records, 3));
  }
  md_records_close(records);
}

static void run(md_arena *arena) {
  writes_all_kinds(arena);
  reads_numbers_back(arena);
  writes_tricky_texts(arena);
  renames_fields(arena);
  writes_many_tables(arena);
  merges_sources(arena);
  writes_a_million_rows(arena);
}

int main(void) { return in_folder("export", run); }
