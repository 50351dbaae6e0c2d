local ahead = require "repl.ahead"
local process = require "repl.process"
local session = require "moondial.session"
local show = require "repl.show"

local function list_of()
  local list = {}
  for text in (session.get "breaks" or ""):gmatch "[^\n]+" do
    list[#list + 1] = text
  end
  return list
end

return {
  name = "break",
  usage = ":break [expr | time T | process P | message PATTERN ... |\n"
    .. "       signal KIND | record NAME | clear [n]]",
  help = [[Where :run stops: after an event that makes the expression true,
which it was not before, that has come to the time, that a process takes part
in, in which a message is sent that begins with what md.wait would take, that
gives such a signal (SEND, KILL, TIMEOUT, ...), that keeps such a record.
Without anything: lists them; clear, or off, takes all away, or the n-th. An
error always stops a run.
  :break #md.waiting() > 3
  :break message "square", md._
  :break process server]],
  run = function(rest)
    local list = list_of()
    local which = rest:match "^clear%s*(%d*)$" or rest:match "^off%s*(%d*)$"
    if which == "" then
      session.plan("breaks", "")
      return print "no breakpoints"
    elseif which and not list[math.tointeger(which)] then
      return print(
        ("there is no breakpoint %s; :break lists them"):format(which)
      )
    elseif which then
      table.remove(list, math.tointeger(which))
    elseif rest == "error" then
      return print "an error always stops a run"
    elseif rest ~= "" then
      local condition, why = ahead.condition(rest)
      if not condition then
        return print(why)
      end
      list[#list + 1] = rest
    end
    local who = rest:match "^process%s+(.+)$"
    if who and not process.known(who) then
      print(show.faint(("no process is called '%s' yet"):format(who)))
    end
    session.plan("breaks", table.concat(list, "\n"))
    if #list == 0 then
      print "no breakpoints"
    end
    for i, text in ipairs(list) do
      print(("%3d  %s"):format(i, text))
    end
  end,
}
