-- A terminal in which a spec types: tmux, which is also what is seen of it.
local m = {}

local terminal = {}
terminal.__index = terminal

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

function terminal:tmux(words)
  return self.folder:says(
    ("timeout 10 tmux -u -S socket -f /dev/null %s"):format(words)
  )
end

--- Types characters.
function terminal:type(text)
  self:tmux("send-keys -l -- " .. quote(text))
end

--- Presses keys, by tmux's names.
function terminal:keys(...)
  for _, key in ipairs { ... } do
    self:tmux("send-keys " .. key)
  end
end

--- Types a line.
function terminal:line(text)
  self:type(text)
  self:keys "Enter"
end

--- Pastes a text.
function terminal:paste(text)
  self.folder:write("paste", text)
  self:tmux "load-buffer paste"
  self:tmux "paste-buffer -r"
end

--- Changes its size, which takes tmux a while.
function terminal:resize(columns, lines)
  self:tmux(("resize-window -x %d -y %d"):format(columns, lines))
  local file = self:tmux "display -p '#{pane_tty}'"
  local size = ("%d %d\n"):format(lines, columns)
  for _ = 1, 100 do
    if self.folder:says("stty size -F " .. file) == size then
      return
    end
    os.execute "sleep 0.1"
  end
  error("the terminal's size was to be " .. size, 2)
end

--- All that is to be seen, and what has been scrolled away above it; a line
--- that the terminal has broken is one.
function terminal:screen()
  return (self:tmux "capture-pane -p -J -S -")
end

--- Waits until the text is there, for which many seconds do no harm.
function terminal:await(text, plain)
  local screen
  for _ = 1, 200 do
    screen = self:screen()
    if screen:find(text, 1, plain ~= false) then
      return screen
    end
    os.execute "sleep 0.1"
  end
  error(("%s\nnever came:\n%s"):format(text, screen), 2)
end

function terminal:close()
  self:tmux "kill-server 2>/dev/null; sleep 0.2" -- its socket goes last
end

--- Calls fn with a terminal in which the shell runs the command.
function m.open(folder, command, fn)
  local self = setmetatable({ folder = folder }, terminal)
  self:tmux(
    (
      "new-session -d -x 80 -y 24 -- %s ';' set -g history-limit 20000 "
      .. "';' set -g remain-on-exit on"
    ):format(
      quote(
        "HOME=. LC_ALL=C.UTF-8 NO_COLOR=1 "
          .. command
          .. "; echo status $?; sleep 60"
      )
    )
  )
  local good, err = xpcall(fn, debug.traceback, self)
  self:close()
  if not good then
    error(err, 0)
  end
end

return m
