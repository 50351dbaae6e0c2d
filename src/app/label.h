/* Short texts of a model's values, for charts. They are made without a byte of
   the model's memory, and are one line of UTF-8 in any case. */
#ifndef MD_APP_LABEL_H
#define MD_APP_LABEL_H

#include "host/host.h"

enum { LABEL_STRING = 40, LABEL_SIZE = 96 };

/* A text that fits into its buffer or ends with dots. */
typedef struct app_label {
  char text[LABEL_SIZE];
  size_t length;
  bool full;
} app_label;

/* Adds n bytes of a text, as one line; what is no UTF-8 becomes ?. */
void label_add(app_label *, const char *text, size_t n);

/* The n values from L's index `first` on, with commas; the refs of asks and
   replies, and the sender's pid that goes with one, say nothing. */
void label_message(app_label *, lua_State *L, const host_sim *s, int first,
                   int n);

/* What p waits for: "sleeps", "waits for serve"; empty when it does not. */
void label_wait(app_label *, const host_sim *s, uint32_t p);

#endif
