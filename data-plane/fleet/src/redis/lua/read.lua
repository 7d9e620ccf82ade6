-- What is used of the subjects' limits.
--
-- ok|now|g|'subject dimension used reserved reset;'… ('-': no reset), unknown|now|subject…

local all = subjects()
prepare(all)
entry_of('-')
local now = now_ms()
reap(now)
local unknown = { 'unknown', digits(now) }
for i, s in ipairs(all) do
  if not known(s) then unknown[#unknown + 1] = digits(i) end
end
if #unknown > 2 then
  keep(now)
  return unknown
end
local said = {}
local function say(i, x, used, held, reset)
  said[#said + 1] = table.concat({ i, x, digits(used), digits(held), reset }, ' ')
end
for i, s in ipairs(all) do
  for _, x in ipairs(MONEY) do
    if s.limit[x] > 0 and tracked(s.name, x) then
      turn(s.name, x, now, edges_of(s, x))
      local fixed = x ~= 'a' and not rolls(s.name, x)
      say(i, x, settled(s.name, x), reserved(s.name, x), fixed and digits(num(s.name .. '.' .. x .. 'e')) or '-')
    end
  end
  for _, x in ipairs({ 'r', 't' }) do
    if s.limit[x] > 0 then
      advance(s.name .. '.' .. x, 1000, 61, now)
      say(i, x, num(s.name .. '.' .. x .. 's'), 0, '-')
    end
  end
  if s.limit.C > 0 then say(i, 'C', num(s.name .. '.c') or 0, 0, '-') end
  if s.limit.S > 0 then
    local used = 0
    if text(s.name .. '.q') then
      local key = BASE .. 's:' .. s.name
      redis.call('ZREMRANGEBYSCORE', key, '-inf', digits(now))
      used = math.max(0, redis.call('ZCARD', key) - 1)
    end
    say(i, 'S', used, 0, '-')
  end
end
keep(now)
return { 'ok', digits(now), text('g') or '0', table.concat(said, ';') }
