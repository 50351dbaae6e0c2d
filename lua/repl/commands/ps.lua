local inside = require "moondial.inside"
local md = require "moondial"
local show = require "repl.show"

local most <const> = 40

local function row_of(pid)
  local info = md.info(pid)
  return {
    tostring(pid):match "[%d.]+" or tostring(pid),
    info.name or "",
    info.status,
    tostring(md.inbox(pid)),
    info.waiting or "",
  }
end

return {
  name = "ps",
  usage = ":ps [part of a name]",
  help = [[The living processes: pid, name, status, what each waits for, how
many messages are in its inbox.
  :ps]],
  run = function(rest)
    local rows, left = {}, 0
    for _, pid in ipairs(md.processes()) do
      if rest == "" or inside.label(pid):find(rest, 1, true) then
        if #rows < most then
          rows[#rows + 1] = row_of(pid)
        else
          left = left + 1
        end
      end
    end
    if #rows == 0 then
      return print "no process lives"
    end
    local right = { true, false, false, true }
    show.table({ "pid", "name", "status", "inbox", "waits for" }, rows, right)
    if left > 0 then
      print(("... %d more; :ps NAME shows those of a name"):format(left))
    end
  end,
}
