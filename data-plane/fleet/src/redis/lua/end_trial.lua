-- Gives a trial back, if this holder still has it.
--
--   KEYS[1] string: holder:end (ms)
--   ARGV: 1 holder
-- 1: given back; 0: it was not the holder's.

local holder = string.match(redis.call('GET', KEYS[1]) or '', '^(.*):%d+$')
if holder ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
