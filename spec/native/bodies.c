/* Processes in C for the specs, see bodies.lua. */
#include <moondial.h>

/* args: how long; returns its end */
void nap(md_process *p) {
  MD_BEGIN(p);
  MD_SLEEP(p, md_get_number(p, p->arguments, 0));
  md_results(p, MD_VALUES(md_text("slept"), md_number(md_now(p))));
  MD_END(p);
}

/* answers (serve, from, ref, minutes) by how many it has served */
struct till {
  md_pid customer;
  md_ref ref;
  int64_t served;
};
void till(md_process *p) {
  struct till *t = (struct till *)md_memory(p, sizeof *t);
  MD_BEGIN(p);
  for (;;) {
    MD_RECEIVE(p, md_tag_of("serve"), MD_ANYBODY);
    t->customer = md_get_pid(p, p->message, 1);
    t->ref = md_get_ref(p, p->message, 2);
    MD_SLEEP(p, md_get_number(p, p->message, 3));
    t->served++;
    MD_REPLY(p, t->customer, t->ref, md_text("done"), md_integer(t->served));
  }
  MD_END(p);
}

/* args: whom, how long to wait, what to catch; returns why it went on */
void customer(md_process *p) {
  MD_BEGIN(p);
  md_catch(p, (uint32_t)md_get_integer(p, p->arguments, 2));
  MD_ASK_WITHIN(p, md_get_number(p, p->arguments, 1),
                md_get_pid(p, p->arguments, 0), md_text("serve"), md_number(2));
  md_results(p, MD_VALUES(md_integer(p->wakeup),
                          p->message ? p->message->values[1] : md_nil(),
                          md_cause(p)));
  MD_END(p);
}

/* passes on whatever comes to the process it was given */
void relay(md_process *p) {
  MD_BEGIN(p);
  for (;;) {
    MD_RECEIVE(p, MD_ANY, MD_ANYBODY);
    MD_WAIT_(p, md_send(p, md_get_pid(p, p->arguments, 0), p->message->count,
                        p->message->values));
  }
  MD_END(p);
}

/* takes what has a tag, from somebody; args: from, how long; returns it */
void picky(md_process *p) {
  MD_BEGIN(p);
  MD_RECEIVE_WITHIN(p, md_tag_of("this"),
                    p->arguments->values[0].type == MD_PID
                        ? md_get_pid(p, p->arguments, 0)
                        : MD_ANYBODY,
                    md_get_number(p, p->arguments, 1));
  if (p->message) md_results(p, p->message->count, p->message->values);
  else md_results(p, MD_VALUES(md_text("none"), md_integer(p->wakeup)));
  MD_END(p);
}

/* sleeps for ever; says that it is closed, and to whom it was */
void guarded(md_process *p) {
  md_pid *owner = (md_pid *)md_memory(p, sizeof *owner);
  MD_BEGIN(p);
  *owner = md_get_pid(p, p->arguments, 0);
  md_catch(p, MD_CATCH_INTERRUPT);
  for (;;) {
    MD_SLEEP(p, 10);
    if (p->wakeup == MD_BY_INTERRUPT) {
      if (md_cause(p).type == MD_TEXT) {
        md_fail(p, "no: %s", md_cause(p).text);
        MD_YIELD(p);
      }
      break;
    }
  }
  md_results(p, MD_VALUES(md_number(md_now(p))));
  MD_FINALLY(p);
  md_send(p, *owner, MD_VALUES(md_text("closed"), md_number(md_now(p))));
  MD_END(p);
}

/* draws n numbers and sleeps them; writes them down, too */
struct drawn {
  int64_t left;
  int recorder;
  md_stream *stream;
  double x;
};
void draws(md_process *p) {
  static const char *const columns[] = {"x", "left", "who"};
  struct drawn *d = (struct drawn *)md_memory(p, sizeof *d);
  MD_BEGIN(p);
  d->stream = md_stream_of(p, NULL);
  d->recorder = md_recorder(p, "drawn", 3, columns);
  for (d->left = md_get_integer(p, p->arguments, 0); d->left > 0; d->left--) {
    d->x = md_exponential(p, d->stream, 2.0);
    MD_SLEEP(p, d->x);
    md_record(
        p, d->recorder,
        MD_VALUES(md_number(d->x), md_integer(d->left), md_a_pid(md_self(p))));
  }
  MD_END(p);
}

/* all of chance, as a list */
void chances(md_process *p) {
  md_stream *s = md_stream_of(p, md_get_text(p, p->arguments, 0));
  MD_BEGIN(p);
  md_results(
      p,
      MD_VALUES(
          md_number(md_uniform(p, s, 2, 5)),
          md_integer(md_random_integer(p, s, 1, 6)),
          md_number(md_exponential(p, s, 3)), md_number(md_normal(p, s, 1, 2)),
          md_number(md_lognormal(p, s, 0, 1)), md_number(md_gamma(p, s, 2, 3)),
          md_number(md_erlang(p, s, 3, 2)), md_number(md_beta(p, s, 2, 3)),
          md_number(md_weibull(p, s, 2, 3)), md_number(md_pareto(p, s, 2, 3)),
          md_number(md_triangular(p, s, 1, 2, 4)),
          md_integer(md_poisson(p, s, 9)),
          md_integer(md_binomial(p, s, 9, 0.5)),
          md_integer(md_geometric(p, s, 0.2)),
          md_boolean(md_bernoulli(p, s, 0.5))));
  MD_END(p);
}

