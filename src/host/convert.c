/* Values between Lua and C: integers of every size are Lua's integers, which
   wrap as C's do; other numbers are Lua's; the rest stays C's. */
#include "host/cdata.h"

#include <string.h>

/* -- what is wrong -- */

static const char *convert_wanted(lua_State *L, md_ctype_id id) {
  const md_ctype *type = md_ctype_at(native_of(L)->types, id);
  const char *text = cdata_type_text(L, id);
  switch (type->kind) {
  case MD_C_BOOL:
    return lua_pushfstring(L, "a boolean (%s)", text);
  case MD_C_INTEGER:
    return lua_pushfstring(L, "an integer (%s)", text);
  case MD_C_ENUM:
    return lua_pushfstring(L, "an integer or a name (%s)", text);
  case MD_C_FLOAT:
    return lua_pushfstring(L, "a number (%s)", text);
  case MD_C_STRUCT:
  case MD_C_UNION:
  case MD_C_ARRAY:
    return lua_pushfstring(L, "a '%s' or a table", text);
  default:
    return lua_pushfstring(L, "a '%s'", text);
  }
}

_Noreturn void cdata_wrong(lua_State *L, md_ctype_id id, int i,
                           const cdata_place *place, const char *hint) {
  char where[32] = "";
  if (place->number > 0)
    snprintf(where, sizeof where, " %u", (unsigned)place->number);
  luaL_checkstack(L, 12, NULL);
  cdata_fail(L, "%s: expected %s as %s%s, got %s%s", place->call,
             convert_wanted(L, id), place->what, where, cdata_describe(L, i),
             hint != NULL ? hint : "");
}

/* -- numbers -- */

static int64_t convert_load(const md_ctype *type, const char *from) {
  bool u = type->flags & MD_C_UNSIGNED;
  int64_t value = 0;
  memcpy(&value, from, type->size <= 8 ? type->size : 8);
  switch (type->size) {
  case 1:
    return u ? (int64_t)(uint8_t)value : (int8_t)value;
  case 2:
    return u ? (int64_t)(uint16_t)value : (int16_t)value;
  case 4:
    return u ? (int64_t)(uint32_t)value : (int32_t)value;
  default:
    return value;
  }
}

static double convert_load_real(const md_ctype *type, const char *from) {
  float f;
  double d;
  long double ld;
  if (type->size == sizeof f) return memcpy(&f, from, sizeof f), (double)f;
  if (type->size == sizeof d) return memcpy(&d, from, sizeof d), d;
  return memcpy(&ld, from, sizeof ld), (double)ld;
}

static void convert_store_real(const md_ctype *type, char *to, double value) {
  float f = (float)value;
  long double ld = value;
  if (type->size == sizeof f) memcpy(to, &f, sizeof f);
  else if (type->size == sizeof value) memcpy(to, &value, sizeof value);
  else memcpy(to, &ld, sizeof ld);
}

static bool convert_is_number(const md_ctype *type) {
  return type->kind == MD_C_BOOL || type->kind == MD_C_INTEGER ||
         type->kind == MD_C_FLOAT || type->kind == MD_C_ENUM;
}

/* Pushes the number in a box, an object of such a type. */
static bool convert_push_box(lua_State *L, int i) {
  const cdata *c = cdata_at(L, i);
  if (c == NULL || c->is != CDATA_OBJECT || c->gone) return false;
  if (!convert_is_number(md_ctype_at(native_of(L)->types, c->type)))
    return false;
  cdata_push(L, c->type, c->address, c, i);
  return true;
}

bool cdata_unbox(lua_State *L, int i) {
  i = lua_absindex(L, i);
  if (!convert_push_box(L, i)) return false;
  lua_replace(L, i);
  return true;
}

/* A word for an enum, or for an integer. */
static bool convert_word(lua_State *L, int i, int64_t *value) {
  const md_ctypes *t = native_of(L)->types;
  size_t length;
  const char *text = lua_tolstring(L, i, &length);
  uint32_t name = md_cname_find(t, text, length);
  if (name == 0 || t->names[name].meaning != MD_C_CONSTANT) return false;
  *value = t->names[name].value;
  return true;
}

