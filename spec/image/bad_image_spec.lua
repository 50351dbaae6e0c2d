-- Images that are none, or not whole, or not to be trusted: each is refused
-- with one clear sentence and exit status 1, and none of them crashes. What can
-- be tried in one process, each byte of the header, say, is in image_spec.c.
local image = require "spec.image.support"

local long = (os.getenv "MOONDIAL_LONG" or "") ~= ""

local model = [[
  local md = require "moondial"
  local t = {}
  for i = 1, 300 do t[i] = { i, tostring(i) } end
  local f = io.open("data", "w") f:write "data" f:flush()
  md.spawn(function()
    md.sleep(1)
    if md.save "run.mdi" == "resumed" then print(#t) end
  end)]]

local random = 20
local function choose(most)
  random = random * 6364136223846793005 + 1442695040888963407
  return (random >> 33) % most + 1
end

-- In a folder with run.mdi, and its bytes.
local function with(fn)
  return image.folder(function(f)
    f:write("model.lua", model)
    assert.equal(0, f:run("model.lua").status)
    return fn(f, f:read "run.mdi")
  end)
end

-- Is refused, in one sentence that says the file's name.
local function refused(f, pattern, path, before, options)
  path = path or "run.mdi"
  local run = f:run(("resume %s %s"):format(options or "", path), before)
  assert.truthy(run.err:find(pattern), run.err)
  assert.truthy(run.err:find("^moondial: [^\n]+\n$"), run.err)
  assert.truthy(run.err:find(path, 1, true), run.err)
  assert.equal("", run.out)
  assert.equal(1, run.status)
end

local function flip(bytes, at, bit)
  local byte = bytes:byte(at) ~ (1 << bit)
  return bytes:sub(1, at - 1) .. string.char(byte) .. bytes:sub(at + 1)
end

describe("an image is refused", function()
  it("when it is missing", function()
    with(function(f)
      refused(f, "cannot open the image none.mdi: No such file", "none.mdi")
      refused(f, "cannot open the image .-: Not a directory", "run.mdi/x")
    end)
  end)

  it("when it is something else", function()
    with(function(f)
      refused(f, "is no image; md.save and .- make them", "model.lua")
      f:write("empty", "")
      refused(f, "is no image", "empty")
      f:write("short", "moondial image")
      refused(f, "is no image", "short")
      refused(f, "is no image", (f.program:gsub("'", "")))
    end)
  end)

  it("when it is cut off", function()
    with(function(f, bytes)
      local lengths = { 16, 17, 255, 256, 300, 4095, 4096, 4097, #bytes - 1 }
      for _ = 1, 20 do
        lengths[#lengths + 1] = 15 + choose(#bytes - 16)
      end
      for _, n in ipairs(lengths) do
        f:write("run.mdi", bytes:sub(1, n))
        local pattern = ("cut off: it has %d of %%d+ bytes; take"):format(n)
        refused(f, pattern)
        refused(f, pattern, nil, nil, "--lazy")
      end
    end)
  end)

  it("when a byte of it is another", function()
    with(function(f, bytes)
      for at = 1, 400, 13 do
        f:write("run.mdi", flip(bytes, at, choose(8) - 1))
        local pattern = at <= 16 and "is no image"
          or at <= 24 and "is an image of format %d+, and this moondial knows"
          or "is damaged; take another"
        refused(f, at > 32 and at <= 48 and "damaged" or pattern)
      end
      for _ = 1, 40 do
        f:write("run.mdi", flip(bytes, 4096 + choose(#bytes - 4096), 3))
        refused(f, "is damaged; take another image")
      end
    end)
  end)

  it("when it is of another build", function()
    with(function(f, bytes)
      local path = f.program:gsub("'", "")
      local file = assert(io.open(path, "rb"))
      local program = file:read "a"
      file:close()
      -- a note of 20 bytes, of type 3, by GNU: the linker's build id
      local _, at = program:find("\4\0\0\0\20\0\0\0\3\0\0\0GNU\0", 1, true)
      f:write("other", flip(program, at + 1, 0))
      f:shell "chmod +x other"
      assert.equal(1, f:shell "./other resume run.mdi 2>.err")
      local said = "run.mdi was saved by another build of moondial; resume it"
      assert.truthy(f:read(".err"):find(said, 1, true))
      assert.equal(0, f:shell "./other model.lua && ./other resume run.mdi >o")
      refused(f, said)
      assert.is_false(bytes == f:read "run.mdi")
    end)
  end)

  it("when others could have written it", function()
    with(function(f)
      for _, rights in ipairs { "620", "602", "666", "777" } do
        f:shell("chmod " .. rights .. " run.mdi")
        refused(f, "others may write to run.mdi, .*: chmod go%-w it if you")
      end
      f:shell "chmod 644 run.mdi"
      assert.equal(0, f:run("resume run.mdi").status)
    end)
  end)

  it("when another user owns it, and taken when root does", function()
    with(function(f)
      if f:shell "chown 12345 run.mdi 2>.err" ~= 0 then
        return pending "only root can give a file away"
      end
      refused(f, "run.mdi belongs to another user; .*: copy it if you trust")
      f:shell "cp run.mdi mine.mdi"
      assert.equal("300\n", f:run("resume mine.mdi").out)
    end)
  end)

  it("when it may not be read", function()
    with(function(f)
      if f:says("id -u") == "0\n" then
        return -- root may read anything
      end
      f:shell "chmod 200 run.mdi"
      refused(f, "cannot open the image run.mdi: Permission denied")
    end)
  end)

  it("when it is no regular file", function()
    with(function(f)
      f:shell "mkfifo pipe; mkdir dir; ln -s /dev/null link; ln -s run.mdi ok"
      local names = { "pipe", "dir", "link", "/dev/null", "/dev/zero" }
      for _, name in ipairs(names) do
        refused(f, "is no regular file, and an image is one", name)
      end
      assert.equal("300\n", f:run("resume ok").out)
    end)
  end)

  it("when there is too little memory for it", function()
    with(function(f)
      f:write(
        "big.lua",
        [[
        local md = require "moondial"
        local t = {}
        for i = 1, 100 do t[i] = ("x"):rep(5e5 + i) end
        print(md.save "run.mdi")]]
      )
      f:run "big.lua"
      local sanitized = f.program:find("asan", 1, true) -- which needs far more
      if not sanitized then
        local little = "ulimit -v 60000;"
        refused(f, "cannot reserve memory for run.mdi", nil, little)
        local run = f:run("resume run.mdi", "ulimit -v 200000;")
        assert.equal("resumed\n", run.out, run.err)
      end
      refused(
        f,
        "run.mdi needs %d+ bytes, and %-%-memory allows 10485760",
        nil,
        nil,
        "--memory 10M"
      )
    end)
  end)

  it("before anything is done: files and output stay", function()
    with(function(f, bytes)
      f:write("data", "data, and more")
      f:write("out.csv", "old")
      f:write("run.mdi", flip(bytes, #bytes - 5, 1))
      refused(f, "is damaged", nil, nil, "--out out.csv --trace t.txt")
      assert.equal("data, and more", f:read "data")
      assert.equal("old", f:read "out.csv")
      assert.is_false(f:exists "t.txt")
    end)
  end)

  it("without an argument, as a wrong command line", function()
    with(function(f)
      local run = f:run "resume"
      assert.equal(2, run.status)
      assert.truthy(run.err:find "^moondial: no image is given")
    end)
  end)
end)

describe("a random image", function()
  -- One to eight changes of any kind; nil when nothing has changed.
  local function mutate(bytes)
    local whole = bytes
    for _ = 1, 2 ^ (choose(4) - 1) do
      local kind, at = choose(6), choose(choose(2) == 1 and 600 or #bytes)
      if kind == 1 then
        bytes = bytes:sub(1, at)
      elseif kind == 2 then
        bytes = bytes:sub(1, at)
          .. ("\0"):rep(choose(5000))
          .. bytes:sub(at + 1)
      elseif kind == 3 then
        bytes = bytes:sub(1, at) .. bytes:sub(at + choose(5000))
      elseif kind == 4 then
        local n = choose(16)
        bytes = bytes:sub(1, at) .. ("\255"):rep(n) .. bytes:sub(at + n + 1)
      elseif at <= #bytes then
        bytes = flip(bytes, at, choose(8) - 1)
      end
    end
    return bytes ~= whole and bytes:sub(1, #whole) ~= whole and bytes or nil
  end

  local count = long and 20000 or 600
  it("is refused: " .. count .. " of them", function()
    with(function(f, whole)
      local names, made = {}, 0
      while made < count do
        local bytes = mutate(whole)
        if bytes then
          made = made + 1
          names[#names + 1] = made .. ".mdi"
          f:write(names[#names], bytes)
        end
        if #names == 100 then
          f:shell(
            (
              "for i in *.mdi; do test $i = run.mdi && continue; "
              .. "%s resume $i >>.out 2>>.err; echo $? >>.status; rm $i; done"
            ):format(f.program)
          )
          names = {}
        end
      end
      local _, lines = f:read(".err"):gsub("moondial: [^\n]+%.mdi[^\n]+\n", "")
      assert.equal(made, lines)
      assert.equal("", f:read(".out"))
      assert.equal(("1\n"):rep(made), f:read ".status")
      for line in f:read(".err"):gmatch "[^\n]+" do
        assert.truthy(
          line:find "is no image"
            or line:find "is damaged"
            or line:find "is cut off"
            or line:find "knows format 1",
          line
        )
      end
    end)
  end)
end)
