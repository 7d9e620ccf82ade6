-- Counts one more call in any 60 s, if it fits.
--
--   KEYS[1] string: second:count;… of the last 61 seconds
--   ARGV: 1 now (ms; '' is the server's clock) 2 limit
-- Milliseconds until a call fits; 0: this one did.

local now = clock(ARGV[1])
local limit, second = tonumber(ARGV[2]), math.floor(now / 1000)
local kept, sum, first = {}, 0, nil
for slot, count in string.gmatch(redis.call('GET', KEYS[1]) or '', '(%d+):(%d+);') do
  slot, count = tonumber(slot), tonumber(count)
  if slot > second - 61 then
    first = first or slot
    sum = sum + count
    if slot >= second then second = slot end
    kept[#kept + 1] = { slot, count }
  end
end
if sum >= limit then return math.max(1000, (first + 61) * 1000 - now) end
if #kept > 0 and kept[#kept][1] == second then
  kept[#kept][2] = kept[#kept][2] + 1
else
  kept[#kept + 1] = { second, 1 }
end
local parts = {}
for _, slot in ipairs(kept) do parts[#parts + 1] = string.format('%.0f:%.0f;', slot[1], slot[2]) end
redis.call('SET', KEYS[1], table.concat(parts), 'PX', 62000)
return 0
