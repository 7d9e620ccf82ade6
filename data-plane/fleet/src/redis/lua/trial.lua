-- Takes the one trial that a half-open breaker lets through, or goes on having it.
--
--   KEYS[1] string: holder:end (ms)
--   ARGV: 1 now (ms; '' is the server's clock) 2 holder 3 lease (ms; 0: only asks)
-- 0: taken, or free; else milliseconds until the lease that is out ends by itself.

local now = clock(ARGV[1])
local holder, ends = string.match(redis.call('GET', KEYS[1]) or '', '^(.*):(%d+)$')
ends = tonumber(ends or '0')
if ends > now and holder ~= ARGV[2] then return ends - now end
local lease = tonumber(ARGV[3])
if lease > 0 then
  redis.call('SET', KEYS[1], string.format('%s:%.0f', ARGV[2], now + lease), 'PX', lease)
end
return 0
