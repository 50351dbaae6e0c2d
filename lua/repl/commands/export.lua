local session = require "moondial.session"
local md = require "moondial"

return {
  name = "export",
  usage = ":export name file.csv",
  help = [[Writes the records of a name as a file of comma-separated values.
  :export served served.csv]],
  run = function(rest)
    local name, path = rest:match "^(%S+)%s+(%S+)$"
    local list = name and md.records(name)
    if not list or #list == 0 then
      return print "expected the name of records there are, and a file"
    end
    local keys = {}
    for key in pairs(list[1]) do
      keys[#keys + 1] = key
    end
    table.sort(keys)
    local file, why = io.open(path, "w")
    if not file then
      return print(why)
    end
    file:write(table.concat(keys, ","), "\n")
    for _, record in ipairs(list) do
      local cells = {}
      for i, key in ipairs(keys) do
        local text = record[key] == nil and "" or tostring(record[key])
        cells[i] = text:find '[,"\n]' and '"' .. text:gsub('"', '""') .. '"'
          or text
      end
      file:write(table.concat(cells, ","), "\n")
    end
    file:close()
    print(("%d records of '%s' in %s"):format(#list, name, path))
    session.plan("why", "")
  end,
}
