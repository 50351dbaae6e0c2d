local md = require "moondial"
local process = require "repl.process"

local most <const> = 100

return {
  name = "tree",
  usage = ":tree",
  help = [[The living processes as families: who has spawned whom.
  :tree]],
  run = function()
    local children, roots, shown = {}, {}, 0
    for _, pid in ipairs(md.processes()) do
      local parent = md.info(pid).parent
      local alive = parent and md.info(parent)
      local list = roots
      if alive and alive.status ~= "done" and alive.status ~= "failed" then
        children[parent] = children[parent] or {}
        list = children[parent]
      end
      list[#list + 1] = pid
    end
    local function branch(pid, indent, last, top)
      shown = shown + 1
      if shown > most then
        return
      end
      local mark = top and "" or last and "└─ " or "├─ "
      local label, pid_text = process.label(pid), tostring(pid)
      local both = label == pid_text and label or label .. "  " .. pid_text
      print(indent .. mark .. both .. "  " .. md.info(pid).status)
      local below = indent .. (top and "" or last and "   " or "│  ")
      local list = children[pid] or {}
      for i, child in ipairs(list) do
        branch(child, below, i == #list)
      end
    end
    for _, pid in ipairs(roots) do
      branch(pid, "", true, true)
    end
    if shown > most then
      print(("... %d more"):format(shown - most))
    end
  end,
}
