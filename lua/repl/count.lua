-- A number behind a command.

--- The number, of at least 1, that the text is, `otherwise` for none; nil after
--- it has said that `what` was expected.
return function(text, otherwise, what)
  local n = text == "" and otherwise or math.tointeger(tonumber(text))
  if n and n >= 1 then
    return n
  end
  print(("expected %s, got '%s'"):format(what, text))
end
