/* Calling C from Lua, and Lua from C.

   No error and no wait crosses a frame of C's. A callback runs protected; its
   error is kept, C goes on with a zero (callbacks that follow do nothing), and
   the error is raised when C has returned. Nothing can block in one. */
#include "host/cdata.h"
#include "host/cproc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The calls of C that are under way in this thread, the innermost first: the
   only thing that a callback finds its Lua by. */
typedef struct invoke_frame {
  lua_State *L;
  bool failed; /* the error is in the registry */
  struct invoke_frame *before;
} invoke_frame;

static _Thread_local invoke_frame *invoke_innermost;
static const char invoke_error; /* its address is the error's key */

/* -- what is called -- */

static md_ctype_id invoke_function(const host_native *n, const cdata *c) {
  const md_ctype *type = md_ctype_at(n->types, c->type);
  if (type->kind == MD_C_FUNCTION) return c->type;
  if (type->kind != MD_C_POINTER) return 0;
  return md_ctype_at(n->types, type->of)->kind == MD_C_FUNCTION ? type->of : 0;
}

bool cdata_invokable(const host_native *n, const cdata *c) {
  return invoke_function(n, c) != 0;
}

static const char *invoke_name(lua_State *L, const cdata *c) {
  const host_native *n = native_of(L);
  if (c->is == CDATA_FUNCTION) return native_symbol_name(n, c->symbol);
  return cdata_type_text(L, c->type);
}

static md_signature *invoke_prepare(lua_State *L, md_ctype_id id,
                                    const char *name) {
  host_native *n = native_of(L);
  md_ctype *type = md_ctype_at(n->types, id);
  const char *why;
  if (type->plan != 0) return n->plans[type->plan];
  if (n->plan_count == 0) n->plan_count = 1;
  if (!native_room(n->types->arena, (void **)&n->plans, &n->plan_room,
                   n->plan_count, sizeof *n->plans))
    host_no_memory(L);
  md_signature *s = md_signature_open(n->types, id, &why);
  if (s == NULL && why == NULL) host_no_memory(L);
  if (s == NULL) cdata_fail(L, "%s: %s", name, why);
  n->plans[n->plan_count] = s;
  type->plan = n->plan_count++;
  return s;
}

typedef void invoke_code(void);

static invoke_code *invoke_address(lua_State *L, const cdata *c) {
  const host_native *n = native_of(L);
  void *code = c->address;
  if (c->is == CDATA_FUNCTION) {
    code = n->symbols[c->symbol].address;
    if (code == NULL) code = native_symbol_address(L, c->symbol);
  } else if (c->gone || code == NULL) {
    cdata_fail(L,
               c->gone ? "this '%s' has been freed already"
                       : "this '%s' is a null pointer, and cannot be called",
               cdata_type_text(L, c->type));
  }
  invoke_code *function;
  memcpy(&function, &code, sizeof function);
  return function;
}

/* -- around the call -- */

static inline void invoke_enter(lua_State *L, host_native *n,
                                invoke_frame *frame) {
  frame->L = L;
  frame->failed = false;
  frame->before = invoke_innermost;
  invoke_innermost = frame;
  errno = n->error;
}

static inline void invoke_leave(lua_State *L, host_native *n,
                                const invoke_frame *frame) {
  n->error = errno;
  invoke_innermost = frame->before;
  if (!frame->failed) return;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &invoke_error);
  lua_error(L);
}

/* -- results -- */

static int64_t invoke_widen(uint8_t pass, uint64_t bits) {
  switch (pass) {
  case MD_PASS_I8:
    return (int8_t)bits;
  case MD_PASS_U8:
    return (uint8_t)bits;
  case MD_PASS_I16:
    return (int16_t)bits;
  case MD_PASS_U16:
    return (uint16_t)bits;
  case MD_PASS_I32:
    return (int32_t)bits;
  case MD_PASS_U32:
    return (uint32_t)bits;
  default:
    return (int64_t)bits;
  }
}

