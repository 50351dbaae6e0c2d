-- State. Each instance of a server has its own, which its handlers find as
-- s.state. Two accounts share the handlers; a question that cannot be met is
-- answered with nil and a reason, as Lua's functions do; and every month each
-- account gets its interest.
local md = require "moondial"

local account = md.server {
  state = function(balance)
    return { balance = balance, interest = 0 }
  end,
}

account:handle("deposit", md.is.number, function(amount)
  account.state.balance = account.state.balance + amount
end)

account:handle("withdraw", function(from, ref, amount)
  local state = account.state
  if amount > state.balance then
    md.reply(from, ref, nil, "only " .. state.balance .. " left")
    return
  end
  state.balance = state.balance - amount
  md.reply(from, ref, amount)
end)

account:handle("balance", function(from, ref)
  md.reply(from, ref, account.state.balance, account.state.interest)
end)

account:every(30, function()
  local state = account.state
  local interest = state.balance // 100
  state.balance = state.balance + interest
  state.interest = state.interest + interest
end)

local anna = account:spawn({ name = "anna" }, 1000)
local ben = account:spawn({ name = "ben" }, 50)

local function transfer(from, to, amount)
  local taken, why = md.ask(from, "withdraw", amount)
  print(md.now(), "transfer of " .. amount, taken and "done" or why)
  if taken then
    md.send(to, "deposit", taken)
  end
end

md.spawn({ at = 1 }, transfer, ben, anna, 80)
md.spawn({ at = 10 }, transfer, anna, ben, 400)
md.spawn({ at = 40 }, transfer, ben, anna, 80)

md.spawn({ at = 65 }, function()
  print(md.now(), "anna", md.ask(anna, "balance"))
  print(md.now(), "ben", md.ask(ben, "balance"))
end)

md.run(65)

--[[ output
1.0	transfer of 80	only 50 left
10.0	transfer of 400	done
40.0	transfer of 80	done
65.0	anna	692	12
65.0	ben	377	7
]]
