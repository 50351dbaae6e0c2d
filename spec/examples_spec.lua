-- Every example ends in its transcript:
--
--     --[[ output of ARGUMENTS
--     what it prints
--     ]]
--
-- (" of ARGUMENTS" only where it takes some). With ", resumed" behind them, the
-- argument is the path of an image, which is resumed after the run: the
-- transcript has a line for that, and what the resumed program prints. Each is
-- run in two processes, and both must print the transcript, byte for byte.
-- One that can do without a library of C says so where that is missing, and
-- nothing else: it is skipped then, and anything else that it prints is wrong.
local ffi = require "moondial.ffi"

local program = os.getenv "MOONDIAL" or "build/moondial"
local log = "../shared/data/NASA-iPSC-1993-3.1-cln.swf.gz"

-- What a command prints, on both channels, and its exit status.
local function output_of(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read "a"
  local _, _, status = pipe:close()
  return text, status
end

local function run(example, arguments)
  return output_of(program .. " " .. example .. " " .. (arguments or ""))
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

local function exists(path)
  local file = io.open(path)
  return file ~= nil and file:close()
end

-- The arguments and the transcript of an example.
local function transcript_of(example)
  local pattern = "\n%-%-%[%[ output([^\n]*)\n(.-)%]%]\n$"
  local arguments, transcript = read(example):match(pattern)
  assert(transcript, example .. " does not end in its transcript")
  arguments = arguments:match "^ of (.+)$" or ""
  return (arguments:gsub(", resumed$", "")), transcript, arguments:match ", re"
end

-- What an example prints, and what its image does, if it is to be resumed.
local function story_of(example, arguments, resumed)
  local text, status = run(example, arguments)
  if resumed and status == 0 then
    local more
    more, status = run("resume", arguments)
    text = text .. "$ moondial resume " .. arguments .. "\n" .. more
    os.remove(arguments)
  end
  return text, status
end

-- The library that an example can do without, as ffi.load names it.
local function library_of(example)
  return read(example):match 'pcall%(ffi%.load, "([^"]+)"%)'
end

local function says_that_it_is_missing(text, status)
  local said = "^%S+ is not installed here, so there is nothing to show\n$"
  assert.matches(said, text)
  assert.equal(0, status)
end

local function is_skipped(example)
  local library = library_of(example)
  if not library or pcall(ffi.load, library) then
    return false
  end
  says_that_it_is_missing(run(example))
  pending(example .. " is skipped: no library " .. library)
  return true
end

local function log_is_there()
  if exists(log) then
    return true
  end
  pending("the log is not there: " .. log)
end

describe("examples", function()
  for example in output_of("ls examples/*.lua"):gmatch "[^\n]+" do
    it(example .. " prints its transcript, twice", function()
      local arguments, transcript, resumed = transcript_of(example)
      if arguments:find(log, 1, true) and not log_is_there() then
        return
      end
      if is_skipped(example) then
        return
      end
      for _ = 1, 2 do
        local text, status = story_of(example, arguments, resumed)
        assert.equal(transcript, text)
        assert.equal(0, status)
      end
    end)
  end

  it("say so and no more where a library is missing", function()
    local tried = 0
    for example in output_of("ls examples/*.lua"):gmatch "[^\n]+" do
      local library = library_of(example)
      if library then
        local path = os.tmpname()
        local file = assert(io.open(path, "w"))
        local loads = ('ffi.load, "%s"'):format(library)
        file:write((read(example):gsub(loads, 'ffi.load, "of-nobody"')))
        file:close()
        local text, status = run(path)
        os.remove(path)
        says_that_it_is_missing(text, status)
        tried = tried + 1
      end
    end
    assert.is_true(tried > 0)
  end)

  it("say on top what they show, in at most 80 columns", function()
    for example in output_of("ls examples/*.lua"):gmatch "[^\n]+" do
      local text = read(example)
      assert.truthy(text:match "^%-%- %u", example)
      for line in text:gmatch "[^\n]*" do
        assert.is_true((utf8.len(line) or 81) <= 80, example .. ": " .. line)
      end
    end
  end)
end)

describe("the cluster", function()
  local example = "examples/cluster.lua"

  local function mean_wait(arguments)
    local text = run(example, arguments)
    return text:match "mean wait +([%d.]+) s" or text
  end

  it("waits as long as is known for the log as it is", function()
    if not log_is_there() then
      return
    end
    assert.equal("8.004660", mean_wait(log))
  end)

  it("waits as long as is known at 0.7 of the submit times", function()
    if not log_is_there() then
      return
    end
    assert.equal("14985.412144", mean_wait(log .. " 0.7"))
  end)

  -- Runs it on a log with these lines.
  local function with_log(lines, arguments)
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(lines)
    file:close()
    local text, status = run(example, path .. " " .. (arguments or ""))
    os.remove(path)
    text = text:gsub(path, "LOG", 1)
    return text, status
  end

  local function refuses(expected, text, status)
    assert.equal("moondial: cluster: " .. expected, text:match "[^\n]*")
    assert.equal(1, status)
  end

  it("holds up those behind the first in the queue", function()
    -- the second job waits for all nodes, and the third does not pass it
    local jobs = "1 0 -1 10 3\n2 1 -1 5 4\n3 2 -1 1 1\n"
    local text, status = with_log("; MaxNodes: 4\n" .. jobs)
    assert.truthy(text:find("3 jobs on 4 nodes, 0 left out", 1, true))
    assert.truthy(text:find "mean wait +7.333333 s") -- 0, 9 and 13
    assert.truthy(text:find "last job ends +16.000000 s")
    assert.equal(0, status)
  end)

  it("leaves out jobs of unknown length or size", function()
    local jobs = "1 0 -1 -1 3\n2 0 -1 5 -1\n3 0 -1 5 1\n"
    local text = with_log(jobs, "1 2")
    assert.truthy(text:find("1 jobs on 2 nodes, 2 left out", 1, true))
  end)

  it("says what it expects without an argument", function()
    refuses(
      "expected a log, as in cluster.lua log.swf[.gz] [factor] [nodes]",
      run(example)
    )
  end)

  it("says which file is missing", function()
    refuses(
      "cannot read the log: missing.swf.gz: No such file or directory",
      run(example, "missing.swf.gz")
    )
  end)

  it("shows a malformed line and its number", function()
    refuses(
      "'LOG', line 3: expected the numbers of a job, got '2 1 -1 x 2'",
      with_log "; MaxNodes: 4\n1 0 -1 5 2\n2 1 -1 x 2\n"
    )
  end)

  it("refuses a log that is out of order", function()
    refuses(
      "'LOG', line 2: submitted before the job above it; sort the log first",
      with_log("1 5 -1 5 2\n2 1 -1 5 2\n", "1 4")
    )
  end)

  it("refuses an empty log", function()
    refuses("'LOG' holds no jobs", with_log "; MaxNodes: 4\n")
  end)

  it("refuses a job that can never run", function()
    refuses("job 1 wants 5 nodes of 4", with_log("1 0 -1 5 5\n", "1 4"))
  end)

  it("asks for the number of nodes when nobody says it", function()
    refuses(
      "the log does not say how many nodes there are; add their number",
      with_log "1 0 -1 5 5\n"
    )
  end)

  it("refuses a factor or a number of nodes that is none", function()
    local job = "1 0 -1 5 5\n"
    refuses("expected a positive number as factor, got 'x'", with_log(job, "x"))
    refuses("expected a positive number as factor, got '0'", with_log(job, "0"))
    refuses("expected a number of nodes, got '1.5'", with_log(job, "1 1.5"))
  end)
end)
