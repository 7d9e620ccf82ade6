-- Takes a session its provider away. What stands there until the binding's end is no provider, so that data planes that
-- remember the old one learn of it, and the next call binds the session anew.
--
--   KEYS[1] string: provider:end (ms)
--   ARGV: 1 now (ms; '' is the server's clock) 2 no provider
-- The provider; '': it was bound to none.

local now = clock(ARGV[1])
local provider, ends = string.match(redis.call('GET', KEYS[1]) or '', '^(%x+):(%d+)$')
if not provider or tonumber(ends) <= now or provider == ARGV[2] then return '' end
redis.call('SET', KEYS[1], ARGV[2] .. ':' .. ends, 'PX', tonumber(ends) - now)
return provider
