// The workloads in SystemC: stackful threads that are switched in C++.
//
//     g++ -std=c++17 -O2 systemc.cpp -o systemc -lsystemc
//     systemc WORKLOAD [N]
//
// A unit of model time is a millisecond here, at the kernel's own resolution
// of a picosecond.
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <unistd.h>
#include <systemc>

using namespace sc_core;

static const long CUSTOMERS = 1000000;

static sc_time units(double time) {
  return sc_time(time, SC_MS);
}
static double now() {
  return sc_time_stamp().to_seconds() * 1e3;
}

static double exponential(double mean) {
  static uint64_t state = 88172645463325252u;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return -std::log(((state >> 11) + 1) * 0x1p-53) * mean;
}

static double seconds() {
  auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

// Bytes of memory that the program holds now.
static double resident() {
  long total = 0, pages = 0;
  FILE *statm = fopen("/proc/self/statm", "r");
  if (statm == nullptr || fscanf(statm, "%ld %ld", &total, &pages) != 2)
    abort();
  fclose(statm);
  return (double)pages * sysconf(_SC_PAGESIZE);
}

// A module of one thread. Modules are never freed: the program leaves by
// _exit, so that taking 10 000 threads down is not timed or waited for.
SC_MODULE(process) {
  std::function<void()> body;
  void run() {
    body();
  }
  process(sc_module_name, std::function<void()> fn) : body(std::move(fn)) {
    SC_HAS_PROCESS(process);
    SC_THREAD(run);
  }
};

static void spawn(std::function<void()> body) {
  new process(sc_gen_unique_name("process"), std::move(body));
}

struct result {
  long count;
  double wall;
  std::string notes;
};

static result timed(long count, std::function<void()> work) {
  double start = seconds();
  work();
  return {count, seconds() - start, ""};
}

static result hold(long n) {
  const long events = 2000000;
  if (n == 0) n = 1000;
  for (long i = 0; i < n; i++)
    spawn([] {
      for (;;) wait(units(exponential(1.0)));
    });
  sc_start(units(1e-6)); // everyone has started and sleeps
  return timed(events, [=] { sc_start(units((double)events / n)); });
}

static result queue_by_server(long) {
  static double total = 0;
  static sc_fifo<double> queue("queue", CUSTOMERS);
  spawn([] {
    for (long i = 0; i < CUSTOMERS; i++) {
      wait(units(exponential(1 / 0.9)));
      queue.write(now());
    }
  });
  spawn([] {
    for (long i = 0; i < CUSTOMERS; i++) {
      double arrived = queue.read();
      wait(units(exponential(1.0)));
      total += now() - arrived;
    }
  });
  result r = timed(CUSTOMERS, [] { sc_start(); });
  r.notes = " mean=" + std::to_string(total / CUSTOMERS);
  return r;
}

static result ask_reply(long) {
  const long turns = 1000000;
  static sc_fifo<int> requests("requests", 16), replies("replies", 16);
  spawn([=] {
    for (long i = 0; i < turns; i++) {
      requests.write(1);
      replies.read();
    }
  });
  spawn([] {
    for (;;) replies.write(requests.read());
  });
  return timed(2 * turns, [] { sc_start(); });
}

static result ring(long) {
  const int size = 1000, hops = 1000000;
  static sc_fifo<int> *inbox[size];
  for (auto &box : inbox) box = new sc_fifo<int>(sc_gen_unique_name("box"), 4);
  for (int i = 0; i < size; i++)
    spawn([=] {
      while (int token = inbox[i]->read())
        inbox[(i + 1) % size]->write(token - 1);
    });
  sc_start(units(0.5));
  inbox[0]->nb_write(hops);
  return timed(hops, [] { sc_start(); });
}

static result alive(long n) {
  if (n == 0) n = 10000;
  double before = resident(), bytes = 0;
  result r = timed(n, [&] {
    for (long i = 0; i < n; i++)
      spawn([] { wait(units(1 + exponential(1.0))); });
    sc_start(units(1e-6));
    bytes = (resident() - before) / n;
    sc_start();
  });
  r.notes = " bytes=" + std::to_string(std::lround(bytes));
  return r;
}

int sc_main(int argc, char **argv) {
  static const std::map<std::string, result (*)(long)> workloads = {
      {"W1", hold},  {"W2s", queue_by_server},
      {"W3", hold},  {"W4p", ask_reply},
      {"W4r", ring}, {"W5", alive}};
  sc_report_handler::set_actions(SC_INFO, SC_DO_NOTHING);
  std::string name = argc > 1 ? argv[1] : "W1";
  if (name == "version") return puts("SystemC " SC_VERSION) < 0;
  result r = workloads.at(name)(argc > 2 ? atol(argv[2]) : 0);
  printf("RES w=%s n=%ld rate=%.0f%s\n", name.c_str(), r.count,
         r.count / r.wall, r.notes.c_str());
  fflush(stdout);
  _exit(0);
}