/* one call that is wrong, by its number */
void wrong(md_process *p) {
  MD_BEGIN(p);
  MD_SLEEP(p, 1);
  switch (md_get_integer(p, p->arguments, 0)) {
  case 1:
    md_sleep(p, -1);
    break;
  case 2:
    md_sleep(p, 0.0 / 0.0);
    break;
  case 3:
    md_send(p, 7, MD_VALUES(md_nil()));
    break;
  case 4: {
    md_value v = {77, 0, {0}};
    md_send(p, md_self(p), 1, &v);
    break;
  }
  case 5:
    md_ask(p, md_self(p), MD_VALUES(md_text("x")), MD_FOREVER);
    break;
  case 6:
    md_exponential(p, md_stream_of(p, NULL), 0);
    break;
  case 7:
    md_invoke(p, "nothing", 0, NULL);
    break;
  case 8:
    md_invoke(p, "sleep", MD_VALUES(md_number(1)));
    break;
  case 9:
    md_record(p, 99, 0, NULL);
    break;
  case 10:
    md_get_text(p, p->arguments, 5);
    break;
  case 11:
    md_fail(p, "a reason of %d", 42);
    break;
  case 12:
    md_receive(p, MD_ANY, MD_ANYBODY, -2);
    break;
  case 13:
    md_ask(p, 0, MD_VALUES(md_text("x")), MD_FOREVER);
    break;
  case 14:
    md_receive(p, MD_ANY, MD_ANYBODY, MD_FOREVER);
    md_sleep(p, 1);
    break;
  case 15:
    md_uniform(p, md_stream_of(p, NULL), 2, 1);
    break;
  case 16:
    md_invoke(p, "kill", MD_VALUES(md_text("nobody")));
    break;
  }
  MD_END(p);
}

/* keeps what no image can hold */
void rooted(md_process *p) {
  FILE **kept = (FILE **)md_memory(p, sizeof *kept);
  MD_BEGIN(p);
  *kept = stdout;
  MD_SLEEP(p, 100);
  MD_END(p);
}

/* sends so many numbers, and waits where it has to */
struct flood {
  int64_t n;
};
void flood(md_process *p) {
  struct flood *f = (struct flood *)md_memory(p, sizeof *f);
  MD_BEGIN(p);
  for (f->n = 1; f->n <= md_get_integer(p, p->arguments, 1); f->n++)
    MD_SEND(p, md_get_pid(p, p->arguments, 0), md_integer(f->n));
  md_results(p, MD_VALUES(md_number(md_now(p))));
  MD_END(p);
}

/* runs what md has to offer */
void manager(md_process *p) {
  MD_BEGIN(p);
  md_invoke(p, "register", MD_VALUES(md_text("boss"), md_a_pid(md_self(p))));
  md_invoke(p, "trap_exit", MD_VALUES(md_boolean(1)));
  md_invoke(p, "link", MD_VALUES(md_a_pid(md_get_pid(p, p->arguments, 0))));
  md_invoke(
      p, "kill",
      MD_VALUES(md_a_pid(md_get_pid(p, p->arguments, 0)), md_text("old")));
  MD_RECEIVE(p, md_tag_of("exit"), MD_ANYBODY);
  md_results(p, MD_VALUES(p->message->values[2],
                          md_invoke(p, "whereis", MD_VALUES(md_text("boss"))),
                          md_a_pid(md_self(p))));
  MD_END(p);
}

/* executes a program, as spec/fuzz/bodies_spec.lua has it in Lua too: its
   arguments are operations of three integers, its peers come with "go";
   returns how many messages it has got */
struct script {
  int64_t at, a, b, got;
  md_pid peers[8], asker;
  md_ref ref;
};
static const char *const tags[] = {"a", "b", "a longer one", "question"};
#define ARG(i) md_get_integer(p, p->arguments, (uint32_t)(s->at + (i)))
#define PEER   s->peers[s->a % 8]
void script(md_process *p) {
  struct script *s = (struct script *)md_memory(p, sizeof *s);
  MD_BEGIN(p);
  MD_RECEIVE(p, md_tag_of("go"), MD_ANYBODY);
  for (uint32_t i = 0; i < 8; i++)
    s->peers[i] = md_get_pid(p, p->message, i + 1);
  md_catch(p, MD_CATCH_INTERRUPT | MD_CATCH_NOPROC);
  for (s->at = 0; s->at < p->arguments->count; s->at += 3) {
    s->a = ARG(1);
    s->b = ARG(2);
    if (ARG(0) == 0) MD_SLEEP(p, (double)s->a / 4);
    else if (ARG(0) == 1)
      MD_SEND(p, PEER, md_text(tags[s->b % 3]), md_integer(s->at));
    else if (ARG(0) == 2) {
      MD_RECEIVE_WITHIN(p, md_tag_of(tags[s->b % 3]),
                        s->b < 3 ? MD_ANYBODY : PEER, (double)s->a / 4);
      s->got += p->wakeup == MD_BY_MESSAGE;
    } else if (ARG(0) == 3) {
      if (PEER == md_self(p)) continue;
      MD_ASK_WITHIN(p, (double)s->b / 4, PEER, md_text("question"),
                    md_number(s->b));
      s->got += p->wakeup == MD_BY_MESSAGE;
    } else if (ARG(0) == 4) {
      MD_RECEIVE_WITHIN(p, md_tag_of("question"), MD_ANYBODY, (double)s->a / 4);
      if (p->wakeup != MD_BY_MESSAGE) continue;
      s->got++;
      s->asker = md_get_pid(p, p->message, 1);
      s->ref = md_get_ref(p, p->message, 2);
      if (s->b > 0) MD_SLEEP(p, (double)s->b / 4);
      MD_REPLY(p, s->asker, s->ref, md_text("answer"));
    } else {
      MD_YIELD(p);
    }
  }
  md_results(p, MD_VALUES(md_integer(s->got)));
  MD_END(p);
}
