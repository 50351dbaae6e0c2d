#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "spec/app/export_frame.h"

static void names_its_errors(md_arena *arena) {
  md_records *records = md_records_open(arena);
  add(records, "t", 0, "", "x", integer(1));
  IT("lists the endings it knows") {
    EXPECT(!export_to("run.xls", records, 9));
    EXPECT(strcmp(error, "cannot write run.xls: its ending names no known "
                         "format: use .csv, .jsonl, .db, .sqlite or "
                         ".sqlite3") == 0);
    EXPECT(!export_to("v1.csv/run", records, 9));
    EXPECT(!export_to("", records, 9));
    EXPECT(export_to("UPPER.CSV", records, 9));
    char little[8];
    EXPECT(!md_export_check("run", little, sizeof little));
    EXPECT(strcmp(little, "cannot ") == 0);
  }
  IT("says what to do about a folder that is not there") {
    EXPECT(!export_to("none/run.db", records, 9));
    EXPECT(strcmp(error, "cannot write none/run.db: No such file or directory: "
                         "make the folder first or choose another") == 0);
    put("file.csv", "");
    EXPECT(!export_to("file.csv/run.csv", records, 9));
    EXPECT(strstr(error, "Not a directory") != NULL);
    mkdir("folder.csv", 0700);
    EXPECT(!export_to("folder.csv", records, 9));
    EXPECT(strstr(error, "name a file, not a folder") != NULL);
  }
  IT("checks a path before there is anything to write") {
    int before = files();
    EXPECT(md_export_check("new.csv", error, sizeof error));
    EXPECT(!md_export_check("none/new.csv", error, sizeof error));
    EXPECT(strstr(error, "make the folder") != NULL);
    EXPECT(files() == before);
  }
  IT("says so where it may not write") {
    mkdir("closed", 0500);
    bool root = geteuid() == 0;
    if (root && chmod(".", 0755) == 0) root = seteuid(65534) == 0;
    EXPECT(!export_to("closed/run.jsonl", records, 9));
    if (root) EXPECT(seteuid(0) == 0);
    EXPECT(strstr(error, "choose a folder that you may write to") != NULL);
  }
  md_records_close(records);
}

static void replaces_files_whole(md_arena *arena) {
  md_records *records = md_records_open(arena);
  add(records, "t", 0, "", "x", integer(1));
  IT("replaces an old file, and what a link leads to") {
    put("old.csv", "old");
    EXPECT(symlink("old.csv", "link.csv") == 0);
    EXPECT(export_to("link.csv", records, 9));
    EXPECT(holds("old.csv", "time,process,x\r\n0,,1\r\n"));
    put("old.db", "no database");
    put("old.db-wal", "its journal");
    EXPECT(export_to("old.db", records, 9));
    EXPECT(answers("old.db", "SELECT x FROM t", "i:1\n"));
    EXPECT(!present("old.db-wal"));
  }
  IT("writes to devices directly, and hears that a disk is full") {
    int before = files();
    EXPECT(symlink("/dev/full", "full.csv") == 0);
    EXPECT(symlink("/dev/null", "null.jsonl") == 0);
    EXPECT(symlink("/dev/full", "full.db") == 0);
    EXPECT(export_to("null.jsonl", records, 9));
    EXPECT(!export_to("full.csv", records, 9));
    EXPECT(strcmp(error, "cannot write full.csv: No space left on device: free "
                         "some space or choose another place") == 0);
    EXPECT(!export_to("full.db", records, 9));
    EXPECT(strstr(error, "no regular file") != NULL);
    EXPECT(files() == before + 3);
  }
  md_records_close(records);
}

/* Whether an export under a limit on the size of files, in a process of its
   own, fails and names the file. */
static bool refuses_limited(const char *path, const char *named,
                            const md_records *records) {
  pid_t child = fork();
  if (child == 0) {
    struct rlimit limit = {100000, 100000};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    bool said = !export_to(path, records, 9) && strstr(error, named) != NULL &&
                strstr(error, "choose another place") != NULL;
    _exit(said ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  return status == 0;
}

static void keeps_old_files(md_arena *arena) {
  md_records *records = md_records_open(arena);
  for (int i = 0; i < 20000; i++)
    add(records, "t", i, "server", "x", number(i / 7.0));
  static const char *const paths[] = {"keep.csv", "keep.jsonl", "keep.db"};
  IT("leaves the old file whole when the new one does not fit") {
    for (int i = 0; i < 3; i++) {
      put(paths[i], "old");
      int before = files();
      EXPECT(refuses_limited(paths[i], paths[i], records));
      EXPECT(holds(paths[i], "old"));
      EXPECT(files() == before);
    }
  }
  IT("replaces none of several files when one does not fit") {
    md_records *two = md_records_open(arena);
    add(two, "small", 0, "", "x", integer(1));
    for (int i = 0; i < 20000; i++) add(two, "t", i, "", "x", number(i / 7.0));
    int before = files();
    EXPECT(refuses_limited("two.csv", "two-t.csv", two));
    EXPECT(!present("two-small.csv"));
    EXPECT(files() == before);
    md_records_close(two);
  }
  md_records_close(records);
}

static void run(md_arena *arena) {
  names_its_errors(arena);
  replaces_files_whole(arena);
  keeps_old_files(arena);
}

int main(void) { return in_folder("export_refusal", run); }
