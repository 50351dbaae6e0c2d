-- What the library's own files say of themselves was listed by help, below the
-- topics, under the files' names; and md.reset_statistics stood there, too.
local support = require "spec.host.support"

local function help(topic)
  local pipe = assert(io.popen(support.program .. " help " .. topic .. " 2>&1"))
  local said = pipe:read "a"
  pipe:close()
  return said
end

describe("help", function()
  it("has no topic without a title", function()
    local seen = 0
    for name, rest in help(""):gmatch "\n  (%l+) +([^\n]*)" do
      if not name:match "^help$" then
        assert.is_true(#rest > 0, name)
        seen = seen + 1
      end
    end
    assert.is_true(seen > 20)
    for _, own in ipairs { "adder", "outside", "inboxes", "outline" } do
      assert.matches("there is no help on '" .. own .. "'", help(own))
    end
  end)

  it("has each function below its topic", function()
    assert.matches("reset_statistics%(", help "resources")
    assert.matches("^reset_statistics%(", help "reset_statistics")
  end)
end)
