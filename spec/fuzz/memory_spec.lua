-- Want of memory at every place: the program says so and ends, or goes on as
-- if nothing had been; it never crashes and never hangs.
local long = (os.getenv "MOONDIAL_LONG" or "") ~= ""
local model = "spec/fuzz/memory_model.lua"

-- More than the allocations of the model, in any build.
local LAST = 3200

-- The programs to try: the one under test, and the build that lets bugs out.
local function programs()
  local found = { os.getenv "MOONDIAL" or "build/moondial" }
  local hostile = "build/hostile/moondial"
  local file = io.open(hostile)
  if file then
    file:close()
    if found[1] ~= hostile then
      found[2] = hostile
    end
  end
  return found
end

-- Runs the program with the option at first, first + step .. last, and prints
-- each value at which it neither did what it does without nor said that there
-- is no memory.
local script = [[
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  %s %s %d >"$folder/good" 2>&1 || echo "without the option: status $?"
  for n in $(seq %d %d %d); do
    timeout 60 %s --%s ${n}%s %s %d >"$folder/out" 2>"$folder/err"
    status=$?
    case $status in
      0) cmp -s "$folder/good" "$folder/out" && continue ;;
      1) grep -q 'out of memory' "$folder/err" && continue ;;
    esac
    echo "$n: status $status, $(head -n 1 "$folder/err")"
  done | head -n 20
]]

local function survives(program, option, unit, size, first, step, last)
  local text = script:format(
    program,
    model,
    size,
    first,
    step,
    last,
    program,
    option,
    unit,
    model,
    size
  )
  local pipe = assert(io.popen(text))
  local wrong = pipe:read "a"
  pipe:close()
  assert(wrong == "", program .. " --" .. option .. "\n" .. wrong)
end

describe("a model without enough memory", function()
  for _, program in ipairs(programs()) do
    it("ends well whichever allocation fails, in " .. program, function()
      local step = long and 1 or 7
      survives(program, "fail-allocation", "", 100, 1, step, LAST)
    end)

    it("ends well under any limit, in " .. program, function()
      local step = long and 64 or 1024
      survives(program, "memory", "k", 10000, 1024, step, 65536)
    end)
  end
end)
