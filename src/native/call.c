#include "native/call.h"

#include <ffi.h>
#include <stdlib.h>
#include <string.h>

/* -- the basic types, as libffi describes them -- */

#define CALL_TYPE(name, ctype, code)                                           \
  static ffi_type name = {sizeof(ctype), _Alignof(ctype), code, NULL}

static ffi_type call_void = {1, 1, FFI_TYPE_VOID, NULL};
CALL_TYPE(call_i8, int8_t, FFI_TYPE_SINT8);
CALL_TYPE(call_u8, uint8_t, FFI_TYPE_UINT8);
CALL_TYPE(call_i16, int16_t, FFI_TYPE_SINT16);
CALL_TYPE(call_u16, uint16_t, FFI_TYPE_UINT16);
CALL_TYPE(call_i32, int32_t, FFI_TYPE_SINT32);
CALL_TYPE(call_u32, uint32_t, FFI_TYPE_UINT32);
CALL_TYPE(call_i64, int64_t, FFI_TYPE_SINT64);
CALL_TYPE(call_float, float, FFI_TYPE_FLOAT);
CALL_TYPE(call_double, double, FFI_TYPE_DOUBLE);
CALL_TYPE(call_long_double, long double, FFI_TYPE_LONGDOUBLE);
CALL_TYPE(call_pointer, void *, FFI_TYPE_POINTER);

static ffi_type *const call_basic[] = {
    [MD_PASS_VOID] = &call_void,
    [MD_PASS_BOOL] = &call_u8,
    [MD_PASS_I8] = &call_i8,
    [MD_PASS_U8] = &call_u8,
    [MD_PASS_I16] = &call_i16,
    [MD_PASS_U16] = &call_u16,
    [MD_PASS_I32] = &call_i32,
    [MD_PASS_U32] = &call_u32,
    [MD_PASS_I64] = &call_i64,
    [MD_PASS_FLOAT] = &call_float,
    [MD_PASS_DOUBLE] = &call_double,
    [MD_PASS_LONG_DOUBLE] = &call_long_double,
    [MD_PASS_POINTER] = &call_pointer,
    [MD_PASS_WHOLE] = NULL,
};

static md_pass call_integer(const md_ctype *type) {
  bool u = type->flags & MD_C_UNSIGNED;
  switch (type->size) {
  case 1:
    return u ? MD_PASS_U8 : MD_PASS_I8;
  case 2:
    return u ? MD_PASS_U16 : MD_PASS_I16;
  case 4:
    return u ? MD_PASS_U32 : MD_PASS_I32;
  default:
    return MD_PASS_I64;
  }
}

md_pass md_pass_of(const md_ctypes *t, md_ctype_id id) {
  const md_ctype *type = md_ctype_at(t, id);
  switch (type->kind) {
  case MD_C_BOOL:
    return MD_PASS_BOOL;
  case MD_C_INTEGER:
  case MD_C_ENUM:
    return call_integer(type);
  case MD_C_FLOAT:
    return type->size == sizeof(float)    ? MD_PASS_FLOAT
           : type->size == sizeof(double) ? MD_PASS_DOUBLE
                                          : MD_PASS_LONG_DOUBLE;
  case MD_C_POINTER:
    return MD_PASS_POINTER;
  case MD_C_STRUCT:
  case MD_C_UNION:
    return MD_PASS_WHOLE;
  default:
    return MD_PASS_VOID;
  }
}

/* -- structs and unions -- */

/* Values of a struct, one after the other, for libffi, which takes it apart as
   the calling convention says. */
typedef struct call_flat {
  ffi_type **elements; /* NULL: they are counted */
  uint32_t count;
  bool good;
} call_flat;

enum { CALL_FLAT = 256 };

static void call_flatten(const md_ctypes *t, md_ctype_id id, call_flat *flat) {
  const md_ctype *type = md_ctype_at(t, id);
  if (type->kind == MD_C_ARRAY) {
    if (type->length > CALL_FLAT) flat->good = false;
    for (uint64_t i = 0; flat->good && i < type->length; i++)
      call_flatten(t, type->of, flat);
  } else if (type->kind == MD_C_STRUCT) {
    uint64_t at = 0;
    for (uint32_t i = 0; flat->good && i < type->count; i++) {
      const md_cmember *m = &t->members[type->first + i];
      uint64_t align = md_ctype_at(t, m->type)->align;
      /* a packed or wider aligned one cannot be said */
      if ((at + align - 1) / align * align != m->offset) flat->good = false;
      at = m->offset + md_ctype_at(t, m->type)->size;
      call_flatten(t, m->type, flat);
    }
  } else if (type->kind == MD_C_UNION || flat->count == CALL_FLAT) {
    flat->good = false;
  } else {
    if (flat->elements != NULL)
      flat->elements[flat->count] = call_basic[md_pass_of(t, id)];
    flat->count++;
  }
}