static int invoke_result(lua_State *L, const md_signature *s, const cdata *of,
                         md_result r) {
  cdata *made;
  switch (s->gives) {
  case MD_PASS_VOID:
    return 0;
  case MD_PASS_BOOL:
    lua_pushboolean(L, (r.bits & 0xff) != 0);
    return 1;
  case MD_PASS_FLOAT:
    lua_pushnumber(L, (lua_Number)r.f);
    return 1;
  case MD_PASS_DOUBLE:
    lua_pushnumber(L, r.d);
    return 1;
  case MD_PASS_POINTER:
    made = cdata_refer(L, CDATA_POINTER, s->result, r.p, 0);
    made->symbol = of->is == CDATA_FUNCTION ? of->symbol : 0;
    return 1;
  default:
    lua_pushinteger(L, invoke_widen(s->gives, r.bits));
    return 1;
  }
}

/* -- calls through registers -- */

_Noreturn static void invoke_count(lua_State *L, const cdata *c,
                                   const md_signature *s, int n) {
  cdata_fail(L, "%s: expected %d argument%s%s, got %d; it is declared as '%s'",
             invoke_name(L, c), (int)s->count, s->count == 1 ? "" : "s",
             s->variadic ? " or more" : "", n, cdata_type_text(L, s->type));
}

/* The integer for a parameter, by the slow way. */
static uint64_t invoke_integer(lua_State *L, const cdata *c,
                               const md_signature *s, uint32_t k) {
  cdata_place place = {invoke_name(L, c), "argument", k + 1};
  int i = (int)k + 2;
  if (s->passes[k] == MD_PASS_POINTER)
    return (uint64_t)(uintptr_t)cdata_pointer(L, s->parameters[k], i, &place);
  return (uint64_t)cdata_integer(L, s->parameters[k], i, &place);
}

static double invoke_real(lua_State *L, const cdata *c, const md_signature *s,
                          uint32_t k) {
  cdata_place place = {invoke_name(L, c), "argument", k + 1};
  return cdata_real(L, s->parameters[k], (int)k + 2, &place);
}

/* A pointer of exactly the parameter's type needs no thought. */
static inline bool invoke_same(lua_State *L, md_ctype_id id, int i,
                               uint64_t *to) {
  const cdata *c = cdata_at(L, i);
  if (c == NULL || c->is != CDATA_POINTER || c->type != id || c->gone)
    return false;
  *to = (uint64_t)(uintptr_t)c->address;
  return true;
}

static int invoke_direct(lua_State *L, host_native *n, const cdata *c,
                         const md_signature *s) {
  md_registers r = {0};
  invoke_frame frame;
  uint32_t integers = 0, reals = 0;
  int fits;
  for (uint32_t k = 0; k < s->count; k++) {
    int i = (int)k + 2;
    uint8_t pass = s->passes[k];
    if (pass == MD_PASS_DOUBLE || pass == MD_PASS_FLOAT) {
      double x = lua_type(L, i) == LUA_TNUMBER ? lua_tonumber(L, i)
                                               : invoke_real(L, c, s, k);
      if (pass == MD_PASS_DOUBLE) r.reals[reals++].d = x;
      else r.reals[reals++].f = (float)x;
    } else if (pass == MD_PASS_POINTER) {
      uint64_t *to = &r.integers[integers++];
      if (!invoke_same(L, s->parameters[k], i, to))
        *to = invoke_integer(L, c, s, k);
    } else {
      lua_Integer x = 0;
      fits = lua_type(L, i) == LUA_TNUMBER;
      if (fits) x = lua_tointegerx(L, i, &fits);
      if (!fits || pass == MD_PASS_BOOL)
        x = (lua_Integer)invoke_integer(L, c, s, k);
      r.integers[integers++] = (uint64_t)invoke_widen(pass, (uint64_t)x);
    }
  }
  invoke_code *code = invoke_address(L, c);
  invoke_enter(L, n, &frame);
  md_result result = md_call_direct(code, s, &r);
  invoke_leave(L, n, &frame);
  return invoke_result(L, s, c, result);
}

/* -- all other calls -- */

typedef union invoke_value {
  long double ld;
  double d;
  int64_t i;
  void *p;
  char bytes[16];
} invoke_value;

