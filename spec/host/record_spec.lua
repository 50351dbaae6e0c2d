-- Records: log, recorder, and reading them back.
local md = require "moondial"

local function field_names(row)
  local names = {}
  for name in pairs(row) do
    names[#names + 1] = name
  end
  table.sort(names)
  return table.concat(names, " ")
end

describe("log", function()
  it("keeps the time, the process and the fields (0.18)", function()
    local sim = md.sim()
    sim:log("start", { note = "from the script" })
    sim:spawn({ name = "clerk" }, function()
      md.sleep(1.5)
      md.log("served", { wait = 0.5, count = 3, last = true, who = "x" })
    end)
    sim:spawn(function()
      md.log("served")
    end)
    sim:run()
    assert.same(
      { { time = 0.0, note = "from the script" } },
      sim:records "start"
    )
    assert.same({
      { time = 0.0, process = "process 2" },
      {
        time = 1.5,
        process = "clerk",
        wait = 0.5,
        count = 3,
        last = true,
        who = "x",
      },
    }, sim:records "served")
    assert.same({ "start", "served" }, sim:records())
  end)

  it("keeps integers integers, floats floats, texts whole", function()
    local sim = md.sim()
    local text = 'zero \0, tab \t, quote ", ' .. ("long "):rep(100)
    sim:log("r", { i = 2 ^ 53 | 0, f = 2.0, huge = math.huge, text = text })
    local row = sim:records("r")[1]
    assert.equal("integer", math.type(row.i))
    assert.equal("float", math.type(row.f))
    assert.equal(math.huge, row.huge)
    assert.equal(text, row.text)
  end)

  it("takes other fields, and other kinds, in every record", function()
    local sim = md.sim()
    sim:log("r", { a = 1 })
    sim:log("r", { b = "two" })
    sim:log("r", { a = "one", b = false })
    local rows = sim:records "r"
    assert.same({
      { time = 0.0, a = 1 },
      { time = 0.0, b = "two" },
      { time = 0.0, a = "one", b = false },
    }, rows)
    assert.equal("a b time", field_names(rows[3]))
  end)

  it("shows a pid and a ref as they print", function()
    local sim = md.sim()
    local pid, ref = sim:spawn(md.yield), sim:ref()
    sim:log("r", { pid = pid, ref = ref })
    assert.same(
      { { time = 0.0, pid = tostring(pid), ref = tostring(ref) } },
      sim:records "r"
    )
  end)

  it("leaves the run as it is", function()
    local function hash(record)
      local sim = md.sim()
      for i = 1, 3 do
        sim:spawn(function()
          md.sleep(i)
          if record then
            md.log("r", { x = md.now() })
          end
        end)
      end
      sim:run()
      return sim:hash()
    end
    assert.equal(hash(false), hash(true))
  end)

  it("keeps the records of sims apart", function()
    local a, b = md.sim(), md.sim()
    a:log("r", { x = 1 })
    assert.same({}, b:records "r")
    assert.same({}, b:records())
  end)

  it("refuses what is no record", function()
    local function said(...)
      local ok, err = pcall(md.log, ...)
      assert.is_false(ok)
      assert.equal("usage", err.kind)
      return err.message:match "log: .*$"
    end
    assert.equal(
      "log: expected the name of the record as argument 1, got 3",
      said(3)
    )
    assert.equal(
      "log: expected a table of fields as argument 2, got 1.5; "
        .. 'md.log("served", {wait = w})',
      said("served", 1.5)
    )
    assert.equal(
      "log: expected named fields, {wait = 1.5}, got the key 1",
      said("served", { 1.5 })
    )
    assert.equal(
      "log: expected a number, a string or a boolean as 'wait', "
        .. "got a table",
      said("served", { wait = {} })
    )
    local many = {}
    for i = 1, 65 do
      many["f" .. i] = i
    end
    assert.equal(
      "log: a record has at most 64 fields, got 65",
      said("served", many)
    )
    assert.same({}, md.current():records "served")
  end)
end)

describe("a recorder", function()
  it("records the same as log, by column", function()
    local sim = md.sim()
    sim:spawn({ name = "clerk" }, function()
      local record = md.recorder("served", { "wait", "queue" })
      record(0.5, 3)
      md.sleep(1)
      record(nil, 4)
      record(2.5)
      record()
    end)
    sim:run()
    assert.same({
      { time = 0.0, process = "clerk", wait = 0.5, queue = 3 },
      { time = 1.0, process = "clerk", queue = 4 },
      { time = 1.0, process = "clerk", wait = 2.5 },
      { time = 1.0, process = "clerk" },
    }, sim:records "served")
  end)

  it("serves several processes, and adds to what log has begun", function()
    local sim = md.sim()
    sim:log("r", { b = 1 })
    local record = sim:recorder("r", { "a", "b" })
    for i = 1, 2 do
      sim:spawn({ name = "p" .. i }, record, i, "x")
    end
    sim:run()
    assert.same({
      { time = 0.0, b = 1 },
      { time = 0.0, process = "p1", a = 1, b = "x" },
      { time = 0.0, process = "p2", a = 2, b = "x" },
    }, sim:records "r")
  end)

  it("keeps 100 000 rows", function()
    local sim = md.sim()
    local record = sim:recorder("r", { "i", "x", "odd" })
    for i = 1, 100000 do
      record(i, i / 7, i % 2 == 1)
    end
    local rows = sim:records "r"
    assert.equal(100000, #rows)
    for i, row in ipairs(rows) do
      assert(row.i == i and row.x == i / 7 and row.odd == (i % 2 == 1))
    end
  end)

  it("refuses columns and values that are none", function()
    local function said(f, ...)
      local ok, err = pcall(f, ...)
      assert.is_false(ok)
      return err.message:match "recorder: .*$"
    end
    assert.equal(
      "recorder: expected a list of 1 to 64 column names as "
        .. 'argument 2, got nil; md.recorder("served", {"wait"})',
      said(md.recorder, "r")
    )
    assert.equal(
      "recorder: expected a string as name of column 2, got 5",
      said(md.recorder, "r", { "a", 5 })
    )
    local record = md.sim():recorder("r", { "a", "b" })
    assert.equal(
      "recorder: it has 2 columns, got 3 values",
      said(record, 1, 2, 3)
    )
    assert.equal(
      "recorder: expected a number, a string or a boolean as "
        .. "'2', got a table",
      said(record, 1, {})
    )
  end)
end)
