-- A server that is worth it is written in C: the same M/M/1 queue once with its
-- server and its arrivals in Lua and once in C. They draw the same numbers and
-- send the same messages, so that even the traces are the same.
local md = require "moondial"
local ffi = require "moondial.ffi"

local load, customers = 0.9, 100000

local c = ffi.compile [[
#include <moondial.h>

/* arguments: the mean time of a service, how many to serve */
struct server { md_stream *stream; int64_t left; double came, total; };

void server(md_process *p) {
  struct server *s = (struct server *)md_memory(p, sizeof *s);
  MD_BEGIN(p);
  s->stream = md_stream_of(p, "service");
  s->left = md_get_integer(p, p->arguments, 1);
  for (; s->left > 0; s->left--) {
    MD_RECEIVE(p, md_tag_of("customer"), MD_ANYBODY);
    s->came = md_get_number(p, p->message, 1);
    MD_SLEEP(p, md_exponential(p, s->stream,
                               md_get_number(p, p->arguments, 0)));
    s->total += md_now(p) - s->came;
  }
  md_results(p, MD_VALUES(md_number(s->total)));
  MD_END(p);
}

/* arguments: the mean time between two, how many come, to whom */
void arrivals(md_process *p) {
  int64_t *left = (int64_t *)md_memory(p, sizeof *left);
  MD_BEGIN(p);
  *left = md_get_integer(p, p->arguments, 1);
  for (; *left > 0; --*left) {
    MD_SLEEP(p, md_exponential(p, md_stream_of(p, "arrivals"),
                               md_get_number(p, p->arguments, 0)));
    MD_SEND(p, md_get_pid(p, p->arguments, 2), md_text("customer"),
            md_number(md_now(p)));
  }
  MD_END(p);
}
]]

local lua = {}

function lua.server(mean, n)
  local rng, total = md.rng "service", 0
  for _ = 1, n do
    local came = md.wait "customer"
    md.sleep(rng:exponential(mean))
    total = total + md.now() - came
  end
  return total
end

function lua.arrivals(mean, n, server)
  local rng = md.rng "arrivals"
  for _ = 1, n do
    md.sleep(rng:exponential(mean))
    md.send(server, "customer", md.now())
  end
end

local function run(name, made)
  local sim, total = md.sim { seed = 7 }, nil
  local server = sim:spawn({ name = "server" }, made.server, load, customers)
  sim:spawn({ name = "arrivals" }, made.arrivals, 1, customers, server)
  sim:spawn(function()
    total = md.join(server)
  end)
  local _, time = sim:run()
  print(
    ("%-3s %.4f in the system, at %.3f"):format(name, total / customers, time)
  )
  return sim:hash()
end

print("the same trace:", run("Lua", lua) == run("C", c))
print(("theory %.4f"):format(load / (1 - load)))

--[[ output
Lua 9.2707 in the system, at 100022.037
C   9.2707 in the system, at 100022.037
the same trace:	true
theory 9.0000
]]
