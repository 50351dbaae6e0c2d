/* The reference: what the comment above each of the model's functions says.
   scripts/reference takes it from the sources when the program is built. */
#ifndef MD_APP_REFERENCE_H
#define MD_APP_REFERENCE_H

typedef struct app_entry {
  const char *module; /* where it is: the file's name */
  const char *name;   /* "sleep"; methods as "rng:normal" */
  const char *text;   /* the signature, a line break, prose */
} app_entry;

extern const app_entry app_reference[]; /* ends with a name that is NULL */

#endif