/* A struct as libffi wants it, in one block; NULL with `why`, as above. */
static ffi_type *call_whole(const md_ctypes *t, md_ctype_id id,
                            const char **why) {
  call_flat flat = {NULL, 0, true};
  const md_ctype *type = md_ctype_at(t, id);
  call_flatten(t, id, &flat);
  *why = NULL;
  if (!flat.good || flat.count == 0 ||
      type->flags & (MD_C_OPEN | MD_C_VARIABLE)) {
    *why = "a union, or a packed, empty or very large struct, cannot be passed "
           "by value; pass a pointer to it";
    return NULL;
  }
  size_t size = sizeof(ffi_type) + (flat.count + 1) * sizeof(ffi_type *);
  ffi_type *made = md_arena_alloc(t->arena, size);
  if (made == NULL) return NULL;
  flat.elements = (ffi_type **)(made + 1);
  flat.count = 0;
  call_flatten(t, id, &flat);
  flat.elements[flat.count] = NULL;
  *made = (ffi_type){type->size, (unsigned short)type->align, FFI_TYPE_STRUCT,
                     flat.elements};
  return made;
}

static void call_free(const md_ctypes *t, ffi_type *type) {
  if (type == NULL || type->type != FFI_TYPE_STRUCT) return;
  uint32_t n = 0;
  while (type->elements[n] != NULL) n++;
  md_arena_free(t->arena, type,
                sizeof *type + (n + 1) * sizeof *type->elements);
}

/* -- signatures -- */

/* One block: the signature, libffi's, the types of libffi, ours, the passes. */
typedef struct call_prepared {
  ffi_cif cif;
  ffi_type *result;
  ffi_type *types[];
} call_prepared;

static size_t call_size(uint32_t count) {
  return sizeof(md_signature) + sizeof(call_prepared) +
         count * (sizeof(ffi_type *) + sizeof(md_ctype_id) + 1);
}

static bool call_is_real(uint8_t pass) {
  return pass == MD_PASS_FLOAT || pass == MD_PASS_DOUBLE;
}

static md_shape call_shape(const md_signature *s) {
#if (defined __x86_64__ || defined __aarch64__) && defined __linux__
  uint32_t integers = 0, reals = 0;
  if (s->variadic || s->gives == MD_PASS_WHOLE ||
      s->gives == MD_PASS_LONG_DOUBLE)
    return MD_SHAPE_NONE;
  for (uint32_t i = 0; i < s->count; i++) {
    uint8_t pass = s->passes[i];
    if (pass == MD_PASS_WHOLE || pass == MD_PASS_LONG_DOUBLE)
      return MD_SHAPE_NONE;
    if (call_is_real(pass)) reals++;
    else integers++;
  }
  if (integers > MD_CALL_INTEGERS || reals > MD_CALL_REALS)
    return MD_SHAPE_NONE;
  if (!call_is_real(s->gives))
    return reals > 0 ? MD_SHAPE_BOTH : MD_SHAPE_INTEGERS;
  if (integers == 0 && reals <= 2) return MD_SHAPE_REAL_PAIR;
  return reals > 0 ? MD_SHAPE_REAL_BOTH : MD_SHAPE_REAL_INTEGERS;
#else
  (void)s;
  return MD_SHAPE_NONE;
#endif
}

static ffi_type *call_type(const md_ctypes *t, md_ctype_id id,
                           const char **why) {
  md_pass pass = md_pass_of(t, id);
  *why = NULL;
  return pass == MD_PASS_WHOLE ? call_whole(t, id, why) : call_basic[pass];
}

void md_signature_close(const md_ctypes *t, md_signature *s) {
  call_prepared *prepared = s->prepared;
  call_free(t, prepared->result);
  for (uint32_t i = 0; i < s->count; i++) call_free(t, prepared->types[i]);
  md_arena_free(t->arena, s, call_size(s->count));
}

md_signature *md_signature_open(md_ctypes *t, md_ctype_id id,
                                const char **why) {
  const md_ctype *type = md_ctype_at(t, id);
  md_signature *s = md_arena_alloc(t->arena, call_size(type->count));
  *why = NULL;
  if (s == NULL) return NULL;
  memset(s, 0, call_size(type->count));
  call_prepared *prepared = (call_prepared *)(s + 1);
  *s = (md_signature){.type = id,
                      .result = type->of,
                      .gives = (uint8_t)md_pass_of(t, type->of),
                      .variadic = type->flags & MD_C_VARIADIC,
                      .count = type->count,
                      .prepared = prepared};
  s->parameters = (md_ctype_id *)(prepared->types + type->count);
  s->passes = (uint8_t *)(s->parameters + type->count);
  prepared->result = call_type(t, type->of, why);
  bool good = prepared->result != NULL;
  for (uint32_t i = 0; good && i < type->count; i++) {
    s->parameters[i] = t->members[type->first + i].type;
    s->passes[i] = (uint8_t)md_pass_of(t, s->parameters[i]);
    prepared->types[i] = call_type(t, s->parameters[i], why);
    good = prepared->types[i] != NULL;
  }
  if (good && ffi_prep_cif(&prepared->cif, FFI_DEFAULT_ABI, s->count,
                           prepared->result, prepared->types) != FFI_OK) {
    *why = "libffi cannot call a function of this type";
    good = false;
  }
  if (good) {
    s->shape = (uint8_t)call_shape(s);
    return s;
  }
  md_signature_close(t, s);
  return NULL;
}

