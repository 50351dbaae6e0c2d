/* sim: what is due is brought forward, whatever the tie rule is; and who waits
   for the end of one waits for that of another. */
#include "kernel/sim.h"

#include "spec/check.h"

static md_arena *arena;

static const md_order orders[] = {MD_FIFO, MD_LIFO, MD_RANDOM};

static md_sim *open_sim(md_order order) {
  md_sim_options options = {.seed = 42, .order = order, .precision = 9};
  return md_sim_open(arena, &options);
}

static void close_sim(md_sim *s) {
  md_sim_close(s);
  EXPECT(md_arena_used(arena) == 0);
}

static uint32_t next(md_sim *s) {
  md_event event;
  return md_sim_next(s, &event) == MD_NEXT_PROCESS ? event.process : 0;
}

static void start(md_sim *s, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) md_sim_spawn(s, md_sim_now(s), 0, 0);
  for (uint32_t i = 0; i < n; i++) EXPECT(next(s) != 0);
}

static void claim_processes(md_order order) {
  IT("a process that is hastened comes before all others of its time") {
    enum { MANY = 100 };
    md_sim *s = open_sim(order);
    start(s, MANY);
    for (uint32_t p = 1; p <= MANY; p++)
      md_sim_sleep(s, p, p % 10 == 0 ? 9 : 7);
    for (uint32_t p = 1; p <= MANY - 10; p++) { /* 90 are due at 7 */
      uint32_t whom = p + (p - 1) / 9;
      EXPECT(md_sim_hasten(s, whom));
      EXPECT(md_sim_hasten(s, whom)); /* twice is once */
      EXPECT(next(s) == whom && md_sim_now(s) == 7);
    }
    EXPECT(next(s) != 0 && md_sim_now(s) == 9);
    close_sim(s);
  }
  IT("one that waits for nothing in time is not") {
    md_sim *s = open_sim(order);
    start(s, 2);
    md_sim_wait(s, 1, MD_WAIT_MESSAGE, -1, 0);
    md_sim_sleep(s, 2, 5);
    EXPECT(md_sim_hasten(s, 1) && next(s) == 2 && next(s) == 0);
    close_sim(s);
  }
  IT("one that is due now is hastened, woken for another reason as well") {
    md_sim *s = open_sim(order);
    start(s, 3);
    for (uint32_t p = 1; p <= 3; p++) md_sim_wait(s, p, MD_WAIT_MESSAGE, 5, 0);
    EXPECT(md_sim_hasten(s, 3));
    md_sim_wake(s, 3, MD_WHY_MESSAGE); /* and waits again */
    EXPECT(next(s) == 3 && md_sim_now(s) == 0);
    md_sim_wait(s, 3, MD_WAIT_MESSAGE, 5, 0);
    EXPECT(md_sim_hasten(s, 2) && next(s) == 2 && md_sim_now(s) == 5);
    EXPECT(md_sim_hasten(s, 3) && next(s) == 3 && next(s) == 1);
    EXPECT(next(s) == 0);
    close_sim(s);
  }
}

static void claim_timers(md_order order) {
  IT("timers are found, and hastened") {
    enum { MANY = 50 };
    md_sim *s = open_sim(order);
    md_event event;
    for (uint64_t i = 1; i <= MANY; i++)
      md_sim_at(s, 5, 0, (uint64_t[3]){i, 0, 0}, 0);
    for (uint64_t i = 1; i <= MANY; i++) {
      const md_timer *timer = NULL;
      uint64_t left = 0, wanted = i * 7 % (MANY + 1); /* each of them once */
      while ((timer = md_sim_timer_after(s, timer)) != NULL) {
        left++;
        if (timer->words[0] == wanted) EXPECT(md_sim_hasten_timer(s, timer));
      }
      EXPECT(left == MANY + 1 - i);
      EXPECT(md_sim_next(s, &event) == MD_NEXT_TIMER);
      EXPECT(event.words[0] == wanted && md_sim_now(s) == 5);
    }
    EXPECT(md_sim_timer_after(s, NULL) == NULL && next(s) == 0);
    close_sim(s);
  }
  IT("they tell the order in which they were made, under \"random\"") {
    md_sim *s = open_sim(order);
    const md_timer *timer = NULL;
    uint64_t made = 0, words[3] = {0, 0, 0};
    for (int i = 0; i < 20; i++) md_sim_at(s, 5, 0, words, 0);
    while ((timer = md_sim_timer_after(s, timer)) != NULL) {
      EXPECT(timer->made >= made);
      made = timer->made + 1;
    }
    close_sim(s);
  }
}

static void claim_watch(void) {
  IT("who waits for the end of one waits for that of another") {
    md_sim *s = open_sim(MD_FIFO);
    start(s, 3);
    md_sim_wait(s, 1, MD_WAIT_REPLY, -1, 1);
    md_sim_watch(s, 1, 3);
    md_sim_end(s, 2, false);
    EXPECT(next(s) == 0);
    md_sim_end(s, 3, false);
    EXPECT(next(s) == 1 && md_sim_proc(s, 1)->why == MD_WHY_END);
    close_sim(s);
  }
}

static void claim_memory(void) {
  IT("what is ahead is hastened without memory") {
    md_sim *s = open_sim(MD_FIFO);
    uint32_t n = 0;
    start(s, 200);
    for (uint32_t p = 1; p <= 200; p++) md_sim_sleep(s, p, 5);
    for (uint32_t p = 1; p <= 200; p++) {
      md_arena_fail_at(arena, md_arena_count(arena) + 1);
      EXPECT(md_sim_hasten(s, p));
    }
    md_arena_fail_at(arena, 0);
    while (next(s) != 0) n++;
    EXPECT(n == 200);
    close_sim(s);
  }
  IT("what is due now may be refused it, and nothing is lost") {
    md_sim *s = open_sim(MD_FIFO);
    uint32_t refused = 0, n = 0;
    for (uint32_t p = 1; p <= 200; p++) md_sim_spawn(s, md_sim_now(s), 0, 0);
    for (uint32_t p = 1; p <= 200; p++) {
      md_arena_fail_at(arena, md_arena_count(arena) + 1);
      refused += !md_sim_hasten(s, p);
    }
    md_arena_fail_at(arena, 0);
    while (next(s) != 0) n++;
    EXPECT(n == 200 && refused > 0);
    close_sim(s);
  }
}

int main(void) {
  arena = md_arena_open(0);
  for (int i = 0; i < 3; i++) {
    claim_processes(orders[i]);
    claim_timers(orders[i]);
  }
  claim_watch();
  claim_memory();
  md_arena_close(arena);
  return check_done("hasten");
}
