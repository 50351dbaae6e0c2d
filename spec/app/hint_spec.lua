-- A name that Lua has not found is answered with the one that was meant.
local prompt = require "spec.app.prompt"
local support = require "spec.host.support"

-- The two first lines of what a model says that fails with such a name.
local function said(text)
  local result = support.run('local md = require "moondial"\n' .. text)
  assert.equal(1, result.status)
  return result.err:match "^moondial: model.lua:%d+: ([^\n]*)\n([^\n]*)"
end

describe("a name that Lua does not find", function()
  local meant = {
    ["md.slep(1)"] = { "md.sleep", "sleep" },
    ["sleep(1)"] = { "md.sleep", "sleep" },
    ["md.Resource()"] = { "md.resource", "resource" },
    ["md.sim{}:spwan(print)"] = { "md.spawn", "spawn" },
    ["string.exponental(1)"] = { "rng:exponential", "exponential" },
    ["md.process(print)"] = { "md.spawn", "spawn" },
    ["md.Environment()"] = { "md.sim", "sim" },
    ["string.taly()"] = { "md.stats.tally", "tally" },
  }
  for code, name in pairs(meant) do
    it("is answered: " .. code, function()
      local text, next_line = said(code)
      assert.matches("attempt to call a nil value", text)
      assert.equal(
        ("  did you mean %s? moondial help %s tells of it"):format(
          name[1],
          name[2]
        ),
        next_line
      )
    end)
  end

  it("may be md, before all else", function()
    local result = support.run "md.sleep(1)"
    assert.matches("'md'%)\n  begin with: local md = ", result.err)
  end)

  it("is left alone when nothing is like it", function()
    local _, next_line = said "local t = {} t.foo()"
    assert.equal("stack traceback:", next_line)
    _, next_line = said "print(md.sleep.x)"
    assert.equal("stack traceback:", next_line)
  end)

  it("is answered before the place, in a process", function()
    local _, next_line = said "md.spawn(function() md.slep(1) end) md.run()"
    assert.matches("^  did you mean md.sleep", next_line)
  end)

  it("may be a command", function()
    local result = support.run("", { options = "runn", name = "runn.lua" })
    assert.equal(1, result.status)
    assert.equal(
      "moondial: cannot open 'runn': No such file or directory\n"
        .. "  did you mean moondial run? moondial help lists all\n",
      result.err
    )
    result = support.run("", { options = "bank" })
    assert.equal(
      "moondial: cannot open 'bank': No such file or directory\n",
      result.err
    )
  end)

  it("is answered at the prompt, too", function()
    local out = prompt.try({ "md.slep(1)" }, "")
    assert.truthy(
      out:find("did you mean md.sleep? :help sleep tells of it", 1, true)
    )
  end)
end)
