local inside = require "moondial.inside"
local md = require "moondial"
local session = require "moondial.session"
local show = require "repl.show"

local most <const> = 40

local function row_of(pid)
  local info = md.info(pid)
  local since, following = session.turn(pid)
  local waits = info.waiting
  if following and waits then
    waits = ("%s, until %s"):format(waits, show.time(following))
  elseif following then
    waits = "time " .. show.time(following)
  elseif pid == session.going then
    waits = "stands still in the middle of its turn"
  end
  return {
    tostring(pid):match "[%d.]+" or tostring(pid),
    show.plain(info.name or ""),
    info.status,
    since and show.time(since) or "",
    tostring(md.inbox(pid)),
    waits or "",
  }
end

return {
  name = "ps",
  also = { "processes" },
  usage = ":ps [part of a name]",
  help = [[The living processes: pid, name, status, what each waits for, how
many messages are in its inbox, and since when it sleeps or waits.
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
      return print(
        rest == "" and "no process lives"
          or ("no living process has '%s' in its name"):format(rest)
      )
    end
    local heading = { "pid", "name", "status", "since", "inbox", "waits for" }
    show.table(heading, rows, { true, false, false, true, true })
    if left > 0 then
      print(("... %d more; :ps NAME shows those of a name"):format(left))
    end
  end,
}
