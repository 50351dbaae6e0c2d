-- The help is whole: each thing that a model can call has an entry, which says
-- what it is called in its first line, and whose example can be pasted.
local md = require "moondial"
local support = require "spec.host.support"

-- What `moondial WORDS` prints, on both ways out, and its status.
local function command(words)
  local line = support.program .. " " .. words .. " 2>&1; echo $?"
  local pipe = assert(io.popen(line))
  local said, status = pipe:read("a"):match "^(.-)(%d+)\n$"
  pipe:close()
  return said, tonumber(status)
end

local function help(topic)
  return command("help '" .. topic .. "'")
end

local function keys(t)
  local names = {}
  for name, value in pairs(t) do
    if type(value) ~= "table" then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

-- Some modules are read when they are asked for.
assert(md.dispatcher and md.queue and md.server and md.supervisor)
assert(md.template)
assert(md.reload)

-- Each name that help must know, as help calls it.
local function all_names()
  local names = {}
  local function add(prefix, t)
    for _, name in ipairs(keys(t)) do
      names[#names + 1] = prefix .. name
    end
  end
  assert.is_function(md.scope) -- read when it is asked for
  local timer = md.after(0, print)
  timer:cancel()
  add("", md)
  add("is.", md.is)
  add("rng:", getmetatable(md.rng "any").__index)
  add("timer:", getmetatable(timer).__index)
  add("coroutine.", coroutine)
  add("queue:", getmetatable(md.queue()).__index)
  add("stats.", md.stats)
  for _, name in ipairs {
    "scope:spawn",
    "scope:join",
    "scope:cancel",
    "pcall",
    "xpcall",
    "load",
    "loadfile",
    "dofile",
    "os.exit",
    "math.random",
    "math.randomseed",
    "server:handle",
    "server:otherwise",
    "server:every",
    "server:spawn",
    "server:launch",
    "server:serve",
    "tally:add",
    "tally:merge",
    "tally:reset",
    "tally:confidence",
    "tally:plot",
    "level:set",
    "level:add",
    "level:reset",
    "level:plot",
    "histogram:add",
    "histogram:bin",
    "histogram:quantile",
    "histogram:plot",
    "quantiles:add",
    "quantiles:quantile",
    "quantiles:plot",
    "batch_means:add",
    "batch_means:confidence",
    "batch_means:plot",
    "template:create",
    "instance:start",
    "instance:push",
    "instance:pull",
    "instance:join",
    "instance:replay",
  } do
    names[#names + 1] = name
  end
  return names
end

local topics = {
  "time",
  "processes",
  "links",
  "messages",
  "servers",
  "supervisors",
  "events",
  "resources",
  "templates",
  "simpy",
  "chance",
  "records",
  "stats",
  "sims",
  "trace",
  "reload",
  "lua",
  "patterns",
  "order",
  "errors",
  "determinism",
  "command",
}

-- The first line, and the next while it ends with a comma.
local function signature(text)
  local head = ""
  for line in text:gmatch "[^\n]+" do
    head = head .. line
    if not line:find ",$" then
      return head
    end
  end
end

local function check_width(text)
  for line in text:gmatch "[^\n]+" do
    assert.is_true(utf8.len(line) <= 80, "more than 80 columns: " .. line)
  end
end

describe("help (0.19)", function()
  for _, name in ipairs(all_names()) do
    it("has an entry on " .. name, function()
      local text, status = help("md." .. name)
      assert.equal(0, status)
      local head = " " .. signature(text):gsub("[%s({,]", " ") .. " "
      assert.is_truthy(head:find(" " .. name .. " ", 1, true), text)
      local _, lines = text:gsub("\n", "")
      assert.is_true(lines >= 3 and lines <= 14, text)
      check_width(text)
    end)
  end

  it("has every function of md as one of a sim's", function()
    local sim = md.sim()
    for _, name in ipairs(keys(md)) do
      assert.equal(type(md[name]), type(sim[name]))
    end
  end)

  for _, topic in ipairs(topics) do
    it("has a page on " .. topic, function()
      local text, status = help(topic)
      assert.equal(0, status)
      assert.equal(topic .. ": ", text:sub(1, #topic + 2))
      check_width(text)
    end)
  end

  it("lists the topics in their order, and every name", function()
    local text, status = command "help"
    assert.equal(0, status)
    check_width(text)
    local at = 1
    for _, topic in ipairs(topics) do
      at = assert(text:find("\n  " .. topic .. " ", at, true), topic)
    end
    local listed = " " .. text:gsub("\n", " ") .. " "
    for _, name in ipairs(all_names()) do
      assert.is_truthy(listed:find(" " .. name .. " ", 1, true), name)
    end
  end)

  it("knows a method by its last word, and a page beside a function", function()
    assert.equal((help "rng:normal"), (help "normal"))
    assert.matches("^processes: .*\nprocesses%(%) %->", (help "processes"))
    assert.matches("^processes%(%)", (help "md.processes"))
  end)

  it("has the options on the page of the command", function()
    assert.matches("\n  %-%-seed +n +seed of", (help "command"))
  end)

  it("names the nearest of an unknown topic, and ends with 2", function()
    for wrong, right in pairs {
      slep = "sleep",
      ["md.spwan"] = "spawn",
      normla = "normal",
      determinsm = "determinism",
    } do
      local text, status = help(wrong)
      assert.equal(2, status)
      assert.is_truthy(text:find("did you mean '" .. right .. "'?", 1, true))
    end
  end)
end)

describe("md.help", function()
  it("prints what the command does", function()
    for _, topic in ipairs { "sleep", "order", "md.receive" } do
      local got = support.run(("require 'moondial'.help '%s'"):format(topic))
      assert.equal((help(topic)), got.out)
    end
    assert.equal((command "help"), support.run("require 'moondial'.help()").out)
    local got = support.run "require 'moondial'.current():help 'sleep'"
    assert.equal((help "sleep"), got.out)
  end)

  it("raises usage for what it does not know", function()
    local ok, err = pcall(md.help, "slep")
    assert.same({ false, "usage" }, { ok, err.kind })
    assert.is_truthy(err.message:find("did you mean 'sleep'?", 1, true))
    ok, err = pcall(md.help, 7)
    assert.same({ false, "usage" }, { ok, err.kind })
  end)
end)

-- Examples that end the program, or print by themselves.
local apart = { ["os.exit"] = true, help = true }

-- Of these, each in a program of its own: the whole program is their matter.
local programs =
  { save = true, checkpoint = true, rewind = true, branch = true }

-- Examples of what acts on a sim from outside of its processes.
local outside = {
  run = true,
  step = true,
  stop = true,
  ["instance:join"] = true,
  ["instance:replay"] = true,
}

local function run_example(name, text)
  local environment = setmetatable(
    { print = function() end, md = md },
    { __index = _G }
  )
  local chunk = assert(load(text, "=example", "t", environment))
  if outside[name] then
    environment.t = md.template { entrypoint = md.wait }
    return chunk()
  end
  local sim = md.sim()
  sim:spawn(function()
    local pid = md.spawn(function()
      while true do
        local _, _, from, ref = pcall(md.wait) -- one example interrupts it
        if ref then
          md.reply(from, ref, "fine")
        end
      end
    end)
    environment.pid, environment.from, environment.ref = pid, pid, md.ref()
    environment.s, environment.q = md.server(), md.queue()
    environment.t = md.template { entrypoint = md.wait }
    environment.p = environment.t:create("go"):start()
    environment.c = name == "spawn_native" and require "spec.native.bodies"
    chunk()
  end)
  sim:run(100)
end

describe("the examples of help", function()
  for _, name in ipairs(all_names()) do
    if not apart[name] then
      it("can be pasted: " .. name, function()
        local example = help("md." .. name):match "\n  ([^\n]+)\n$"
        assert.is_truthy(example, "there is none")
        if programs[name] then
          local text = 'local md = require "moondial"\n' .. example
          local run = support.run(text)
          assert.equal("", run.err)
        else
          run_example(name, example)
        end
      end)
    end
  end
end)
