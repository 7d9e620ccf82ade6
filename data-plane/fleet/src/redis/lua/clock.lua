-- In front of scripts that need the time: now (ms), as it is given, or where that is '' by the server's clock.
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

