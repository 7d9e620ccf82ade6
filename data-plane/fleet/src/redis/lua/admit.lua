-- Takes a request's limits, all or none.
--
-- Behind the subjects: 1 session or '-'.
-- ok|now|g|'subject dimension settled reserved;'… , no|now|subject|dimension|used|limit|reset|wait,
-- unknown|now|subject… (no baseline), clock|now (the windows do not hold now).

local all = subjects()
local id, session, refuse = ARGV[4], tail(1), ARGV[5] == '1'
prepare(all)
local entry = entry_of(id)
local now = now_ms()
if not entry and is_noted(hour_of(id)) and redis.call('HGET', done_key(id), id) then
  -- Its caller is gone and it was settled: a call that was long on its way takes nothing.
  return { 'ok', digits(now), text('g') or '0', '' }
end
if entry then return { 'ok', digits(decode(entry).at), text('g') or '0', '' } end
reap(now)
prepare_rings(all, now)

local unknown = { 'unknown', digits(now) }
for i, s in ipairs(all) do
  if not known(s) then unknown[#unknown + 1] = digits(i) end
end
if #unknown > 2 then
  keep(now)
  return unknown
end

for _, s in ipairs(all) do
  if s.limit.r > 0 then advance(s.name .. '.r', 1000, 61, now) end
  if s.limit.t > 0 then advance(s.name .. '.t', 1000, 61, now) end
  for _, x in ipairs(MONEY) do
    if s.limit[x] > 0 and not turn(s.name, x, now, edges_of(s, x)) then
      keep(now)
      return { 'clock', digits(now) }
    end
  end
end

local first, wait = nil, 0
local function over(i, x, used, reset, ms)
  first = first or { 'no', digits(now), digits(i), x, digits(used), digits(all[i].limit[x]), reset }
  wait = math.max(wait, ms)
end

local function check_money(i, x)
  local s = all[i]
  local limit = s.limit[x]
  if limit == 0 or not tracked(s.name, x) then return end
  local S, R = settled(s.name, x), reserved(s.name, x)
  if s.strict then
    if S + R + s.money <= limit then return end
  elseif S + R < limit then
    return
  end
  local p = s.name .. '.' .. x
  local fixed = x ~= 'a' and not rolls(s.name, x)
  local ms
  -- What must leave of what is settled, were nothing in flight.
  local excess = s.strict and S + s.money - limit or S - limit + 1
  if s.strict and s.money > limit then
    ms = NEVER
  elseif excess <= 0 then
    ms = 1000
  elseif x == 'a' then
    ms = NEVER
  elseif fixed then
    ms = num(p .. 'e') - now
  else
    ms = (leaves(p, 60000, slots(x), excess) or now + NEVER) - now
  end
  over(i, x, S + R, fixed and digits(num(p .. 'e')) or '', ms)
end

local function check_ring(i, x, amount)
  local s = all[i]
  local limit = s.limit[x]
  if limit == 0 then return end
  local p = s.name .. '.' .. x
  local sum = num(p .. 's')
  if sum + amount <= limit then return end
  over(i, x, sum, '', (leaves(p, 1000, 61, sum + amount - limit) or now + 61000) - now)
end

local function check_sessions(i)
  local s = all[i]
  if s.limit.S == 0 or session == '-' or not text(s.name .. '.q') then return end
  local key = BASE .. 's:' .. s.name
  redis.call('ZREMRANGEBYSCORE', key, '-inf', digits(now))
  if redis.call('ZSCORE', key, session) then return end
  local used = redis.call('ZCARD', key) - 1
  if used < s.limit.S then return end
  local soonest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  local free = tonumber(soonest[2])
  if free >= BIG then free = now + math.max(s.idle, 1000) end
  over(i, 'S', used, '', free - now)
end

local function check_requests(i)
  local s = all[i]
  local used = num(s.name .. '.c') or 0
  if s.limit.C > 0 and used >= s.limit.C then over(i, 'C', used, '', 1000) end
end

for _, s in ipairs(all) do
  if s.limit.S > 0 and session ~= '-' and lost_sessions(s.name, now) then
    forget()
    return { 'unknown', digits(now), '1' }
  end
end

if refuse then
  local checks = {
    function(i) check_money(i, 'a') end,
    check_sessions,
    check_requests,
    function(i) check_ring(i, 'r', 1) end,
    function(i) check_ring(i, 't', all[i].tokens) end,
    function(i) check_money(i, 'h') end,
    function(i) check_money(i, 'd') end,
    function(i) check_money(i, 'w') end,
    function(i) check_money(i, 'm') end,
  }
  for _, check in ipairs(checks) do
    for i = 1, #all do check(i) end
  end
  if first then
    save(now)
    first[8] = digits(wait)
    return first
  end
end

local e = { node = ARGV[3], at = now, session = session, subjects = {} }
local seen = {}
for i, s in ipairs(all) do
  set(s.name .. '.c', (num(s.name .. '.c') or 0) + 1)
  if s.limit.r > 0 then add(s.name .. '.r', 1000, 61, now, 1) end
  if s.limit.t > 0 then add(s.name .. '.t', 1000, 61, now, s.tokens) end
  for _, x in ipairs(MONEY) do
    hold(s.name, x, now, s.money)
    if s.limit[x] > 0 and tracked(s.name, x) then
      seen[#seen + 1] = table.concat({ i, x, digits(settled(s.name, x)), digits(reserved(s.name, x)) }, ' ')
    end
  end
  local counts = s.limit.S > 0 and session ~= '-'
  if counts then join(s.name, session, now) end
  e.subjects[i] = { name = s.name, tokens = s.tokens, money = s.money, idle = counts and digits(s.idle) or '-' }
end
put_entry(id, encode(e), now)
lease(now)
save(now)
return { 'ok', digits(now), text('g'), table.concat(seen, ';') }
