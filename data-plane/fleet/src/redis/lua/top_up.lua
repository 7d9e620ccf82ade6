-- Holds more money for a request in flight: the subjects' money is what is added. All or nothing.
--
-- ok|now|g, no|now|subject|dimension|used|limit|reset|wait, lost|now (not in flight here).

local all = subjects()
prepare(all)
local id = ARGV[4]
local v = entry_of(id)
local now = now_ms()
if not v then return { 'lost', digits(now) } end
local e = decode(v)
local held = {}
for _, s in ipairs(e.subjects) do held[s.name] = s end
for i, s in ipairs(all) do
  for _, x in ipairs(MONEY) do
    turn(s.name, x, now, edges_of(s, x))
    local from = num(s.name .. '.' .. x .. 'f')
    local limit = s.limit[x]
    if ARGV[5] == '1' and s.strict and limit > 0 and from and e.at >= from then
      local used = settled(s.name, x) + reserved(s.name, x)
      if used + s.money > limit then
        local fixed = x ~= 'a' and not rolls(s.name, x)
        local stop = fixed and num(s.name .. '.' .. x .. 'e')
        save(now)
        return { 'no', digits(now), digits(i), x, digits(used), digits(limit), stop and digits(stop) or '',
          digits(stop and stop - now or 1000) }
      end
    end
  end
end
for _, s in ipairs(all) do
  for _, x in ipairs(MONEY) do hold(s.name, x, e.at, s.money) end
  if held[s.name] then held[s.name].money = held[s.name].money + s.money end
end
redis.call('HSET', O, id, encode(e))
lease(now)
save(now)
return { 'ok', digits(now), text('g') }
