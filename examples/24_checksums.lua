-- Checksums of zlib, by moondial.ffi: packets with a checksum cross a line that
-- now and then turns a bit, and are sent again until they arrive whole.
local md = require "moondial"
local ffi = require "moondial.ffi"

ffi.cdef "unsigned long crc32(unsigned long, const unsigned char *, unsigned);"
local there, zlib = pcall(ffi.load, "z")
if not there then
  print "zlib is not installed here, so there is nothing to show"
  return
end

local function checksum(text)
  return zlib.crc32(0, text, #text)
end

local rng = md.rng "line"

-- What arrives: one text in four has a bit turned.
local function line(text)
  if rng:uniform(0, 1) >= 0.25 then
    return text
  end
  local bytes = ffi.new("uint8_t[?]", #text, text)
  local i = rng:integer(0, #text - 1)
  bytes[i] = bytes[i] ~ 1 << rng:integer(0, 7)
  return ffi.string(bytes, #text)
end

local receiver = md.spawn({ name = "receiver" }, function()
  while true do
    local from, ref, text, sum = md.wait "packet"
    local whole = checksum(text) == sum
    md.reply(from, ref, whole)
    print(
      md.now(),
      text,
      ("%08x"):format(checksum(text)),
      whole and "good" or "bad"
    )
  end
end)

md.spawn({ name = "sender" }, function()
  for i = 1, 4 do
    local text = ("packet %d"):format(i)
    repeat
      md.sleep(1)
    until md.ask(receiver, "packet", line(text), checksum(text))
  end
end)
md.run()

--[[ output
1.0	packet 1	1f6bd125	good
2.0	packet 2	8662809f	good
3.0	packet 3	f165b009	good
4.0	paaket 4	22c984a1	bad
5.0	packet 4	6f0125aa	good
]]
