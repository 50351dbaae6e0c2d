-- Loading: the model, its modules, and texts; never bytecode.
local run = require("spec.host.support").run

describe("a model that cannot be loaded", function()
  local function refused(text, said, options)
    local got = run(text, options)
    assert.equal(said, got.err)
    assert.equal("", got.out)
    assert.equal(1, got.status)
  end

  it("has a syntax error: the file, the line, what is near", function()
    refused(
      "local md = 1\nlocal x = = 2\n",
      "moondial: model.lua:2: unexpected symbol near '='\n"
    )
    refused(
      "#!/usr/bin/env moondial\nif",
      "moondial: model.lua:2: unexpected " .. "symbol near <eof>\n"
    )
  end)

  it("is missing", function()
    refused(
      "",
      "moondial: cannot open 'missing.lua': No such file or " .. "directory\n",
      { options = "missing.lua" }
    )
  end)

  it("is a folder", function()
    refused(
      "",
      "moondial: cannot read '.': is it a folder?\n",
      { options = "." }
    )
  end)

  it("is bytecode", function()
    refused(
      string.dump(function() end),
      "moondial: 'model.lua' is bytecode, "
        .. "and only text is loaded; give the source instead\n"
    )
  end)
end)

describe("load, loadfile, dofile and require", function()
  it("take text alone", function()
    local got = run(
      [[
local code = string.dump(function() return 1 end)
print(load(code))
print(load(code, "x", "b"))
print(load(code, "x", "bt"))
print(loadfile "code.lua")
print(pcall(dofile, "code.lua"))
print((select(2, pcall(require, "code")):gsub("\n\t", " ")))
print(load("return 1 + 1")())
print(load "return 1 +")
]],
      { files = { ["code.lua"] = string.dump(function() end) } }
    )
    local module = "error loading module 'code': 'code.lua' is bytecode, and "
      .. "only text is loaded; give the source instead\n"
    assert.equal([[
nil	attempt to load a binary chunk (mode is 't')
nil	only text can be loaded, not bytecode (mode "t")
nil	attempt to load a binary chunk (mode is 't')
nil	'code.lua' is bytecode, and only text is loaded; give the source instead
]] .. [[
false	'code.lua' is bytecode, and only text is loaded; give the source instead
]] .. module .. [[
2
nil	[string "return 1 +"]:1: unexpected symbol near <eof>
]], got.out)
  end)

  it("find what lies beside the model, wherever that is", function()
    local got = run(
      [[print(require "part") print(dofile "part.lua")]],
      { under = "a/b", files = { ["part.lua"] = "return 1" } }
    )
    assert.matches("^1\t[^\n]*part.lua\n1\n$", got.out)
  end)
end)
