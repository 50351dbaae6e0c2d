// The workloads in SIM.JS: callbacks on node, no stacks to switch.
//
//     NODE_PATH=build/node_modules node simjs.js WORKLOAD [N]
"use strict";

const fs = require("fs");

// SIM.JS is made for browsers: it hangs itself from the window.
globalThis.window = {};
require("simjs");
const { Sim, Entity, Facility } = globalThis.window.Sim;

const CUSTOMERS = 1e6;
const FOREVER = 1e12;

const exponential = (mean) => -Math.log(1 - Math.random()) * mean;
const seconds = () => Number(process.hrtime.bigint()) / 1e9;

// Bytes of memory that the program holds now.
const resident = () =>
  Number(fs.readFileSync("/proc/self/statm", "utf8").split(" ")[1]) * 4096;

function timed(sim, until = FOREVER) {
  const start = seconds();
  sim.simulate(until);
  return seconds() - start;
}

function hold(n = 1000, events = 2e6) {
  const sim = new Sim();
  class Sleeper extends Entity {
    start() {
      this.setTimer(exponential(1)).done(this.start, this);
    }
  }
  for (let i = 0; i < n; i++) sim.addEntity(Sleeper);
  return { count: events, wall: timed(sim, events / n) };
}

// M/M/1: a customer is a callback that uses the facility.
function queueByCustomer() {
  const sim = new Sim();
  const server = new Facility("server");
  let left = CUSTOMERS;
  let total = 0;
  class Source extends Entity {
    start() {
      if (left-- === 0) return;
      this.setTimer(exponential(1 / 0.9)).done(this.arrive, this);
    }
    arrive() {
      const arrived = this.time();
      this.useFacility(server, exponential(1)).done(() => {
        total += this.time() - arrived;
      });
      this.start();
    }
  }
  sim.addEntity(Source);
  const wall = timed(sim);
  return { count: CUSTOMERS, wall, notes: ` mean=${total / CUSTOMERS}` };
}

function askReply(turns = 1e6) {
  const sim = new Sim();
  let left = turns;
  class Server extends Entity {
    start() {}
    onMessage(sender, message) {
      this.send(message, 0, sender);
    }
  }
  const server = sim.addEntity(Server);
  class Client extends Entity {
    start() {
      this.setTimer(0.001).done(this.onMessage, this);
    }
    onMessage() {
      if (left-- > 0) this.send(left, 0, server);
    }
  }
  sim.addEntity(Client);
  return { count: 2 * turns, wall: timed(sim) };
}

function ring(size = 1000, hops = 1e6) {
  const sim = new Sim();
  const nodes = [];
  class Node extends Entity {
    start(i) {
      this.following = (i + 1) % size;
      if (i === 0) this.setTimer(0.5).done(this.onMessage, this, [null, hops]);
    }
    onMessage(sender, token) {
      if (token > 0) this.send(token - 1, 0, nodes[this.following]);
    }
  }
  for (let i = 0; i < size; i++) nodes.push(sim.addEntity(Node, null, i));
  return { count: hops, wall: timed(sim) };
}

function alive(n = 1e6) {
  const sim = new Sim();
  class Sleeper extends Entity {
    start() {
      this.setTimer(1 + exponential(1)).done(() => {});
    }
  }
  const before = resident();
  const start = seconds();
  for (let i = 0; i < n; i++) sim.addEntity(Sleeper);
  const bytes = Math.round((resident() - before) / n);
  sim.simulate(FOREVER);
  return { count: n, wall: seconds() - start, notes: ` bytes=${bytes}` };
}

const workloads = {
  W1: hold,
  W2p: queueByCustomer,
  W3: hold,
  W4p: askReply,
  W4r: ring,
  W5: alive,
};
const [name, ...sizes] = process.argv.slice(2);
const { count, wall, notes = "" } = workloads[name](...sizes.map(Number));
const rate = Math.round(count / wall);
console.log(`RES w=${name} n=${count} rate=${rate}${notes}`);
