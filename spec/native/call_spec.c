/* call: signatures, calls through registers and through libffi, closures; and
   where symbols are. */
#include "native/call.h"

#include <stdarg.h>
#include <string.h>

#include "native/lex.h"
#include "native/parse.h"
#include "native/symbol.h"
#include "spec/check.h"

static md_ctypes *types;

static md_signature *signature(const char *text, const char **why) {
  md_given none = {NULL, 0};
  char error[MD_PARSE_ERROR];
  md_ctype_id id = 0;
  md_parse_type(types, text, strlen(text), none, &id, error);
  return id ? md_signature_open(types, id, why) : NULL;
}

typedef void code(void);

typedef struct pair {
  double a;
  int b;
} pair;

static double twice(double x) { return 2 * x; }
static float half(float x) { return x / 2; }
static signed char narrow(int x) { return (signed char)x; }
static double mixed(int a, double b, long c, float d, unsigned char e) {
  return a + 10 * b + 100 * (double)c + 1000 * (double)d + 10000 * e;
}
static long eight(int a, int b, int c, int d, int e, int f, int g, int h) {
  return a + b + c + d + e + f + g * 10 + h * 100;
}
static pair swap(pair p) { return (pair){p.b, (int)p.a}; }
static int sum(int n, ...) {
  va_list list;
  double all = 0;
  va_start(list, n);
  while (n-- > 0) all += va_arg(list, double);
  va_end(list);
  return (int)all;
}
static int through(int (*f)(int, double), int x) { return f(x, 0.5) + 1; }

static void claim_calls(void) {
  const char *why;
  IT("calls through registers") {
    md_registers r = {0};
    r.reals[0].d = 4.5;
    md_signature *s = signature("double(double)", &why);
    EXPECT(s->shape == MD_SHAPE_REAL_PAIR);
    EXPECT(md_call_direct((code *)twice, s, &r).d == 9);
    r.reals[0].f = 3;
    s = signature("float(float)", &why);
    EXPECT(md_call_direct((code *)half, s, &r).f == 1.5f);
    r.integers[0] = 200;
    s = signature("signed char(int)", &why);
    EXPECT((int8_t)md_call_direct((code *)narrow, s, &r).bits == -56);
    r = (md_registers){{1, 3, 5}, {{2}, {0}}};
    r.reals[1].f = 4;
    s = signature("double(int, double, long, float, unsigned char)", &why);
    EXPECT(s->shape == MD_SHAPE_REAL_BOTH);
    EXPECT(md_call_direct((code *)mixed, s, &r).d == 54321);
  }
  IT("calls what registers cannot hold by libffi") {
    int n[8] = {1, 1, 1, 1, 1, 1, 2, 3};
    void *arguments[8];
    long result = 0;
    for (int i = 0; i < 8; i++) arguments[i] = &n[i];
    md_signature *s =
        signature("long(int, int, int, int, int, int, int, int)", &why);
    EXPECT(s->shape == MD_SHAPE_NONE);
    md_call((code *)eight, s, arguments, &result);
    EXPECT(result == 326);
  }
  IT("passes and returns structs") {
    pair p = {7, 3}, q = {0, 0};
    void *arguments[1] = {&p};
    md_signature *s =
        signature("struct pair { double a; int b; } (struct pair)", &why);
    EXPECT(s != NULL);
    if (s != NULL) md_call((code *)swap, s, arguments, &q);
    EXPECT(q.a == 3 && q.b == 7);
  }
  IT("calls functions with ...") {
    int n = 2;
    int64_t result = 0;
    double x = 1.5, y = 2.5;
    void *arguments[3] = {&n, &x, &y};
    md_ctype_id open[2] = {MD_C_DOUBLE_ID, MD_C_DOUBLE_ID};
    md_signature *s = signature("int(int, ...)", &why);
    EXPECT(
        md_call_variadic(types, (code *)sum, s, open, 2, arguments, &result));
    EXPECT((int)result == 4);
  }
  IT("says what it cannot pass, and gives back all memory") {
    md_signature *s = signature("void(union { int i; float f; })", &why);
    EXPECT(s == NULL && why != NULL && strstr(why, "pass a pointer"));
    size_t used = md_arena_used(types->arena);
    s = signature("struct pair(struct pair, int)", &why);
    md_signature_close(types, s);
    s = signature("struct pair(struct pair, int)", &why);
    md_signature_close(types, s);
    EXPECT(md_arena_used(types->arena) - used < 400);
  }
}

static uint64_t called;

static void body(uint64_t id, void *result, void **arguments) {
  called = id;
  *(int64_t *)result =
      *(int *)arguments[0] + (int)(2 * *(double *)arguments[1]);
}

static void claim_closures(void) {
  const char *why;
  IT("lets C call back, each closure by a number of its own") {
    md_signature *s = signature("int(int, double)", &why);
    md_closure *a = md_closure_open(s, body), *b = md_closure_open(s, body);
    EXPECT(a != NULL && b != NULL && md_closure_id(a) != md_closure_id(b));
    int (*f)(int, double);
    void *at = md_closure_code(b);
    memcpy(&f, &at, sizeof f);
    EXPECT(through(f, 40) == 42 && called == md_closure_id(b));
    EXPECT(!md_arena_near(at));
    md_closure_close(a);
    md_closure_close(b);
  }
}

static void claim_symbols(void) {
  char error[MD_SYMBOL_ERROR];
  IT("finds symbols by name, and says what is missing") {
    EXPECT(md_symbol_find(NULL, "strlen", false, error) != NULL);
    EXPECT(md_symbol_find("m", "cbrt", false, error) != NULL);
    EXPECT(md_symbol_find(NULL, "no_such_thing", false, error) == NULL);
    EXPECT(strstr(error, "ffi.load the library that does"));
    EXPECT(md_symbol_find("m", "no_such_thing", false, error) == NULL);
    EXPECT(strstr(error, "the library 'm' has no 'no_such_thing'"));
    EXPECT(md_symbol_find("nothing_like_it", NULL, false, error) == NULL);
    EXPECT(strstr(error, "there is no library 'nothing_like_it'"));
    EXPECT(md_symbol_find("./nothing.so", NULL, false, error) == NULL);
    EXPECT(strstr(error, "cannot load the library './nothing.so'"));
  }
  IT("knows what lies in the program") {
    int here;
    EXPECT(md_symbol_own(&called) && md_symbol_own((void *)(uintptr_t)body));
    EXPECT(!md_symbol_own(&here));
  }
}

int main(void) {
  md_arena *arena = md_arena_open(0);
  types = md_ctypes_open(arena);
  md_lexer_prepare(types);
  claim_calls();
  claim_closures();
  claim_symbols();
  md_ctypes_close(types);
  md_arena_close(arena);
  return check_done("call");
}
