/* parse: declarations of C, their layout beside the compiler's own, what is
   refused, and mutations of all of it. */
#include "native/parse.h"

#include <stddef.h>
#include <string.h>

#include "native/lex.h"
#include "spec/check.h"

static md_arena *arena;
static md_ctypes *types;
static char error[MD_PARSE_ERROR];

static void begin(void) {
  arena = md_arena_open(0);
  types = md_ctypes_open(arena);
  md_lexer_prepare(types);
}

static void finish(void) {
  md_ctypes_close(types);
  md_arena_close(arena);
}

static bool declares(const char *text) {
  md_given none = {NULL, 0};
  return md_parse(types, text, strlen(text), none, error) == MD_PARSED;
}

/* The text is refused, with a sentence that has this in it. */
static bool refuses(const char *text, const char *why) {
  if (declares(text)) return false;
  if (strstr(error, why) != NULL) return true;
  printf("  got: %s\n", error);
  return false;
}

static md_ctype_id type(const char *text) {
  md_given none = {NULL, 0};
  md_ctype_id id = 0;
  md_parse_type(types, text, strlen(text), none, &id, error);
  return id;
}

static bool shown(const char *text, const char *as) {
  char buffer[256];
  md_ctype_id id = type(text);
  if (id == 0) return false;
  md_ctype_text(types, id, buffer, sizeof buffer);
  if (strcmp(buffer, as) == 0) return true;
  printf("  got: %s\n", buffer);
  return false;
}

static uint64_t size_of(const char *text) {
  return md_ctype_at(types, type(text))->size;
}

static uint64_t offset_of(const char *text, const char *member) {
  uint64_t offset = 12345;
  uint32_t name = md_cname_find(types, member, strlen(member));
  md_ctype_member(types, type(text), name, &offset);
  return offset;
}

static int64_t constant(const char *name) {
  uint32_t i = md_cname_find(types, name, strlen(name));
  return types->names[i].meaning == MD_C_CONSTANT ? types->names[i].value
                                                  : -12345;
}

static void claim_types(void) {
  IT("knows the basic types however they are written") {
    EXPECT(type("int") == MD_C_INT_ID && type("signed") == MD_C_INT_ID);
    EXPECT(type("unsigned") == type("unsigned int"));
    EXPECT(type("long unsigned int long") == MD_C_ULLONG_ID);
    EXPECT(type("short int") == type("int short"));
    EXPECT(type("const volatile char") == MD_C_CHAR_ID);
    EXPECT(type("uint8_t") == type("unsigned char"));
    EXPECT(type("long double") == MD_C_LDOUBLE_ID);
    EXPECT(type("_Bool") == type("bool"));
  }
  IT("has equal types once") {
    EXPECT(type("int *") == type("int*"));
    EXPECT(type("int (*)(char)") == type("int(*)(char x)"));
    EXPECT(type("const int *") != type("int *"));
    EXPECT(type("int *const") == type("int *"));
    EXPECT(type("int[3]") != type("int[4]"));
    EXPECT(type("int(void)") == type("int()"));
    EXPECT(type("int(int, ...)") != type("int(int)"));
  }
  IT("writes a type as C does") {
    EXPECT(shown("int*", "int *"));
    EXPECT(shown("const char*const*", "const char *const *"));
    EXPECT(shown("int(*)(const char*,...)", "int (*)(const char *, ...)"));
    EXPECT(shown("double (*(*)[3])(void)", "double (*(*)[3])(void)"));
    EXPECT(shown("int [2][3]", "int [2][3]"));
    EXPECT(shown("char[?]", "char [?]"));
    EXPECT(shown("void (*(*)(int))(char)", "void (*(*)(int))(char)"));
    EXPECT(shown("struct nobody *", "struct nobody *"));
  }
  IT("takes arrays and functions as parameters for pointers") {
    EXPECT(type("void(int[3])") == type("void(int *)"));
    EXPECT(type("void(int[])") == type("void(int *)"));
    EXPECT(type("void(int(char))") == type("void(int (*)(char))"));
    EXPECT(type("void(const char s[static 2])") == type("void(const char *)"));
  }
  IT("puts given types where $ is") {
    md_ctype_id id = 0, pair[2] = {type("int"), type("double *")};
    md_given given = {pair, 2};
    const char *text = "struct { $ a; $ b; }";
    md_parse_type(types, text, strlen(text), given, &id, error);
    EXPECT(id != 0 && md_ctype_at(types, id)->size == 16);
    EXPECT(type("$") == 0 && strstr(error, "more '$' than types"));
    md_parse_type(types, "$", 1, given, &id, error);
    EXPECT(strstr(error, "fewer '$' than types"));
  }
}

