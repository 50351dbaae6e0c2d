-- The prompt made its sim before the type of sims was known, where no model had
-- asked for the library: :stats and md.current() were of no use there.
local prompt = require "spec.app.prompt"

describe("a prompt without a model", function()
  it("has a sim like any other", function()
    local out, status = prompt.try({
      "md.spawn({ name = 'clock' }, md.sleep, 5)",
      ":run +1",
      ":stats",
      "md.current()",
      "md.current():now()",
    }, "")
    assert.equal(0, status)
    prompt.has(out, "unfinished: 1 (0 waiting, 1 sleeping, 0 ready or running)")
    prompt.has(out, "1> md.current()\n<sim at 1>\n")
    prompt.has(out, "1> md.current():now()\n1.0\n")
    assert.is_nil(out:find("failed", 1, true))
  end)
end)
