-- --out: the records of a run as CSV, JSON lines or an SQLite database.
local support = require "spec.host.support"
local run = support.run

local model = [[
local md = require "moondial"
md.spawn({name = "clerk, 1"}, function()
  md.log("served", {wait = 0.1, note = 'say "hi"'})
  md.sleep(2.5)
  md.log("served", {wait = 3, last = true})
end)
]]

local other = [[
md.log("arrived", {n = 7})
]]

-- Rows of an SQL query, by the command or by Python; nil when neither is here.
local function query(path, sql)
  local commands = {
    ('sqlite3 %s "%s" 2>/dev/null'):format(path, sql),
    (
      'python3 -c "import sqlite3; '
      .. "[print('|'.join('' if v is None else str(v) for v in r)) "
      .. "for r in sqlite3.connect('%s').execute('''%s''')]\" 2>/dev/null"
    ):format(path, sql),
  }
  for _, command in ipairs(commands) do
    local pipe = io.popen(command)
    local text = pipe:read "a"
    if pipe:close() then
      return text
    end
  end
end

describe("--out file.csv", function()
  it("has a line of names, then one a record, as in RFC 4180 (0.18)", function()
    local got = run(model, { options = "--out run.csv", read = { "run.csv" } })
    assert.equal(0, got.status)
    assert.equal("", got.err)
    assert.equal(
      "time,process,note,wait,last\r\n"
        .. '0,"clerk, 1","say ""hi""",0.1,\r\n'
        .. '2.5,"clerk, 1",,3,true\r\n',
      got.files["run.csv"]
    )
  end)

  it("writes one file a table when there are several", function()
    local got = run(model .. other, {
      options = "--out run.csv",
      read = { "run-served.csv", "run-arrived.csv" },
    })
    assert.equal("time,process,n\r\n0,,7\r\n", got.files["run-arrived.csv"])
    assert.matches(
      "^time,process,note,wait,last\r\n",
      got.files["run-served.csv"]
    )
  end)
end)

describe("--out file.jsonl", function()
  it("writes one object a record, with its table (0.18)", function()
    local got = run(
      model .. other,
      { options = "--out=run.jsonl", read = { "run.jsonl" } }
    )
    assert.equal(0, got.status)
    local lines = {}
    for line in got.files["run.jsonl"]:gmatch "[^\n]+" do
      lines[#lines + 1] = line
    end
    assert.equal(3, #lines)
    for _, line in ipairs(lines) do
      assert.matches("^{.*}$", line)
    end
    local text = got.files["run.jsonl"]
    assert.is_truthy(text:find('"note":"say \\"hi\\""', 1, true))
    assert.is_truthy(text:find('"last":true', 1, true))
  end)
end)

describe("--out file.db", function()
  it("writes one table a name", function()
    local folder = io.popen("mktemp -d"):read "l"
    local path = folder .. "/run.db"
    local got = run(model .. other, { options = "--out " .. path })
    assert.equal(0, got.status)
    local rows = query(path, "select time, process, wait from served")
    local names = query(path, "select n from arrived")
    os.execute("rm -rf " .. folder)
    if rows == nil then
      pending "neither sqlite3 nor Python's module is here"
      return
    end
    assert.matches("^0[.0]*|clerk, 1|0.1\n2.5|clerk, 1|3[.0]*\n$", rows)
    assert.equal("7\n", names)
  end)
end)

describe("what was recorded", function()
  it("is written when the model fails", function()
    local got = run(
      model .. "md.run() error 'late'",
      { options = "--out run.csv", read = { "run.csv" } }
    )
    assert.equal(1, got.status)
    assert.matches("\n2.5,", got.files["run.csv"])
  end)

  it("is written by os.exit, whose status it keeps", function()
    local got = run(model .. [[
md.spawn(function() md.sleep(1) os.exit(7) end)
]], { options = "--out run.csv", read = { "run.csv" } })
    assert.equal(7, got.status)
    assert.equal(
      "time,process,note,wait\r\n" .. '0,"clerk, 1","say ""hi""",0.1\r\n',
      got.files["run.csv"]
    )
  end)

  it("of a run without records is an empty file", function()
    local got = run("", { options = "--out run.csv", read = { "run.csv" } })
    assert.equal(0, got.status)
    assert.is_string(got.files["run.csv"])
  end)
end)

describe("a file that cannot be", function()
  it("is a usage error before the run: an unknown ending", function()
    for _, name in ipairs { "run.xlsx", "run", ".hidden", "a.b/run" } do
      local got = run("print 'ran'", { options = "--out " .. name })
      assert.equal(2, got.status)
      assert.equal("", got.out)
      assert.equal(
        "moondial: cannot write "
          .. name
          .. ": its ending names "
          .. "no known format: use .csv, .jsonl, .db, .sqlite or .sqlite3\n",
        got.err
      )
    end
  end)

  it("is a usage error before the run: no such folder", function()
    local got = run("print 'ran'", { options = "--out missing/run.db" })
    assert.equal(2, got.status)
    assert.equal("", got.out)
    assert.equal(
      "moondial: cannot write missing/run.db: No such file or "
        .. "directory: make the folder first or choose another\n",
      got.err
    )
  end)
end)