struct mixed {
  char c;
  double d;
  short s;
  union {
    int i;
    char bytes[7];
  };
  struct {
    char a;
    long b;
  } in[2];
  void (*call)(int);
};
struct __attribute__((packed)) tight {
  char c;
  int i;
  double d;
};
struct tight_after {
  char c;
  int i;
} __attribute__((packed));
struct wide {
  char c;
  int i __attribute__((aligned(16)));
  char last;
};
struct holds_packed {
  char c;
  struct tight t;
  _Alignas(8) char e;
};
enum large { LARGE = 0x100000000 };

static void claim_layout(void) {
  IT("lays structs out as the compiler does") {
    EXPECT(declares(
        "struct mixed { char c; double d; short s; union { int i; char "
        "bytes[7]; }; struct { char a; long b; } in[2]; void (*call)(int); };"
        "struct __attribute__((packed)) tight { char c; int i; double d; };"
        "struct tight_after { char c; int i; } __attribute__((__packed__));"
        "struct wide { char c; int i __attribute__((aligned(16))); char last; "
        "}; struct holds_packed { char c; struct tight t; _Alignas(8) char e; "
        "}; enum large { LARGE = 0x100000000 };"));
    EXPECT(size_of("struct mixed") == sizeof(struct mixed));
    EXPECT(offset_of("struct mixed", "d") == offsetof(struct mixed, d));
    EXPECT(offset_of("struct mixed", "bytes") == offsetof(struct mixed, bytes));
    EXPECT(offset_of("struct mixed", "in") == offsetof(struct mixed, in));
    EXPECT(offset_of("struct mixed", "call") == offsetof(struct mixed, call));
    EXPECT(size_of("struct tight") == sizeof(struct tight));
    EXPECT(size_of("struct tight_after") == sizeof(struct tight_after));
    EXPECT(size_of("struct wide") == sizeof(struct wide));
    EXPECT(offset_of("struct wide", "i") == offsetof(struct wide, i));
    EXPECT(size_of("struct holds_packed") == sizeof(struct holds_packed));
    EXPECT(offset_of("struct holds_packed", "t") ==
           offsetof(struct holds_packed, t));
    EXPECT(offset_of("struct holds_packed", "e") ==
           offsetof(struct holds_packed, e));
    EXPECT(size_of("enum large") == sizeof(enum large));
  }
  IT("knows what holds pointers, and what has an open length") {
    EXPECT(declares("struct p { int n; char *s[2]; }; struct q { struct p p; };"
                    "struct v { int n; short data[]; };"
                    "struct w { int n; short data[?]; };"));
    EXPECT(md_ctype_at(types, type("struct q"))->flags & MD_C_POINTERS);
    EXPECT(md_ctype_at(types, type("struct v"))->flags & MD_C_VARIABLE);
    EXPECT(md_ctype_at(types, type("struct w"))->flags & MD_C_VARIABLE);
    EXPECT(size_of("struct w") == 4 && offset_of("struct w", "data") == 4);
    EXPECT(!(md_ctype_at(types, type("struct tight"))->flags & MD_C_POINTERS));
  }
}