/* The type that an argument behind ... has. */
static md_ctype_id invoke_open_type(lua_State *L, const cdata *c, int i) {
  host_native *n = native_of(L);
  md_ctype_id text = md_ctype_pointer(n->types, MD_C_CHAR_ID, true);
  md_ctype_id any = md_ctype_pointer(n->types, MD_C_VOID_ID, true);
  if (text == 0 || any == 0) host_no_memory(L);
  cdata_place place = {invoke_name(L, c), "argument", (uint32_t)i - 1};
  if (cdata_unbox(L, i)) return invoke_open_type(L, c, i);
  switch (lua_type(L, i)) {
  case LUA_TNUMBER:
    return lua_isinteger(L, i) ? MD_C_LONG_ID : MD_C_DOUBLE_ID;
  case LUA_TBOOLEAN:
    return MD_C_INT_ID;
  case LUA_TSTRING:
    return text;
  case LUA_TNIL:
    return any;
  default:
    if (cdata_at(L, i) == NULL || cdata_at(L, i)->is == CDATA_TYPE)
      cdata_wrong(L, any, i, &place,
                  "; behind ... C takes numbers, texts and pointers");
    return any;
  }
}

/* Puts the argument at i where it can be passed from. */
static void *invoke_argument(lua_State *L, const cdata *c, md_ctype_id id,
                             int i, invoke_value *value) {
  const md_ctype *type = md_ctype_at(native_of(L)->types, id);
  cdata_place place = {invoke_name(L, c), "argument", (uint32_t)i - 1};
  const cdata *whole = cdata_at(L, i);
  if (type->kind != MD_C_STRUCT && type->kind != MD_C_UNION) {
    memset(value, 0, sizeof *value);
    if (type->kind == MD_C_INTEGER || type->kind == MD_C_ENUM)
      value->i = cdata_integer(L, id, i, &place);
    else cdata_put(L, id, value->bytes, i, &place);
    return value;
  }
  if (whole != NULL && whole->is == CDATA_OBJECT && whole->type == id &&
      !whole->gone)
    return whole->address;
  cdata *copy = cdata_new(L, id, type->size);
  lua_insert(L, 1); /* it lasts until the call is over */
  cdata_put(L, id, copy->address, i + 1, &place);
  lua_pushvalue(L, 1);
  lua_replace(L, i + 1);
  lua_remove(L, 1);
  return copy->address;
}

static int invoke_any(lua_State *L, host_native *n, const cdata *c,
                      const md_signature *s, int count) {
  invoke_value values[MD_C_MOST + 1], buffer;
  void *pointers[MD_C_MOST + 1];
  md_ctype_id open[MD_C_MOST + 1];
  invoke_frame frame;
  const md_ctype *gives = md_ctype_at(n->types, s->result);
  if (count > MD_C_MOST) cdata_fail(L, "more than %d arguments", MD_C_MOST);
  luaL_checkstack(L, 20 + 3 * count, NULL);
  for (int k = 0; k < count; k++) {
    bool known = (uint32_t)k < s->count;
    md_ctype_id id = known ? s->parameters[k] : invoke_open_type(L, c, k + 2);
    if (!known) open[k - (int)s->count] = id;
    pointers[k] = invoke_argument(L, c, id, k + 2, &values[k]);
  }
  cdata *whole = NULL;
  if (s->gives == MD_PASS_WHOLE) whole = cdata_new(L, s->result, gives->size);
  memset(&buffer, 0, sizeof buffer);
  void *to = whole != NULL && gives->size >= sizeof buffer
                 ? (void *)whole->address
                 : &buffer;
  invoke_code *code = invoke_address(L, c);
  invoke_enter(L, n, &frame);
  bool good = true;
  if (s->variadic)
    good = md_call_variadic(n->types, code, s, open, (uint32_t)count - s->count,
                            pointers, to);
  else md_call(code, s, pointers, to);
  invoke_leave(L, n, &frame);
  if (!good) cdata_fail(L, "%s: libffi cannot pass these", invoke_name(L, c));
  if (whole != NULL) {
    if (to == &buffer) memcpy(whole->address, &buffer, gives->size);
    return 1;
  }
  if (s->gives == MD_PASS_LONG_DOUBLE) {
    lua_pushnumber(L, (lua_Number)buffer.ld);
    return 1;
  }
  md_result result;
  memcpy(&result, &buffer, sizeof result);
  return invoke_result(L, s, c, result);
}

