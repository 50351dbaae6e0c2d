-- The README tells the truth: each of its models is put into model.lua, each
-- command shown with a `$` is run there, and what follows it in the README must
-- be what it prints, or the beginning of that.
local program = os.getenv "MOONDIAL" or "build/moondial"

local function output_of(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read "a"
  pipe:close()
  return text
end

-- A list of {kind=, text=}, one for each block between fences.
local function blocks_of(path)
  local blocks, block = {}, nil
  for line in io.lines(path) do
    local fence = line:match "^```(.*)$"
    if fence and block then
      block = nil
    elseif fence then
      block = { kind = fence, text = "" }
      blocks[#blocks + 1] = block
    elseif block then
      block.text = block.text .. line .. "\n"
    end
  end
  return blocks
end

describe("the README", function()
  local folder, absolute

  setup(function()
    folder = output_of("mktemp -d"):match "[^\n]+"
    local here = output_of("pwd"):match "[^\n]+"
    absolute = program:match "^/" and program or here .. "/" .. program
  end)

  teardown(function()
    os.execute("rm -r '" .. folder .. "'")
  end)

  local function write(text)
    local file = assert(io.open(folder .. "/model.lua", "w"))
    file:write(text)
    file:close()
  end

  local function compare(command, shown)
    local run = command:gsub("^build/moondial", absolute)
    local came = output_of(("cd '%s' && %s"):format(folder, run))
    came = came:gsub("\r\n", "\n") -- lines of .csv end so
    assert.equal(shown, came:sub(1, #shown))
  end

  -- The commands of a block with what they print, one after the other.
  local function check(text)
    local command, shown
    for line in text:gmatch "([^\n]*)\n" do
      local following = line:match "^%$ (.*)$"
      if following then
        if command then
          compare(command, shown)
        end
        command, shown = following, ""
      else
        shown = shown .. line .. "\n"
      end
    end
    compare(command, shown)
  end

  local model, number = nil, 0
  for _, block in ipairs(blocks_of "README.md") do
    if block.kind == "lua" then
      model, number = block.text, number + 1
    elseif block.kind == "text" then
      local source, first = model, block.text:match "[^\n]*"
      it(("shows what model %d prints: %s"):format(number, first), function()
        write(source)
        check(block.text)
      end)
    elseif block.kind == "mermaid" then
      local source = model
      it("shows the chart of model " .. number, function()
        write(source)
        compare("build/moondial trace model.lua --format mmd -o -", block.text)
      end)
    end
  end

  it("has a fair number of models", function()
    assert.is_true(number > 8)
  end)

  it("names files that are there", function()
    local text = ""
    for line in io.lines "README.md" do
      text = text .. line .. "\n"
    end
    for _, name in ipairs { "src", "examples", "spec", "scripts" } do
      for path in text:gmatch("`(" .. name .. "/[%w_./]+)`") do
        local file = io.open(path)
        assert.is_truthy(file, path .. " is not there")
        file:close()
      end
    end
  end)
end)
