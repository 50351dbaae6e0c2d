"""The workloads in SimPy 3: generators over an event heap, all in Python.

    simpy_bench.py WORKLOAD [N]

Not called simpy.py: the import below would find this file instead.
"""

import gc
import random
import sys
import time

import simpy

CUSTOMERS = 1_000_000


def exponential(mean):
    return random.expovariate(1.0 / mean)


def resident():
    """Bytes of memory that the program holds now."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


def timed(env, until=None):
    start = time.perf_counter()
    env.run(until)
    return time.perf_counter() - start


def hold(n=1000, events=2_000_000):
    env = simpy.Environment()

    def process():
        while True:
            yield env.timeout(exponential(1.0))

    for _ in range(n):
        env.process(process())
    env.run(until=1e-9)  # everyone has started and sleeps
    # Each of n processes wakes once a unit of time on average: counting them
    # would cost more than the 0.1 % by which the number may be off.
    return events, timed(env, until=events / n), {}


def queue_by_customer():
    """M/M/1, a process for each customer, a resource for the server."""
    env = simpy.Environment()
    server = simpy.Resource(env, 1)
    total = [0.0]

    def customer():
        arrived = env.now
        with server.request() as request:
            yield request
            yield env.timeout(exponential(1.0))
        total[0] += env.now - arrived

    def source():
        for _ in range(CUSTOMERS):
            yield env.timeout(exponential(1 / 0.9))
            env.process(customer())

    env.process(source())
    wall = timed(env)
    return CUSTOMERS, wall, {"mean": total[0] / CUSTOMERS}


def queue_by_server():
    """M/M/1, a process for the arrivals and one for the server."""
    env = simpy.Environment()
    queue = simpy.Store(env)
    total = [0.0]

    def source():
        for _ in range(CUSTOMERS):
            yield env.timeout(exponential(1 / 0.9))
            yield queue.put(env.now)

    def server():
        for _ in range(CUSTOMERS):
            arrived = yield queue.get()
            yield env.timeout(exponential(1.0))
            total[0] += env.now - arrived

    env.process(source())
    env.process(server())
    wall = timed(env)
    return CUSTOMERS, wall, {"mean": total[0] / CUSTOMERS}


def ask_reply(turns=1_000_000):
    env = simpy.Environment()
    replies, requests = simpy.Store(env), simpy.Store(env)

    def client():
        for turn in range(turns):
            yield requests.put((replies, turn))
            yield replies.get()

    def server():
        while True:
            client, turn = yield requests.get()
            yield client.put(turn)

    env.process(client())
    env.process(server())
    return 2 * turns, timed(env), {}


def ring(size=1000, hops=1_000_000):
    env = simpy.Environment()
    inbox = [simpy.Store(env) for _ in range(size)]

    def node(mine, following):
        while True:
            token = yield mine.get()
            if token == 0:
                return
            yield following.put(token - 1)

    for i in range(size):
        env.process(node(inbox[i], inbox[(i + 1) % size]))
    env.run(until=0.5)
    inbox[0].put(hops)
    return hops, timed(env), {}


def alive(n=1_000_000):
    """N processes at once, each sleeps once."""
    env = simpy.Environment()

    def process():
        yield env.timeout(exponential(1.0) + 1)

    gc.collect()
    before, start = resident(), time.perf_counter()
    for _ in range(n):
        env.process(process())
    env.run(until=1e-9)
    bytes_each = (resident() - before) / n
    env.run()
    return n, time.perf_counter() - start, {"bytes": bytes_each}


def churn(batches=1000, size=1000):
    env = simpy.Environment()

    def process():
        yield env.timeout(0.5)

    def spawner():
        for _ in range(batches):
            for _ in range(size):
                env.process(process())
            yield env.timeout(1.0)

    env.process(spawner())
    return batches * size, timed(env), {}


def select(turns=200, noise=10_000):
    """A store is the nearest thing to an inbox. Far fewer turns: the scan is
    Python's, and the rate doesn't depend on their number."""
    env = simpy.Environment()
    box = simpy.FilterStore(env)

    def fill():
        for i in range(noise):
            yield box.put(("noise", i))

    def process():
        for i in range(turns):
            yield box.put(("match", i))
            yield box.get(lambda message: message[0] == "match")

    env.process(fill())
    env.run()
    env.process(process())
    return turns, timed(env), {}


def resource(turns=10_000):
    """100 processes on a resource of 3: think, acquire, hold."""
    env = simpy.Environment()
    units = simpy.Resource(env, 3)

    def process():
        for _ in range(turns):
            yield env.timeout(exponential(1.0))
            with units.request() as request:
                yield request
                yield env.timeout(exponential(0.05))

    for _ in range(100):
        env.process(process())
    return 100 * turns, timed(env), {}


def combined(condition, n, first):
    """A process waits for n events at once, which happen one after the other:
    all, or the last."""
    env = simpy.Environment()
    times = max(100_000 // n, 1)

    def waiter(events):
        yield condition(env, events)

    def process():
        for _ in range(times):
            events = [env.event() for _ in range(n)]
            waits = env.process(waiter(events))
            yield env.timeout(0)
            for event in events[first:]:
                event.succeed()
            yield waits

    env.process(process())
    return n * times, timed(env), {}


def all_of(n):
    return combined(simpy.AllOf, n, 0)


def any_of(n):
    return combined(simpy.AnyOf, n, -1)


def waiters(n):
    """n processes wait for one event."""
    env = simpy.Environment()
    event = env.event()

    def waiter():
        yield event

    def process():
        for _ in range(n):
            env.process(waiter())
        yield env.timeout(1)
        event.succeed()

    env.process(process())
    return n, timed(env), {}


def priority_line(n):
    """n processes wait for a resource, each with a priority of its own."""
    env = simpy.Environment()
    units = simpy.PriorityResource(env, 1)

    def waiter(priority):
        with units.request(priority=priority) as request:
            yield request

    def process():
        with units.request(priority=0) as request:
            yield request
            for _ in range(n):
                env.process(waiter(random.randint(1, 1 << 30)))
            yield env.timeout(1)

    env.process(process())
    return n, timed(env), {}


WORKLOADS = {
    "W1": hold,
    "W2p": queue_by_customer,
    "W2s": queue_by_server,
    "W3": hold,
    "W4p": ask_reply,
    "W4r": ring,
    "W5": alive,
    "W5c": churn,
    "W2r": queue_by_customer,
    "W2ro": queue_by_customer,
    "W6": resource,
    "W6o": resource,
    "W7": select,
    "W10": all_of,
    "W10a": any_of,
    "W11": waiters,
    "W11p": priority_line,
}

random.seed(1)
name = sys.argv[1]
count, wall, extra = WORKLOADS[name](*map(int, sys.argv[2:]))
notes = "".join(f" {key}={value:.6g}" for key, value in extra.items())
print(f"RES w={name} n={count} rate={count / wall:.0f}{notes}")
