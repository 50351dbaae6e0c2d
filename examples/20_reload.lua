-- New code for a model that runs. A till counts what it takes; at time 2 its
-- text is changed, and read again by md.reload. The process, the variable that
-- holds a function, and what the functions had captured go on as they are.
local md = require "moondial"

local path = os.tmpname()

local function write(text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

-- A module would be a file beside the script, and md.reload "till".
local text = [[
local md = require "moondial"
local till, taken = {}, 0

function till.price() return 10 end

function till.serve()
  taken = taken + till.price()
  print(md.now(), "taken so far: " .. taken)
end

function till.run()
  while true do
    md.sleep(1)
    till.serve()
  end
end

return till
]]
write(text)
local till = dofile(path)
local price = till.price
md.spawn({ name = "till" }, till.run)
md.run(2)

local dearer = [[return 10 + till.tip() end

function till.tip() return 2 end]]
write((text:gsub("return 10 end", dearer)))
local list = md.reload(path)
for _, what in ipairs { "replaced", "added", "kept", "active" } do
  for _, it in ipairs(list[what]) do
    local changed = it.changed == nil and "" or it.changed and ", changed" or ""
    print("", what .. ": " .. it.name .. changed)
  end
end
print("", "the price is " .. price())
md.run(4)
os.remove(path)

--[[ output
1.0	taken so far: 10
2.0	taken so far: 20
	replaced: till.price, changed
	replaced: till.serve
	replaced: till.run
	added: till.tip
	active: till.run
	the price is 12
3.0	taken so far: 32
4.0	taken so far: 44
]]
