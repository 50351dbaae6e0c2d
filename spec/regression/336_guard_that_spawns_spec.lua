-- A guard may change nothing, but it could spawn, and plan callbacks: as often
-- as a message was compared.
local md = require "moondial"

describe("a guard", function()
  local function tried(f, ...)
    local args, ok, err = { ... }, nil, nil
    md.spawn(function()
      md.send(md.self(), "a")
      ok, err = pcall(md.select, function()
        f(table.unpack(args))
        return true
      end)
    end)
    md.run()
    assert.is_false(ok)
    assert.equal("usage", err.kind)
    return err.message
  end

  it("neither spawns nor plans anything", function()
    local text = "a guard only looks at a message, and must change nothing"
    assert.matches("spawn: " .. text, tried(md.spawn, print))
    assert.matches("child: " .. text, tried(md.child, print))
    assert.matches("after: " .. text, tried(md.after, 1, print))
    assert.matches("at: " .. text, tried(md.at, 1, print))
    assert.same({}, md.processes())
    assert.is_nil(md.peek())
  end)
end)