static void claim_declarations(void) {
  IT("computes constants as C does") {
    EXPECT(declares("enum { A, B = 5, C, D = 1 << 4 | 3, E = -7 / 2, F = -7 % "
                    "3, G = ~0, H = 'a', I = '\\n', J = 0x1F, K = 017, L = "
                    "sizeof(int) * 2, M = B > A ? 10 : 20, N = (char)300, O = "
                    "!B, P = B == 5 && C != 5, Q = 2 + 3 * 4, R = (2 + 3) * 4,"
                    " S = -1 < 0, T = 0b101, U = _Alignof(double) };"));
    EXPECT(constant("A") == 0 && constant("B") == 5 && constant("C") == 6);
    EXPECT(constant("D") == 19 && constant("E") == -3 && constant("F") == -1);
    EXPECT(constant("G") == -1 && constant("H") == 97 && constant("I") == 10);
    EXPECT(constant("J") == 31 && constant("K") == 15 && constant("L") == 8);
    EXPECT(constant("M") == 10 && constant("N") == 44 && constant("O") == 0);
    EXPECT(constant("P") == 1 && constant("Q") == 14 && constant("R") == 20);
    EXPECT(constant("S") == 1 && constant("T") == 5 && constant("U") == 8);
    EXPECT(declares("static const int X = 3, Y = X + 1; static const unsigned "
                    "char Z = 0xff;"));
    EXPECT(constant("Y") == 4 && constant("Z") == 255);
  }
  IT("passes over what says nothing about types") {
    EXPECT(refuses("void f7(int n, double m[n]);", "'n' is no constant"));
    EXPECT(declares(
        "extern __inline__ int f1(int) __attribute__((nonnull(1), pure)) "
        "__asm__(\"f1_other\"); // a comment\n /* and\n another */ "
        "__extension__ typedef long long ll; static inline int f2(void);"
        "_Noreturn void f3(int); int (f4)(int), *f5(void), (*f6)[3];"
        "_Static_assert(sizeof(int) == 4, \"int\");;"));
    EXPECT(type("ll") == MD_C_LLONG_ID);
  }
  IT("takes the same declaration again, and no other one") {
    EXPECT(
        declares("int again(int); typedef struct { int a; } t; enum e { E1 };"
                 "struct s { int a; };"));
    EXPECT(
        declares("int again(int); typedef struct { int a; } t; enum e { E1 };"
                 "struct s { int a; };"));
    EXPECT(refuses("int again(char);", "'again' is declared already, as"));
    EXPECT(refuses("struct s { char a; };", "with other members"));
    EXPECT(refuses("union s { int a; };", "as 'struct s'"));
    EXPECT(refuses("enum { E1 = 7 };", "'E1' is declared already"));
    EXPECT(refuses("typedef int again;", "'again' is declared already"));
  }
  IT("declares all of a text or nothing of it") {
    uint32_t names = types->name_count, before = types->type_count;
    EXPECT(refuses("int n1(int); struct n2 { int *a; }; struct later { int x; "
                   "};\nenum { N3 };\ntypedef char *n4;\nint int;",
                   "line 4"));
    EXPECT(types->name_count == names && types->type_count == before);
    EXPECT(declares("struct later;"));
    EXPECT(refuses("struct later { int x; }; nonsense", "'nonsense', which is "
                                                        "not declared"));
    EXPECT(md_ctype_at(types, type("struct later"))->flags & MD_C_OPEN);
    EXPECT(declares("struct later { char x; }; struct n2 { int b; };"));
    EXPECT(size_of("struct later") == 1);
  }
}

