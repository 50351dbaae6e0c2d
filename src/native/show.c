/* A type as C writes it, from the inside out: what stands to the left of the
   name and what stands to the right of it grow with each step. */
#include "native/type.h"

#include <stdio.h>
#include <string.h>

enum { SHOW_SIZE = 256, SHOW_DEEP = 16 };

typedef struct show {
  char left[SHOW_SIZE], right[SHOW_SIZE];
} show;

static void show_before(show *s, const char *text) {
  char whole[2 * SHOW_SIZE];
  snprintf(whole, sizeof whole, "%s%s", text, s->left);
  memcpy(s->left, whole, SHOW_SIZE);
  s->left[SHOW_SIZE - 1] = '\0';
}

static void show_after(show *s, const char *text) {
  size_t n = strlen(s->right);
  snprintf(s->right + n, sizeof s->right - n, "%s", text);
}

static void show_type(const md_ctypes *t, md_ctype_id id, char *buffer,
                      size_t size, int deep);

static void show_parameters(const md_ctypes *t, const md_ctype *type, show *s,
                            int deep) {
  char one[SHOW_SIZE];
  show_after(s, "(");
  for (uint32_t i = 0; i < type->count; i++) {
    if (i > 0) show_after(s, ", ");
    show_type(t, t->members[type->first + i].type, one, sizeof one, deep + 1);
    show_after(s, one);
  }
  if (type->flags & MD_C_VARIADIC) show_after(s, type->count ? ", ..." : "...");
  else if (type->count == 0) show_after(s, "void");
  show_after(s, ")");
}

/* What has a name of its own. */
static void show_base(const md_ctypes *t, const md_ctype *type, bool constant,
                      show *s) {
  char base[SHOW_SIZE];
  const char *what = type->alias                 ? ""
                     : type->kind == MD_C_STRUCT ? "struct "
                     : type->kind == MD_C_UNION  ? "union "
                     : type->kind == MD_C_ENUM   ? "enum "
                                                 : "";
  const char *name = type->name ? md_cname_text(t, type->name) : "(unnamed)";
  snprintf(base, sizeof base, "%s%s%s%s", constant ? "const " : "", what, name,
           s->left[0] && s->left[0] != ' ' ? " " : "");
  show_before(s, base);
}

static void show_type(const md_ctypes *t, md_ctype_id id, char *buffer,
                      size_t size, int deep) {
  show s = {"", ""};
  bool constant = false;
  if (deep > SHOW_DEEP) {
    snprintf(buffer, size, "...");
    return;
  }
  for (;; id = t->types[id].of) {
    const md_ctype *type = &t->types[id];
    char text[32];
    if (type->kind == MD_C_POINTER) {
      uint8_t to = t->types[type->of].kind;
      bool round = to == MD_C_ARRAY || to == MD_C_FUNCTION;
      show_before(&s, round ? "(*" : constant ? "*const " : "*");
      if (round) show_after(&s, ")");
      constant = type->flags & MD_C_CONST;
    } else if (type->kind == MD_C_ARRAY) {
      snprintf(text, sizeof text,
               type->flags & MD_C_VARIABLE ? "[?]"
               : type->flags & MD_C_OPEN   ? "[]"
                                           : "[%llu]",
               (unsigned long long)type->length);
      show_after(&s, text);
      constant = type->flags & MD_C_CONST;
    } else if (type->kind == MD_C_FUNCTION) {
      show_parameters(t, type, &s, deep);
      constant = false;
    } else {
      if (s.right[0] != '\0' && s.left[0] == '\0') show_before(&s, " ");
      show_base(t, type, constant, &s);
      break;
    }
  }
  size_t left = strlen(s.left), right = strlen(s.right);
  if (left > size - 1) left = size - 1;
  if (right > size - 1 - left) right = size - 1 - left;
  memcpy(buffer, s.left, left);
  memcpy(buffer + left, s.right, right);
  buffer[left + right] = '\0';
}

const char *md_ctype_text(const md_ctypes *t, md_ctype_id id, char *buffer,
                          size_t size) {
  show_type(t, id, buffer, size, 0);
  return buffer;
}
