-- To which provider a session is bound.
--
--   KEYS[1] string: provider:end (ms)
--   ARGV: 1 now (ms; '' is the server's clock)
-- { provider, milliseconds that are left }; {}: to none.

local now = clock(ARGV[1])
local provider, ends = string.match(redis.call('GET', KEYS[1]) or '', '^(%x+):(%d+)$')
if not provider or tonumber(ends) <= now then return {} end
return { provider, string.format('%.0f', tonumber(ends) - now) }