int64_t cdata_integer(lua_State *L, md_ctype_id id, int i,
                      const cdata_place *place) {
  const md_ctype *type = md_ctype_at(native_of(L)->types, id);
  int64_t value;
  int fits = 0, kind = lua_type(L, i);
  if (kind == LUA_TNUMBER) {
    value = lua_tointegerx(L, i, &fits);
    if (fits) return type->kind == MD_C_BOOL ? value != 0 : value;
    lua_Number x = lua_tonumber(L, i);
    if (type->kind == MD_C_BOOL) return x != 0;
    if (type->size == 8 && type->flags & MD_C_UNSIGNED && x >= 0x1p63 &&
        x < 0x1p64)
      return (int64_t)(uint64_t)x;
    cdata_wrong(L, id, i, place,
                ", which has no integer's value; round it, as in x // 1");
  }
  if (kind == LUA_TBOOLEAN) return lua_toboolean(L, i);
  if (kind == LUA_TSTRING && type->kind == MD_C_ENUM &&
      convert_word(L, i, &value))
    return value;
  if (kind == LUA_TUSERDATA && convert_push_box(L, i)) {
    value = cdata_integer(L, id, lua_gettop(L), place);
    lua_pop(L, 1);
    return value;
  }
  cdata_wrong(L, id, i, place, NULL);
}

double cdata_real(lua_State *L, md_ctype_id id, int i,
                  const cdata_place *place) {
  if (lua_type(L, i) == LUA_TNUMBER) return lua_tonumber(L, i);
  if (lua_type(L, i) == LUA_TUSERDATA && convert_push_box(L, i)) {
    double value = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return value;
  }
  cdata_wrong(L, id, i, place, NULL);
}

/* -- pointers -- */

static bool convert_is_bytes(const md_ctype *type) {
  return type->kind == MD_C_VOID ||
         (type->kind == MD_C_INTEGER && type->size == 1);
}

/* May what points to `from` be used as pointing to `to`? */
static bool convert_alike(const md_ctypes *t, md_ctype_id to,
                          md_ctype_id from) {
  const md_ctype *a = md_ctype_at(t, to), *b = md_ctype_at(t, from);
  if (to == from || a->kind == MD_C_VOID || b->kind == MD_C_VOID) return true;
  bool a_whole = a->kind == MD_C_INTEGER || a->kind == MD_C_ENUM;
  bool b_whole = b->kind == MD_C_INTEGER || b->kind == MD_C_ENUM;
  if (a_whole && b_whole) return a->size == b->size;
  if (a->kind != b->kind) return false;
  if (a->kind == MD_C_POINTER) return convert_alike(t, a->of, b->of);
  return a->kind == MD_C_ARRAY && convert_alike(t, a->of, b->of) &&
         (a->length == b->length || a->flags & MD_C_OPEN);
}

static void *convert_text(lua_State *L, md_ctype_id id, int i,
                          const cdata_place *place) {
  const md_ctypes *t = native_of(L)->types;
  const md_ctype *type = md_ctype_at(t, id);
  bool bytes = convert_is_bytes(md_ctype_at(t, type->of));
  if (bytes && type->flags & MD_C_CONST)
    return (void *)(uintptr_t)lua_tostring(L, i);
  cdata_wrong(L, id, i, place,
              bytes ? ", which C must not change; copy it: ffi.new(\"char[?]\","
                      " #s + 1, s)"
                    : NULL);
}

static void *convert_cdata(lua_State *L, md_ctype_id id, int i,
                           const cdata_place *place) {
  const md_ctypes *t = native_of(L)->types;
  const md_ctype *type = md_ctype_at(t, id);
  cdata *c = cdata_at(L, i);
  const md_ctype *own = md_ctype_at(t, c->type);
  md_ctype_id to = type->of;
  bool constant = c->constant;
  bool fits = false;
  if (c->gone)
    cdata_wrong(L, id, i, place, ", which has been given back already");
  if (c->is == CDATA_FUNCTION) {
    if (to != c->type && md_ctype_at(t, to)->kind != MD_C_VOID)
      cdata_wrong(L, id, i, place, NULL);
    return native_symbol_address(L, c->symbol);
  }
  if (c->is == CDATA_POINTER || c->is == CDATA_CALLBACK ||
      own->kind == MD_C_ARRAY) {
    fits = convert_alike(t, to, own->of) ||
           (own->kind == MD_C_ARRAY && to == c->type);
    constant = constant || own->flags & MD_C_CONST;
  } else if (own->kind == MD_C_STRUCT || own->kind == MD_C_UNION) {
    fits = c->is == CDATA_OBJECT && convert_alike(t, to, c->type);
  }
  if (!fits) cdata_wrong(L, id, i, place, "; ffi.cast if it is what C wants");
  if (constant && !(type->flags & MD_C_CONST))
    cdata_wrong(L, id, i, place,
                ", which is const; ffi.cast if C does not change it");
  return c->address;
}

