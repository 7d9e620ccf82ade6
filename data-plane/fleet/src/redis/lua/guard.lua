-- Notes a credential that is not known here, from one address, and says how long the address is blocked.
--
--   KEYS[1] string: count:beginning of the slot;… , or B:end while the address is blocked
--   ARGV: 1 now (ms; '' is the server's clock) 2 window (ms) 3 as many are too many 4 blocked for (ms) 5 slot (ms)
-- Milliseconds until the address may try again; 0: it may.

local now = clock(ARGV[1])
local window, most, block, width = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local held = redis.call('GET', KEYS[1]) or ''
local ends = string.match(held, '^B:(%d+)$')
if ends then return math.max(0, tonumber(ends) - now) end
local slot, sum, kept = math.floor(now / width), 1, {}
for index, count in string.gmatch(held, '(%d+):(%d+);') do
  index, count = tonumber(index), tonumber(count)
  if index > slot - window / width - 1 then
    sum = sum + count
    if index == slot then kept[#kept + 1] = { index, count + 1 } else kept[#kept + 1] = { index, count } end
  end
end
if sum >= most then
  redis.call('SET', KEYS[1], string.format('B:%.0f', now + block), 'PX', block)
  return block
end
if #kept == 0 or kept[#kept][1] ~= slot then kept[#kept + 1] = { slot, 1 } end
local parts = {}
for _, one in ipairs(kept) do parts[#parts + 1] = string.format('%.0f:%.0f;', one[1], one[2]) end
redis.call('SET', KEYS[1], table.concat(parts), 'PX', window + width)
return 0
