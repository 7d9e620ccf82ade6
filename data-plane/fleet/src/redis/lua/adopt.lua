-- Takes in a request that is in flight already, whatever the limits say: it was admitted while these counters were away,
-- or they lost it.
--
-- Behind the subjects: 1 session or '-'; 2 the instant of admission.
-- ok|now|g, gone|now as settle.lua.

local all = subjects()
local id, session = ARGV[4], tail(1)
prepare(all)
local v = entry_of(id)
local now = now_ms()
if not text('g') then
  for _, s in ipairs(all) do
    if s.spec ~= '0' then return { 'gone', digits(now) } end
  end
end
if v then
  -- It may hold more by now than was said before.
  local e, more = decode(v), false
  for _, s in ipairs(all) do
    for _, held in ipairs(e.subjects) do
      if held.name == s.name and s.money > held.money then
        for _, x in ipairs(MONEY) do
          turn(s.name, x, now, edges_of(s, x))
          hold(s.name, x, e.at, s.money - held.money)
        end
        held.money, more = s.money, true
      end
    end
  end
  if more then redis.call('HSET', O, id, encode(e)) end
  lease(now)
  save(now)
  return { 'ok', digits(now), text('g') }
end
local at = math.min(tonumber(tail(2)), now)
local former = done(id, now)
for _, s in ipairs(all) do
  for _, x in ipairs(MONEY) do turn(s.name, x, now, edges_of(s, x)) end
end
if former then
  if not unlapse(former, at) then
    save(now)
    return { 'ok', digits(now), text('g') }
  end
  redis.call('HDEL', done_key(id), id)
end
local e = { node = ARGV[3], at = at, session = session, subjects = {} }
for i, s in ipairs(all) do
  set(s.name .. '.c', (num(s.name .. '.c') or 0) + 1)
  if not former then
    if s.limit.r > 0 then
      advance(s.name .. '.r', 1000, 61, now)
      add(s.name .. '.r', 1000, 61, at, 1)
    end
    if s.limit.t > 0 then
      advance(s.name .. '.t', 1000, 61, now)
      add(s.name .. '.t', 1000, 61, at, s.tokens)
    end
  end
  for _, x in ipairs(MONEY) do hold(s.name, x, at, s.money) end
  local counts = s.limit.S > 0 and session ~= '-'
  if counts then join(s.name, session, now) end
  e.subjects[i] = { name = s.name, tokens = s.tokens, money = s.money, idle = counts and digits(s.idle) or '-' }
end
put_entry(id, encode(e), now)
lease(now)
save(now)
return { 'ok', digits(now), text('g') }