static void claim_refused(void) {
  IT("says what is wrong, and where") {
    EXPECT(refuses("int x\nint y;", "line 2: expected ';'"));
    EXPECT(refuses("struct b { int x : 3; };", "bit-fields are not supported"));
    EXPECT(refuses("struct b { int x", "got the end of the text"));
    EXPECT(refuses("struct b { void x; };", "whose size is not known"));
    EXPECT(refuses("struct b { struct b x; };", "whose size is not known"));
    EXPECT(refuses("struct b { int a, a; };", "two members 'a'"));
    EXPECT(refuses("struct b { int a[]; int c; };", "only the last member"));
    EXPECT(refuses("#define X 3", "static const int X = 3;"));
    EXPECT(refuses("int f(void) { return 1; }", "ffi.compile"));
    EXPECT(refuses("int x = 3;", "only constants have a value"));
    EXPECT(refuses("int a[-1];", "cannot have -1 elements"));
    EXPECT(refuses("int f()();", "cannot return an array or a function"));
    EXPECT(refuses("int f()[2];", "cannot return an array or a function"));
    EXPECT(refuses("void a[2];", "whose size is not known"));
    EXPECT(refuses("void v;", "cannot be of type void"));
    EXPECT(refuses("void f(void, int);", "a parameter cannot be void"));
    EXPECT(refuses("long float x;", "do not make up a type"));
    EXPECT(refuses("unsigned double x;", "do not make up a type"));
    EXPECT(refuses("int double x;", "do not make up a type"));
    EXPECT(refuses("struct tight int x;", "do not make up a type"));
    EXPECT(refuses("_Complex double x;", "'_Complex' is not supported"));
    EXPECT(refuses("enum { Z1 = 1 / 0 };", "divided by 0"));
    EXPECT(refuses("enum { Z2 = 1 << 64 };", "0 to 63 bits"));
    EXPECT(refuses("enum { Z3 = 1.5 };", "expected an integer"));
    EXPECT(refuses("enum { Z4 = nobody };", "is no constant"));
    EXPECT(refuses("enum { Z5 = 99999999999999999999 };", "64 bits"));
    EXPECT(refuses("enum { Z6 = 09 };", "this is no number"));
    EXPECT(refuses("enum { Z7 = 'ab' };", "one character"));
    EXPECT(refuses("enum { Z8 = sizeof(struct nobody) };", "is not known"));
    EXPECT(refuses("/* never", "this comment has no end"));
    EXPECT(refuses("int x@;", "not one of C's"));
    EXPECT(refuses("int f(int \"x);", "has no end"));
    EXPECT(refuses("int __attribute__((vector_size(16))) v;", "vector_size"));
    EXPECT(refuses("int a __attribute__((aligned(3)));", "a power of two"));
    EXPECT(refuses("_Static_assert(1 > 2);", "does not hold"));
    EXPECT(refuses("int a[1 << 30][1 << 30];", "too large"));
    EXPECT(type("int x") == 0 && strstr(error, "without the name 'x'"));
    EXPECT(type("int;") == 0 && strstr(error, "the end of the type"));
  }
  IT("refuses what is nested without end") {
    char deep[4000];
    memset(deep, '(', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    memcpy(deep, "int ", 4);
    EXPECT(refuses(deep, "nested more than"));
    memcpy(deep, "int a[", 6);
    EXPECT(refuses(deep, "nested more than"));
    memset(deep, '*', sizeof deep - 1);
    memcpy(deep, "int ", 4);
    EXPECT(refuses(deep, "too many"));
  }
  IT("stands every lack of memory") {
    const char *text = "struct m1 { int a[3]; char *s; }; int m2(struct m1 *, "
                       "int (*)(void)); enum { M3 }; typedef struct m1 m4;";
    bool done = false;
    for (uint64_t n = 1; !done && n < 100; n++) {
      md_given none = {NULL, 0};
      finish();
      arena = md_arena_open(0);
      md_arena_fail_at(arena, n);
      types = md_ctypes_open(arena);
      if (types == NULL || !md_lexer_prepare(types)) {
        md_arena_close(arena);
        begin();
        continue;
      }
      done = md_parse(types, text, strlen(text), none, error) == MD_PARSED &&
             md_arena_count(arena) < n;
      md_arena_fail_at(arena, 0);
      EXPECT(declares(text));
    }
    EXPECT(done);
    md_ctypes_close(types);
    types = md_ctypes_open(arena);
    md_lexer_prepare(types);
  }
}

/* -- mutations -- */

static const char *const seeds[] = {
    "typedef struct node { struct node *next; int v[3]; union { int i; float "
    "f; }; char data[?]; } node_t; int use(node_t *, const char *, ...);",
    "enum color { RED, GREEN = 5, BLUE = GREEN << 2 | sizeof(int[4]) }; static "
    "const int N = (BLUE + 1) * 3 % 7 ? -1 : ~2;",
    "void qsort(void *base, size_t n, size_t size, int (*cmp)(const void *, "
    "const void *)) __attribute__((nonnull(1))) __asm__(\"qsort\");",
    "struct __attribute__((packed)) p { char c; long l __attribute__((aligned("
    "8))); }; extern struct p (*table[4])(double, float);"};

static uint64_t dice = 88172645463325252ull;
static uint32_t roll(uint32_t n) {
  dice ^= dice << 13;
  dice ^= dice >> 7;
  dice ^= dice << 17;
  return (uint32_t)(dice >> 11) % n;
}

static size_t mutate(char *text, size_t n, size_t room) {
  static const char *const words[] = {"struct", "(",   ")",   "{",  "}", "*",
                                      "[",      "]",   "?",   "$",  ":", ";",
                                      ",",      "int", "...", "99", "'", "/*"};
  size_t at = roll((uint32_t)n + 1), more;
  const char *word;
  switch (roll(4)) {
  case 0:
    more = 1 + roll(6);
    if (at + more > n) return n;
    memmove(text + at, text + at + more, n - at - more);
    return n - more;
  case 1:
    if (at < n) text[at] = (char)(32 + roll(96));
    return n;
  case 2:
    word = words[roll(sizeof words / sizeof *words)];
    more = strlen(word);
    if (n + more > room) return n;
    memmove(text + at + more, text + at, n - at);
    memcpy(text + at, word, more);
    return n + more;
  default:
    more = roll(20);
    if (at + more > n || n + more > room) return n;
    memmove(text + at + more, text + at, n - at);
    return n + more;
  }
}

static void claim_mutations(void) {
  IT("stands mutations of declarations") {
    int parsed = 0, refused = 0;
    for (int round = 0; round < 600; round++) {
      md_given none = {NULL, 0};
      char text[1024];
      const char *seed = seeds[roll(sizeof seeds / sizeof *seeds)];
      size_t n = strlen(seed);
      memcpy(text, seed, n);
      for (uint32_t k = roll(4) + 1; k > 0; k--)
        n = mutate(text, n, sizeof text);
      finish();
      begin();
      uint32_t before = types->type_count;
      if (md_parse(types, text, n, none, error) == MD_PARSED) {
        parsed++;
        for (md_ctype_id id = 1; id < types->type_count; id++) {
          char buffer[64];
          md_ctype_text(types, id, buffer, sizeof buffer);
        }
      } else {
        refused++;
        EXPECT(types->type_count == before && strlen(error) > 8);
      }
    }
    EXPECT(parsed > 20 && refused > 200);
  }
}

int main(void) {
  begin();
  claim_types();
  claim_layout();
  claim_declarations();
  claim_refused();
  claim_mutations();
  finish();
  return check_done("parse");
}
