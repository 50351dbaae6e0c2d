/* The reference: what the comment above each of the model's functions says, and
   the topics of src/app/topics.txt. scripts/reference takes it from there when
   the program is built. */
#ifndef MD_APP_REFERENCE_H
#define MD_APP_REFERENCE_H

typedef struct app_entry {
  const char *topic; /* which it belongs to */
  const char *name;  /* "sleep"; methods as "rng:normal" */
  const char *text;  /* the signature, a line break, prose */
} app_entry;

typedef struct app_topic {
  const char *name, *title; /* the title may be "" */
  const char *text;         /* its page, above the list of its functions */
} app_topic;

/* "normal" of "rng:normal", "wrap" of "coroutine.wrap". */
const char *app_help_short(const char *name);

/* Both end with a name that is NULL; the entries are in the topics' order. */
extern const app_entry app_reference[];
extern const app_topic app_topics[];

#endif