void *cdata_pointer(lua_State *L, md_ctype_id id, int i,
                    const cdata_place *place) {
  const md_ctypes *t = native_of(L)->types;
  md_ctype_id of = md_ctype_at(t, id)->of;
  const luaL_Stream *stream;
  switch (lua_type(L, i)) {
  case LUA_TNIL:
    return NULL;
  case LUA_TSTRING:
    return convert_text(L, id, i, place);
  case LUA_TFUNCTION:
    if (md_ctype_at(t, of)->kind != MD_C_FUNCTION) break;
    void *code = cdata_callback(L, id, i, place->call)->address;
    lua_pop(L, 1);
    return code;
  case LUA_TUSERDATA:
    if (cdata_at(L, i) != NULL) {
      const cdata *c = cdata_at(L, i);
      if (c->is != CDATA_TYPE) return convert_cdata(L, id, i, place);
      break;
    }
    stream = luaL_testudata(L, i, LUA_FILEHANDLE);
    if (stream == NULL || stream->closef == NULL) break;
    if (md_ctype_at(t, of)->kind == MD_C_STRUCT ||
        md_ctype_at(t, of)->kind == MD_C_VOID)
      return stream->f;
    break;
  default:
    break;
  }
  cdata_wrong(L, id, i, place, NULL);
}

/* -- C to Lua -- */

void cdata_push(lua_State *L, md_ctype_id id, char *from, const cdata *c,
                int owner) {
  const md_ctypes *t = native_of(L)->types;
  const md_ctype *type = md_ctype_at(t, id);
  void *p;
  switch (type->kind) {
  case MD_C_BOOL:
    lua_pushboolean(L, *from != 0);
    break;
  case MD_C_INTEGER:
  case MD_C_ENUM:
    lua_pushinteger(L, convert_load(type, from));
    break;
  case MD_C_FLOAT:
    lua_pushnumber(L, convert_load_real(type, from));
    break;
  case MD_C_POINTER:
    memcpy(&p, from, sizeof p);
    cdata_refer(L, CDATA_POINTER, id, p, 0);
    break;
  default: { /* a place in it; of what is open, all that is left */
    cdata *made = cdata_within(L, CDATA_OBJECT, id, from, c, owner);
    bool open = type->flags & (MD_C_OPEN | MD_C_VARIABLE);
    uint64_t left;
    made->constant = c != NULL && cdata_is_constant(native_of(L), c);
    if (open && (made->base == NULL || !cdata_left(made, &left))) break;
    made->extent = open ? left : type->size;
    made->base = from;
  }
  }
}

/* -- Lua to C -- */

void cdata_put(lua_State *L, md_ctype_id id, char *to, int i,
               const cdata_place *place) {
  const md_ctype *type = md_ctype_at(native_of(L)->types, id);
  int64_t value;
  void *p;
  switch (type->kind) {
  case MD_C_BOOL:
  case MD_C_INTEGER:
  case MD_C_ENUM:
    value = cdata_integer(L, id, i, place);
    memcpy(to, &value, type->size); /* its lower bytes come first */
    break;
  case MD_C_FLOAT:
    convert_store_real(type, to, cdata_real(L, id, i, place));
    break;
  case MD_C_POINTER:
    p = cdata_pointer(L, id, i, place);
    memcpy(to, &p, sizeof p);
    break;
  default:
    cdata_fill(L, id, to, type->size, i, 1, place);
  }
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "see cdata_put");
