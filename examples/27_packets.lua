-- Packets as C has them: a header of fixed layout before the data, in one
-- buffer, with methods; nodes send them on by their address, and count down the
-- hops that they have left.
local md = require "moondial"
local ffi = require "moondial.ffi"

ffi.cdef [[
  typedef struct __attribute__((packed)) {
    uint8_t version, hops;
    uint16_t length;
    union { uint32_t address; uint8_t part[4]; } from, to;
    char data[?];
  } packet;
]]

local packet = ffi.metatype("packet", {
  __index = {
    text = function(p)
      return ffi.string(p.data, p.length)
    end,
  },
  __tostring = function(p)
    local to = p.to.part
    return ("%d.%d.%d.%d %q"):format(to[3], to[2], to[1], to[0], p:text())
  end,
})

local function new(to, hops, text)
  local p = packet(#text, { version = 4, hops = hops, length = #text })
  p.to.address = to
  ffi.copy(p.data, text, #text)
  return p
end

local function node(name, routes)
  return md.spawn({ name = name }, function()
    while true do
      local p = md.wait "packet"
      md.sleep(ffi.sizeof(p) / 100)
      p.hops = p.hops - 1
      local next = routes[p.to.part[3]]
      if p.hops == 0 then
        print(md.now(), name .. " drops", p)
      elseif next then
        md.send(next, "packet", p)
      else
        print(md.now(), name .. " has", p)
      end
    end
  end)
end

local b = node("b", {})
local routes = { [10] = b }
local a = node("a", routes)
routes[99] = a -- a circle

print("header: " .. ffi.offsetof("packet", "data") .. " bytes")
md.send(a, "packet", new(0x0a000001, 8, "hello"))
md.send(a, "packet", new(0x63000001, 3, "round and round"))
print(md.run())

--[[ output
header: 12 bytes
0.34	b has	10.0.0.1 "hello"
0.98	a drops	99.0.0.1 "round and round"
idle	0.98
]]
