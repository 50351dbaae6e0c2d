-- What is needed to build is declared in one file, and one command installs.
local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1; echo $?"))
  local text, status = pipe:read("a"):match "^(.-)(%d+)\n$"
  pipe:close()
  return text, tonumber(status)
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

describe("the installation", function()
  it("is one command, and what it installs runs alone (0.1)", function()
    local folder = run("mktemp -d"):match "[^\n]+"
    local text, status = run("make -s install PREFIX=/p DESTDIR=" .. folder)
    assert.equal(0, status, text)
    local program = folder .. "/p/bin/moondial"
    local said, ended = run("cd / && env -i " .. program .. " version")
    run("rm -r '" .. folder .. "'")
    assert.equal(0, ended)
    assert.matches("^moondial %d+%.%d+", said)
  end)

  it("has its packages declared in one file (0.1)", function()
    local packages = read("scripts/deps"):match "\nbuild='([^']+)'"
    for _, package in ipairs { "gcc", "make", "liblua5.4-dev" } do
      assert.is_truthy((packages .. " "):find(package .. " ", 1, true))
    end
    assert.matches("\ndemo:.-\n\t@scripts/deps build\n", read "Makefile")
  end)

  it("comes with documentation, a package, examples (1.10)", function()
    local program = os.getenv "MOONDIAL" or "build/moondial"
    local help, status = run(program .. " help")
    assert.equal(0, status)
    assert.matches("templates", help)
    for _, path in ipairs { "README.md", "CHANGELOG.md", "LICENSE" } do
      assert.is_true(#read(path) > 0)
    end
    local list = read "examples/README.md"
    for path in run("ls examples/*.lua"):gmatch "examples/([^\n]+)" do
      assert.is_truthy(list:find(path, 1, true), path .. " is not on the list")
    end
  end)
end)
