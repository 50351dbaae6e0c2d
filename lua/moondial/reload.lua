-- New code for a model that runs: md.reload. All is looked at and made ready
-- first, then swapped at once; an error takes everything back. What moves, and
-- what does not, is said in help on reload.
local adopt = require "moondial.adopt"
local argument = require "moondial.argument"
local code = require "moondial.code"
local core = require "moondial.core"
local graft = require "moondial.graft"
local inside = require "moondial.inside"
local reloaded = require "moondial.reloaded"

local m = {}

local reload = inside.reload
local walk, text_of = reload.walk, reload.text

-- -- which file ------------------------------------------------------

-- The files that a module of that name may be.
local function files_of(name)
  local path = name:gsub("%.", "/")
  return path .. ".lua", path .. "/init.lua"
end

local function module_of(file)
  local names = {}
  for name in pairs(package.loaded) do
    local first, second = files_of(name)
    if file == first or file == second then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names[1]
end

local function refuse_unknown(kept, what)
  local names = {}
  for file in pairs(kept) do
    names[#names + 1] = file
    names[#names + 1] = module_of(file)
  end
  table.sort(names)
  local text = "nothing called '%s' was loaded from a file beside the script; "
    .. "give a module that require has loaded, or a file; %s"
  argument.refuse("reload", text:format(what, inside.suggest(what, names)))
end

-- The file, its texts, and the name of the module that it is, if it is one.
local function find(what)
  argument.check("reload", argument.text, what, "argument 1")
  local kept = text_of.kept()
  local first, second = files_of(what)
  for _, file in ipairs { text_of.file(what), first, second } do
    if kept[file] then
      local main = file == text_of.main()
      return file, kept[file], not main and module_of(file) or nil
    end
  end
  refuse_unknown(kept, what)
end

-- -- the change ------------------------------------------------------

-- A change has `walk`, `file`, `texts`, `text`, `module`, and what it comes to.
local change = {}
change.__index = change

-- The new text as functions; its number is the next one.
function change:compile()
  local number = #self.texts + 1
  local main, message = text_of.load(self.text, self.file, number)
  if not main then
    local failure = core.failure("usage", message)
    failure.message = message
    error(failure, 0)
  end
  self.main, self.code = main, code.new(self.text, main, number)
end

-- An earlier text as functions, paired with those of the new one; nil when it
-- is not known, as when a model loads some string under the file's name.
function change:earlier(number)
  local codes, text = self.codes, self.texts[number]
  if not codes[number] and text then
    local its = code.new(text, text_of.load(text, self.file, 1), number)
    code.pair(its.root, self.code.root)
    codes[number] = its
  end
  return codes[number]
end

-- What a function of the file is made of.
function change:node(fn)
  local number, line, last = reload.about(fn)
  local its = number == self.code.number and self.code or self:earlier(number)
  if its then
    return code.find(its, fn, line, last)
  end
end

-- All old functions, and the calls of them that are under way.
function change:look()
  walk.survey(self.walk)
  local found, frames = walk.found(self.walk)
  self.old = {}
  for _, fn in ipairs(found) do
    local node, unsure = self:node(fn)
    if node then -- else it is called so, but of another text
      table.insert(self.old, {
        fn = fn,
        node = node,
        why = unsure and "other functions of its line are just like it" or nil,
      })
    end
  end
  self.frames = frames
end

-- Runs the module again, and takes back what that has done to others.
function change:run()
  local value = reload.run(self.main, self.module, self.file)
  self.additions = reload.restore(self.walk)
  self.made = value
  walk.survey(self.walk, self.main, value, self.additions)
end

function change:collect_fresh()
  local found = walk.found(self.walk)
  self.fresh, self.node_of = {}, {}
  for _, fn in ipairs(found) do
    if fn ~= self.main then
      local node = self:node(fn)
      if node and node.code == self.code then
        table.insert(self.fresh, { fn = fn, node = node })
        self.node_of[fn] = node
      end
    end
  end
end

-- What the module that has run gives to the old one.
function change:adopt()
  local loaded = package.loaded
  self.kept = loaded[self.module]
  self.adoption:returned(self.kept, self.made)
  self.adoption:locals()
  self.adoption:additions(self.additions, {
    [loaded] = "whole",
    [text_of.kept()] = "whole",
    [self.env] = true,
  })
end

-- The function that moves what is kept, when the new text has one.
function change:migration()
  if not self.module then
    for _, node in ipairs(self.code.root) do
      if node.label == "migrate" and node.plain and not node.is_local then
        return self.graft.made[node], self.env
      end
    end
  elseif type(self.made) == "table" then
    local fn = rawget(self.made, "migrate")
    return type(fn) == "function" and (self.map[fn] or fn), self.kept
  end
end

-- Texts that nobody comes from any more are forgotten.
function change:keep()
  local used = {}
  for _, old in ipairs(self.old) do
    used[old.node.code.number] = true
  end
  for number = 1, #self.texts do
    if not used[number] then
      self.texts[number] = false
    end
  end
  self.texts[self.code.number] = self.text
end

-- The new functions; each has the old one that it replaces.
function change:graft_all()
  self.graft = graft.new {
    old = self.old,
    fresh = self.fresh,
    code = self.code,
    main = self.main,
    runs = self.module ~= nil,
  }
  self.map = self.graft:all()
  local outer = self.graft.outer._ENV
  if outer then -- that of loadfile(name, mode, env)
    self.env = select(3, reload.upvalue(outer.fn, outer.i))
  end
  local inverse = {}
  for _, old in ipairs(self.old) do
    if self.map[old.fn] then
      inverse[self.map[old.fn]] = old.fn
    end
  end
  return inverse
end

function change:make()
  self.codes, self.fresh, self.node_of = {}, {}, {}
  self:compile()
  self.env = select(3, reload.upvalue(self.main, 1))
  self:look()
  reload.save(self.walk)
  if self.module then
    self:run()
    self:collect_fresh()
  end
  local inverse = self:graft_all()
  self.adoption = adopt.new(self)
  if self.module then
    self:adopt()
  else
    self.adoption:declare(self.code.root, self.env)
  end
  self.adoption:place()
  walk.swap(self.walk, self.map, inverse)
  local list = reloaded.new(self)
  local migrate, state = self:migration()
  if migrate then
    reload.run(migrate, state)
  end
  self:keep()
  return list
end

--- reload(module | path) -> list
--- Reads the file of a module that was required, or the main one, again: from
--- now on all its functions, wherever they are held, run the new code with what
--- they had captured; data stays as it is. The list says what was `replaced`,
--- what was `added`, what was `kept` and why, and which calls are `active`, and
--- prints. M.migrate(old), if the new text has it, is called with the module.
--- An error changes nothing; it is the text's own, or raises usage: for what
--- was not loaded from a file, for syntax, and inside a guard. See help reload.
---   print(pcall(md.reload, "bank"))
function m.reload(...)
  local sim, what = argument.sim(...)
  reload.allowed()
  local file, texts, module = find(what)
  local text, message = text_of.read(file, texts.beside)
  if not text then
    argument.refuse("reload", message)
  end
  sim = sim or core.current()
  local it = setmetatable({
    walk = walk.new("@" .. file),
    file = file,
    texts = texts,
    text = text,
    module = module,
  }, change)
  local list = reload.atomically(it.walk, change.make, it)
  reload.note(sim, file .. "\0" .. text)
  return list
end

return m
