-- Binds a session to a provider that has served it, unless another was faster.
--
--   KEYS[1] string: provider:end (ms)
--   ARGV: 1 now (ms; '' is the server's clock) 2 provider 3 the provider that the call found the session bound to; '-': none
--         4 bound for (ms) 5 renewed when less is left (ms)
-- { provider, milliseconds that are left } as it is now.

local now = clock(ARGV[1])
local provider, seen, length, threshold = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local held, ends = string.match(redis.call('GET', KEYS[1]) or '', '^(%x+):(%d+)$')
local left = held and tonumber(ends) - now or 0
if left > 0 then
  local moves = held ~= provider and held == seen
  local renews = held == provider and left < threshold
  if not moves and not renews then return { held, string.format('%.0f', left) } end
end
redis.call('SET', KEYS[1], string.format('%s:%.0f', provider, now + length), 'PX', length)
return { provider, string.format('%.0f', length) }
