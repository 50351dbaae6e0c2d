local inside = require "moondial.inside"
local md = require "moondial"
local session = require "moondial.session"

-- Says that there are no records, of that name.
local function missing(name)
  local names = md.records()
  if #names == 0 then
    return print "there are no records yet"
  end
  print(
    ("there are no records of '%s'; %s"):format(
      name,
      inside.suggest(name, names)
    )
  )
end

return {
  name = "export",
  usage = ":export [name] file",
  help = [[Writes the records of a name, or all, to a file as --out does: .csv,
.jsonl or .db (SQLite).
  :export served served.csv
  :export run.db]],
  completes = "file",
  run = function(rest)
    local name, path = rest:match "^(%S+)%s+(%S.*)$"
    path = path or rest
    if path == "" then
      return print "expected a file, or the name of records and a file"
    elseif name and #md.records(name) == 0 then
      return missing(name)
    end
    local done, why = session.export(path, name)
    if not done then
      return print(why)
    end
    local n, names = 0, name and { name } or md.records()
    for _, each in ipairs(names) do
      n = n + #md.records(each)
    end
    print(
      ("%d record%s of %s in %s"):format(
        n,
        n == 1 and "" or "s",
        name and ("'%s'"):format(name) or "all",
        path
      )
    )
  end,
}