int cdata_invoke(lua_State *L) {
  host_native *n = native_of(L);
  cdata *c = cdata_at(L, 1);
  md_signature *s = c->signature;
  int count = lua_gettop(L) - 1;
  if (s == NULL) {
    const char *name = invoke_name(L, c);
    if (cproc_is_body(L, 1))
      cdata_fail(L,
                 "'%s' is the body of a process, and cannot be called; "
                 "md.spawn_native(library.%s) starts one",
                 name, name);
    c->signature = s = invoke_prepare(L, invoke_function(n, c), name);
  }
  if (count != (int)s->count && !(s->variadic && count > (int)s->count))
    invoke_count(L, c, s, count);
  if (s->shape != MD_SHAPE_NONE) return invoke_direct(L, n, c, s);
  return invoke_any(L, n, c, s, count);
}

/* -- callbacks -- */

typedef struct invoke_back {
  uint64_t id;
  void *result, **arguments;
} invoke_back;

/* The body of a callback, protected: [back]. */
static int invoke_protected(lua_State *L) {
  const invoke_back *back = lua_touserdata(L, 1);
  const host_native *n = native_of(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, n->callbacks);
  lua_rawgeti(L, -1, (lua_Integer)back->id);
  const cdata *c = cdata_at(L, -1);
  if (c == NULL)
    cdata_fail(L, "C called a callback that is no more: it was freed, or made "
                  "after the state that the run went back to");
  const md_signature *s = c->signature;
  luaL_checkstack(L, (int)s->count + 10, NULL);
  lua_getiuservalue(L, -1, 1);
  for (uint32_t k = 0; k < s->count; k++)
    cdata_push(L, s->parameters[k], back->arguments[k], NULL, 0);
  lua_call(L, (int)s->count, s->gives == MD_PASS_VOID ? 0 : 1);
  if (s->gives == MD_PASS_VOID) return 0;
  cdata_place place = {"callback", "result", 0};
  invoke_value value = {.i = 0};
  const md_ctype *type = md_ctype_at(n->types, s->result);
  if (type->kind == MD_C_INTEGER || type->kind == MD_C_ENUM)
    value.i = invoke_widen(s->gives,
                           (uint64_t)cdata_integer(L, s->result, -1, &place));
  else cdata_put(L, s->result, value.bytes, lua_gettop(L), &place);
  memcpy(back->result, &value, 8);
  return 0;
}

/* C calls. */
static void invoke_called(uint64_t id, void *result, void **arguments) {
  invoke_frame *frame = invoke_innermost;
  invoke_back back = {id, result, arguments};
  memset(result, 0, 8);
  if (frame == NULL) {
    fprintf(stderr, "moondial: C called a callback from a thread of its own, "
                    "or while no call of the model's was under way\n");
    abort();
  }
  if (frame->failed) return;
  lua_State *L = frame->L;
  int error = errno;
  if (!lua_checkstack(L, 4)) {
    lua_getfield(L, LUA_REGISTRYINDEX, "md.nomemory");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &invoke_error);
    frame->failed = true;
    return;
  }
  lua_pushcfunction(L, invoke_protected);
  lua_pushlightuserdata(L, &back);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    frame->failed = true;
    lua_rawsetp(L, LUA_REGISTRYINDEX, &invoke_error);
  }
  invoke_innermost = frame;
  errno = error;
}

/* The closure of a callback, which C may know: not in the arena. */
typedef struct invoke_known {
  uint64_t id;
  md_closure *closure;
} invoke_known;

static invoke_known *invoke_closures; /* of this process */
static uint32_t invoke_closure_count;

static void invoke_remember(md_closure *closure) {
  invoke_closures = realloc(invoke_closures, (invoke_closure_count + 1) *
                                                 sizeof *invoke_closures);
  if (invoke_closures == NULL) abort();
  invoke_closures[invoke_closure_count++] =
      (invoke_known){md_closure_id(closure), closure};
}

static void invoke_forget(uint64_t id) {
  for (uint32_t i = 0; i < invoke_closure_count; i++) {
    if (invoke_closures[i].id != id) continue;
    md_closure_close(invoke_closures[i].closure);
    invoke_closures[i] = invoke_closures[--invoke_closure_count];
    return;
  }
}

