/* The workloads whose processes are C, see bench.lua. */
#include <moondial.h>

/* loop sleep(exp(1)), all on one stream, as the Lua workload */
void hold(md_process *p) {
  md_stream **stream = (md_stream **)md_memory(p, sizeof(md_stream *));
  MD_BEGIN(p);
  *stream = md_stream_of(p, "hold");
  for (;;) MD_SLEEP(p, md_exponential(p, *stream, 1.0));
  MD_END(p);
}

/* M/M/1: the arrivals, and a server whose inbox is the queue */
struct queue {
  md_stream *stream;
  int64_t left;
  double arrived, total;
};

void arrivals(md_process *p) {
  struct queue *q = (struct queue *)md_memory(p, sizeof *q);
  MD_BEGIN(p);
  q->stream = md_stream_of(p, "queue");
  q->left = md_get_integer(p, p->arguments, 1);
  for (; q->left > 0; q->left--) {
    MD_SLEEP(p, md_exponential(p, q->stream, 1 / 0.9));
    MD_SEND(p, md_get_pid(p, p->arguments, 0), md_number(md_now(p)));
  }
  MD_END(p);
}

void server(md_process *p) {
  struct queue *q = (struct queue *)md_memory(p, sizeof *q);
  MD_BEGIN(p);
  q->stream = md_stream_of(p, "queue");
  q->left = md_get_integer(p, p->arguments, 0);
  for (; q->left > 0; q->left--) {
    MD_RECEIVE(p, MD_ANY, MD_ANYBODY);
    q->arrived = md_get_number(p, p->message, 0);
    MD_SLEEP(p, md_exponential(p, q->stream, 1.0));
    q->total += md_now(p) - q->arrived;
  }
  md_results(p, MD_VALUES(md_number(q->total)));
  MD_END(p);
}

/* a question and its answer, which is the question's own value */
void echo(md_process *p) {
  MD_BEGIN(p);
  for (;;) {
    MD_RECEIVE(p, md_tag_of("echo"), MD_ANYBODY);
    MD_REPLY(p, md_get_pid(p, p->message, 1), md_get_ref(p, p->message, 2),
             p->message->values[3]);
  }
  MD_END(p);
}

void asker(md_process *p) {
  int64_t *turn = (int64_t *)md_memory(p, sizeof *turn);
  MD_BEGIN(p);
  for (*turn = 1; *turn <= md_get_integer(p, p->arguments, 1); ++*turn)
    MD_ASK(p, md_get_pid(p, p->arguments, 0), md_text("echo"),
           md_integer(*turn));
  MD_END(p);
}

/* a ring: it is told its successor, and passes a number on until that is 0 */
void node(md_process *p) {
  md_pid *next = (md_pid *)md_memory(p, sizeof *next);
  MD_BEGIN(p);
  MD_RECEIVE(p, MD_ANY, MD_ANYBODY);
  *next = md_get_pid(p, p->message, 0);
  for (;;) {
    MD_RECEIVE(p, MD_ANY, MD_ANYBODY);
    if (md_get_integer(p, p->message, 0) == 0) return;
    MD_SEND(p, *next, md_integer(md_get_integer(p, p->message, 0) - 1));
  }
  MD_END(p);
}

/* a short life */
void life(md_process *p) {
  MD_BEGIN(p);
  MD_SLEEP(p, 0.5);
  MD_END(p);
}
