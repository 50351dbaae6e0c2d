local md = require "moondial"
local process = require "repl.process"
local session = require "moondial.session"
local show = require "repl.show"

local most <const> = 100

local function text_of(pid)
  local own = tostring(pid)
  local label = show.cut(show.plain(process.label(pid)), 60)
  local both = label == own and label or label .. "  " .. show.faint(own)
  local supervisors = package.loaded["moondial.supervisor"]
  local strategy = supervisors and supervisors.living[pid]
  local role = strategy and ", a supervisor, " .. strategy or ""
  return both .. "  " .. md.status(pid) .. role
end

return {
  name = "tree",
  usage = ":tree [pid]",
  help = [[The living processes as families: who has spawned whom, as a
supervisor its children, with its strategy; or those below one, given by name
or number.
  :tree]],
  completes = "process",
  run = function(rest)
    local roots, children = session.families()
    local shown = 0
    if rest ~= "" then
      roots = { process.find(rest) }
    elseif #roots == 0 then
      return print "no process lives"
    end
    local function branch(pid, indent, mark, below)
      shown = shown + 1
      if shown > most then
        return
      end
      print(indent .. mark .. text_of(pid))
      local list = children[pid] or {}
      for i, child in ipairs(list) do
        local last = i == #list
        branch(
          child,
          indent .. below,
          last and "└─ " or "├─ ",
          last and "   " or "│  "
        )
      end
    end
    for _, pid in ipairs(roots) do
      if shown > most then
        break
      end
      branch(pid, "", "", "")
    end
    if shown > most then
      print(
        ("... of %d; :tree NAME shows those below one"):format(#md.processes())
      )
    end
  end,
}
