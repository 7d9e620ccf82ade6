-- Takes the one trial that a half-open breaker lets through.
--
--   KEYS[1] string: holder:end (ms)
--   ARGV: 1 now (ms; '' is the server's clock) 2 holder 3 lease (ms)
-- 0: taken; else milliseconds until the lease that is out ends by itself.

local now = clock(ARGV[1])
local ends = tonumber(string.match(redis.call('GET', KEYS[1]) or '', ':(%d+)$') or '0')
if ends > now then return ends - now end
local lease = tonumber(ARGV[3])
redis.call('SET', KEYS[1], string.format('%s:%.0f', ARGV[2], now + lease), 'PX', lease)
return 0