/* The callback that the function at i has already, of that type. [-0,+0|1] */
static cdata *invoke_again(lua_State *L, const host_native *n, md_ctype_id id,
                           int i) {
  for (cdata *c = n->tracked; c != NULL; c = c->next) {
    if (c->is != CDATA_CALLBACK || c->type != id) continue;
    lua_rawgeti(L, LUA_REGISTRYINDEX, n->callbacks);
    lua_rawgeti(L, -1, (lua_Integer)c->id);
    lua_remove(L, -2);
    lua_getiuservalue(L, -1, 1);
    bool same = lua_rawequal(L, -1, i);
    lua_pop(L, 1);
    if (same) return c;
    lua_pop(L, 1);
  }
  return NULL;
}

cdata *cdata_callback(lua_State *L, md_ctype_id id, int i, const char *call) {
  host_native *n = native_of(L);
  i = lua_absindex(L, i);
  luaL_checkstack(L, 8, NULL);
  cdata *c = invoke_again(L, n, id, i);
  if (c != NULL) return c;
  md_signature *s = invoke_prepare(L, md_ctype_at(n->types, id)->of, call);
  if (s->shape == MD_SHAPE_NONE)
    cdata_fail(L,
               "%s: a function of type '%s' cannot be a callback: it may take "
               "and return up to 6 integers and pointers and 8 numbers, and "
               "no struct",
               call, cdata_type_text(L, s->type));
  c = cdata_refer(L, CDATA_CALLBACK, id, NULL, i);
  lua_rawgeti(L, LUA_REGISTRYINDEX, n->callbacks);
  md_closure *closure = md_closure_open(s, invoke_called);
  if (closure == NULL)
    cdata_fail(L, "%s: the system gives no memory for a callback", call);
  invoke_remember(closure);
  c->id = md_closure_id(closure);
  c->signature = s;
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, (lua_Integer)c->id);
  lua_pop(L, 1);
  c->address = md_closure_code(closure);
  cdata_track(L, c, -1);
  return c;
}

static cdata *invoke_callback_arg(lua_State *L, const char *call) {
  cdata *c = cdata_at(L, 1);
  if (c == NULL || c->is != CDATA_CALLBACK)
    cdata_fail(L, "%s: expected a callback, got %s; callback:%s(...)", call,
               cdata_describe(L, 1), call);
  if (c->gone) cdata_fail(L, "%s: this callback has been freed already", call);
  return c;
}

/* callback:free()
   Takes the callback back: C must not call it any more. Until then it is kept,
   and no image can be saved. Raises native if it was freed before.
     local ffi = require "moondial.ffi"
     local twice = ffi.cast("int (*)(int)", function(x) return 2 * x end)
     print(twice(4)); twice:free() */
static int m_callback_free(lua_State *L) {
  cdata *c = invoke_callback_arg(L, "free");
  const host_native *n = native_of(L);
  lua_rawgeti(L, LUA_REGISTRYINDEX, n->callbacks);
  lua_pushnil(L);
  lua_rawseti(L, -2, (lua_Integer)c->id);
  invoke_forget(c->id);
  cdata_untrack(L, c);
  c->gone = true;
  c->address = NULL;
  return 0;
}

/* callback:set(fn)
   Lets C call another function from now on. Raises native for anything else,
   and if the callback was freed.
     local ffi = require "moondial.ffi"
     local f = ffi.cast("int (*)(int)", function(x) return x end)
     f:set(function(x) return -x end); print(f(4)); f:free() */
static int m_callback_set(lua_State *L) {
  invoke_callback_arg(L, "set");
  if (!lua_isfunction(L, 2))
    cdata_fail(L, "set: expected a function, got %s", cdata_describe(L, 2));
  lua_settop(L, 2);
  lua_setiuservalue(L, 1, 1);
  return 0;
}

bool cdata_push_method(lua_State *L, const char *name) {
  if (strcmp(name, "free") == 0) lua_pushcfunction(L, m_callback_free);
  else if (strcmp(name, "set") == 0) lua_pushcfunction(L, m_callback_set);
  else return false;
  return true;
}
