-- Says that a data plane lives and still has something to do with this account.
--
-- ok|now|g|'1' when its lease was running, gone|now.

prepare({})
entry_of('-')
local now = now_ms()
if not text('g') then return { 'gone', digits(now) } end
-- Its own lease is looked at before the dead are reaped.
local ends = tonumber(redis.call('ZSCORE', L, ARGV[3]) or '0')
reap(now)
lease(now)
save(now)
return { 'ok', digits(now), text('g'), ends > now and '1' or '0' }