/* -- calling -- */

typedef uint64_t call_integers(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                               uint64_t);
typedef uint64_t call_both(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                           uint64_t, double, double, double, double, double,
                           double, double, double);
typedef double call_real_integers(uint64_t, uint64_t, uint64_t, uint64_t,
                                  uint64_t, uint64_t);
typedef double call_real_both(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                              uint64_t, double, double, double, double, double,
                              double, double, double);
typedef double call_real_pair(double, double);

#define CALL_INTEGERS(r)                                                       \
  (r)->integers[0], (r)->integers[1], (r)->integers[2], (r)->integers[3],      \
      (r)->integers[4], (r)->integers[5]
#define CALL_REALS(r)                                                          \
  (r)->reals[0].d, (r)->reals[1].d, (r)->reals[2].d, (r)->reals[3].d,          \
      (r)->reals[4].d, (r)->reals[5].d, (r)->reals[6].d, (r)->reals[7].d

/* The casts say that the registers are as the function wants them. */
md_result md_call_direct(void (*code)(void), const md_signature *s,
                         const md_registers *r) {
  md_result result;
  switch (s->shape) {
  case MD_SHAPE_REAL_PAIR:
    result.d = ((call_real_pair *)code)(r->reals[0].d, r->reals[1].d);
    break;
  case MD_SHAPE_REAL_INTEGERS:
    result.d = ((call_real_integers *)code)(CALL_INTEGERS(r));
    break;
  case MD_SHAPE_REAL_BOTH:
    result.d = ((call_real_both *)code)(CALL_INTEGERS(r), CALL_REALS(r));
    break;
  case MD_SHAPE_BOTH:
    result.bits = ((call_both *)code)(CALL_INTEGERS(r), CALL_REALS(r));
    break;
  default:
    result.bits = ((call_integers *)code)(CALL_INTEGERS(r));
  }
  return result;
}

void md_call(void (*code)(void), const md_signature *s, void **arguments,
             void *result) {
  call_prepared *prepared = s->prepared;
  ffi_call(&prepared->cif, code, result, arguments);
}

bool md_call_variadic(const md_ctypes *t, void (*code)(void),
                      const md_signature *s, const md_ctype_id *types,
                      uint32_t count, void **arguments, void *result) {
  const call_prepared *prepared = s->prepared;
  ffi_type *all[2 * MD_C_MOST];
  ffi_cif cif;
  if (s->count + count > sizeof all / sizeof *all) return false;
  for (uint32_t i = 0; i < s->count; i++) all[i] = prepared->types[i];
  for (uint32_t i = 0; i < count; i++) {
    all[s->count + i] = call_basic[md_pass_of(t, types[i])];
    if (all[s->count + i] == NULL) return false;
  }
  if (ffi_prep_cif_var(&cif, FFI_DEFAULT_ABI, s->count, s->count + count,
                       prepared->result, all) != FFI_OK)
    return false;
  ffi_call(&cif, code, result, arguments);
  return true;
}

/* -- closures -- */

struct md_closure {
  ffi_closure *closure;
  void *code;
  md_closure_body *body;
  uint64_t id;
  ffi_cif cif;
  ffi_type *types[];
};

static void call_back(ffi_cif *cif, void *result, void **arguments,
                      void *context) {
  const md_closure *c = context;
  (void)cif;
  c->body(c->id, result, arguments);
}

md_closure *md_closure_open(const md_signature *s, md_closure_body *body) {
  static uint64_t made; /* a number for each in this process */
  md_closure *c = malloc(sizeof *c + (s->count + 1) * sizeof *c->types);
  if (c == NULL) return NULL;
  c->closure = ffi_closure_alloc(sizeof *c->closure, &c->code);
  c->body = body;
  c->id = made + 1;
  for (uint32_t i = 0; i < s->count; i++)
    c->types[i] = call_basic[s->passes[i]];
  if (c->closure != NULL &&
      ffi_prep_cif(&c->cif, FFI_DEFAULT_ABI, s->count, call_basic[s->gives],
                   c->types) == FFI_OK &&
      ffi_prep_closure_loc(c->closure, &c->cif, call_back, c, c->code) ==
          FFI_OK) {
    made++;
    return c;
  }
  if (c->closure != NULL) ffi_closure_free(c->closure);
  free(c);
  return NULL;
}

void md_closure_close(md_closure *c) {
  ffi_closure_free(c->closure);
  free(c);
}

uint64_t md_closure_id(const md_closure *c) { return c->id; }
void *md_closure_code(const md_closure *c) { return c->code; }
