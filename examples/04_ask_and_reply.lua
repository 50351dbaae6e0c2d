-- A server. md.ask sends a request and waits for the reply to that very
-- request; the server finds who asked and a ref, which is never given twice,
-- before the arguments, and hands both to md.reply. Here a library lends each
-- book to one reader at a time; who asks first for a book is served first.
local md = require "moondial"

local function library(books)
  local lent = {}
  while true do
    local request, from, ref, title = md.wait(md.is.string)
    if request == "return" then
      lent[title] = nil
      md.reply(from, ref, "thank you")
    elseif not books[title] then
      md.reply(from, ref, nil, "we never had it")
    elseif lent[title] then
      md.reply(from, ref, nil, "come back at " .. lent[title])
    else
      lent[title] = md.now() + 14
      md.reply(from, ref, books[title])
    end
  end
end

local desk = md.spawn(library, { dune = 412, emma = 474 })

local function reader(name, title)
  local pages, reason = md.ask(desk, "borrow", title)
  print(md.now(), name, title, pages or reason)
  if not pages then
    return
  end
  md.sleep(pages / 100)
  local answer = md.ask(desk, "return", title)
  print(md.now(), name, title, answer)
end

md.spawn(reader, "anna", "dune")
md.spawn({ after = 1 }, reader, "ben", "emma")
md.spawn({ after = 2 }, reader, "carl", "dune")
md.spawn({ at = 3 }, reader, "dora", "ulysses")
md.spawn({ at = 5 }, reader, "carl", "dune")

md.run()

--[[ output
0.0	anna	dune	412
1.0	ben	emma	474
2.0	carl	dune	come back at 14.0
3.0	dora	ulysses	we never had it
4.12	anna	dune	thank you
5.0	carl	dune	412
5.74	ben	emma	thank you
9.12	carl	dune	thank you
]]
