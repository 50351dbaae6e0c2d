-- A cluster with a batch queue, driven by a log of real jobs in the Standard
-- Workload Format:
--
--     build/moondial examples/cluster.lua log.swf[.gz] [factor] [nodes]
--
-- Jobs start in order of arrival, as soon as their nodes are free; the first in
-- the queue holds up those behind it (no backfilling). Submit times are
-- multiplied by the factor (1), so that 0.7 makes the cluster busier. The
-- number of nodes comes from the log's header (MaxProcs, MaxNodes) if it is not
-- given. Jobs whose run time or size the log does not know are left out.
--
-- Logs are found in the Parallel Workloads Archive of Dror Feitelson,
-- https://www.cs.huji.ac.il/labs/parallel/workload/. The results below are
-- those of its log NASA-iPSC-1993-3.1-cln: 18 239 jobs on the 128 nodes of the
-- iPSC/860 at NASA Ames in the last three months of 1993. Thanks to Bill
-- Nitzberg, who collected it, and to Dror Feitelson, who converted it and keeps
-- the archive.
local md = require "moondial"

local function fail(text)
  error("cluster: " .. text, 0)
end

-- The log -------------------------------------------------------------------

local function open_log(path)
  local file, reason = io.open(path, "r")
  if not file then
    fail("cannot read the log: " .. reason)
  end
  if not path:match "%.gz$" then
    return file
  end
  file:close()
  return io.popen("gzip -dc '" .. path:gsub("'", "'\\''") .. "'", "r")
end

-- Returns the fields of the header, and an iterator over the jobs, which gives
-- the number, the submit time, the run time and the nodes of each.
local function read_log(path)
  local file, header, number = open_log(path), {}, 0

  local function next_line()
    number = number + 1
    return file:read "l"
  end

  local line = next_line()
  while line and (line:match "^%s*;" or line:match "^%s*$") do
    local name, value = line:match "^%s*;%s*(%w+):%s*(.-)%s*$"
    if name then
      header[name] = value
    end
    line = next_line()
  end
  if not line then
    local whole = file:close()
    local what = whole and "' holds no jobs" or "' is no gzip file"
    fail("'" .. path .. what)
  end

  local last = 0
  local function next_job()
    while line and (line:match "^%s*;" or line:match "^%s*$") do
      line = next_line()
    end
    if not line then
      if not file:close() then
        fail("'" .. path .. "' is not whole")
      end
      return nil
    end
    local place = ("'%s', line %d: "):format(path, number)
    local job, submit, run, nodes =
      line:match "^%s*(%d+)%s+(%S+)%s+%S+%s+(%S+)%s+(%S+)"
    submit, run, nodes = tonumber(submit), tonumber(run), tonumber(nodes)
    if not (submit and run and nodes) then
      fail(place .. "expected the numbers of a job, got '" .. line .. "'")
    elseif submit < last then
      fail(place .. "submitted before the job above it; sort the log first")
    end
    last, line = submit, next_line()
    return job, submit, run, nodes
  end
  return header, next_job
end

-- The model -----------------------------------------------------------------

local results = { jobs = 0, unknown = 0, wait = 0, longest = 0, work = 0 }

-- Its inbox is the queue: the first request holds up the others until enough
-- nodes have come back.
local function scheduler(nodes)
  local free = nodes
  while true do
    local job, ref, wanted = md.wait "acquire"
    while free < wanted do
      free = free + md.wait "release"
    end
    free = free - wanted
    md.reply(job, ref)
  end
end

local function job(queue, nodes, run)
  local submitted = md.now()
  md.ask(queue, "acquire", nodes)
  local wait = md.now() - submitted
  results.wait = results.wait + wait
  results.longest = math.max(results.longest, wait)
  md.sleep(run)
  md.send(queue, "release", nodes)
  results.work = results.work + run * nodes
  results.finished = md.now()
end

local function arrivals(jobs, factor, nodes)
  local queue = md.spawn({ name = "scheduler" }, scheduler, nodes)
  for number, submit, run, wanted in jobs do
    if run < 0 or wanted < 1 then
      results.unknown = results.unknown + 1
    elseif wanted > nodes then
      fail(("job %s wants %g nodes of %d"):format(number, wanted, nodes))
    else
      md.sleep_until(submit * factor)
      md.spawn(job, queue, wanted, run)
      results.jobs = results.jobs + 1
    end
  end
end

-- The run -------------------------------------------------------------------

local path, factor_text, nodes_text = ...
if not path then
  fail "expected a log, as in cluster.lua log.swf[.gz] [factor] [nodes]"
end

local factor = tonumber(factor_text or 1)
if not factor or factor <= 0 then
  fail("expected a positive number as factor, got '" .. factor_text .. "'")
end

local header, jobs = read_log(path)
local nodes = nodes_text or header.MaxProcs or header.MaxNodes
if not nodes then
  fail "the log does not say how many nodes there are; add their number"
end
local count = math.tointeger(tonumber(nodes))
if not count or count < 1 then
  fail("expected a number of nodes, got '" .. nodes .. "'")
end

md.spawn({ name = "arrivals" }, arrivals, jobs, factor, count)
md.run()

local r = results
if r.jobs == 0 then
  fail("'" .. path .. "' holds no job that can be run")
end
print(("%d jobs on %d nodes, %d left out"):format(r.jobs, count, r.unknown))
print(("submit times times %g"):format(factor))
print(("mean wait       %15.6f s"):format(r.wait / r.jobs))
print(("longest wait    %15.6f s"):format(r.longest))
print(("last job ends   %15.6f s"):format(r.finished))
local share = 100 * r.work / (count * r.finished)
print(("nodes in use    %15.6f %%"):format(share))

--[[ output of ../shared/data/NASA-iPSC-1993-3.1-cln.swf.gz 0.7
18239 jobs on 128 nodes, 0 left out
submit times times 0.7
mean wait          14985.412144 s
longest wait       63886.600000 s
last job ends    5575529.800000 s
nodes in use          66.450806 %
]]
