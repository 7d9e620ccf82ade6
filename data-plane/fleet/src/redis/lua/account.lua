-- What all scripts on one account share. An account is a user with its keys, or a provider; all of its keys in Redis
-- carry its hash tag. fleet/src/counters.rs says what the numbers mean; the in-process twin is fleet/src/local.
--
--   KEYS[1]  …:m   hash: every counter. Fields of a subject begin with its name and a dot.
--   KEYS[2]  …:o   hash: requests in flight, id -> entry; '' holds the birth of the hash
--   KEYS[3]  …:l   sorted set: data planes with requests in flight, by the end of their lease
--            …:d:H hash: requests settled, by the hour inside their id
--            …:s:N sorted set: sessions of subject N, by the end of their idle time; '' marks the set
--
--   ARGV: 1 now (ms; '' is the server's clock, a number is for tests) 2 lease (ms) 3 data plane's process 4 request id
--         5 '1' to refuse, '0' to count only 6 number of subjects, then WIDTH for each, then what the script takes.
--
-- Windows that slide are rings of slots with their sum: field 'l' is the newest slot, 's' the sum, a number a slot.
-- Money has five dimensions, a total, h 5 hours, d day, w week, m month: 'f' the first instant that counts, 's'
-- settled, 'R' reserved; fixed windows begin at 'l' and end at 'e', rolling ones have 'e' = -1 and are rings.
-- Nothing is written before save(), so a script that refuses has taken nothing.

local M, O, L = KEYS[1], KEYS[2], KEYS[3]
local BASE = string.sub(M, 1, -2)
local WIDTH, FIRST = 29, 6
local BIG = 9000000000000000
local NEVER = 86400000
local HOUR = 3600000
local KEEP = 36 * HOUR
local MONEY = { 'a', 'h', 'd', 'w', 'm' }
-- Where a subject's arguments have the edges of its fixed windows.
local EDGES = { d = 18, w = 22, m = 26 }

local got, put, gone = {}, {}, {}
local empty = false

-- Whole numbers below 2^53; '%d' is several times as fast as '%.0f'.
local function digits(v) return string.format('%d', v) end

local function load(fields)
  local missing = {}
  for _, f in ipairs(fields) do
    if got[f] == nil then missing[#missing + 1] = f end
  end
  for i = 1, #missing, 1000 do
    local last = math.min(i + 999, #missing)
    local values = empty and {} or redis.call('HMGET', M, unpack(missing, i, last))
    for j = i, last do got[missing[j]] = values[j - i + 1] or false end
  end
end

local function text(f)
  if got[f] == nil then load({ f }) end
  return got[f]
end

local function num(f)
  local v = text(f)
  return v and tonumber(v)
end

local function set(f, v)
  if type(v) == 'number' then v = digits(v) end
  got[f], put[f], gone[f] = v, v, nil
end

local function drop(f)
  got[f], put[f], gone[f] = false, nil, true
end

-- Forgets the account: a part of it is lost, so nothing of it can be trusted.
local function forget()
  redis.call('DEL', M, O, L)
  got, put, gone, empty = {}, {}, {}, true
end

local function now_ms()
  local now
  if ARGV[1] ~= '' then
    now = tonumber(ARGV[1])
  else
    local t = redis.call('TIME')
    now = t[1] * 1000 + math.floor(t[2] / 1000)
  end
  -- After a failover to a slower clock, time stands still instead of going back.
  return math.max(now, num('now') or 0)
end

local function save(now)
  set('now', now)
  if not text('g') then set('g', now * 1000) end
  local renew = (num('x') or 0) < now - 6 * HOUR
  if renew then set('x', now) end
  local fields, dropped = {}, {}
  for f, v in pairs(put) do
    fields[#fields + 1] = f
    fields[#fields + 1] = v
  end
  for f in pairs(gone) do dropped[#dropped + 1] = f end
  for i = 1, #dropped, 1000 do
    redis.call('HDEL', M, unpack(dropped, i, math.min(i + 999, #dropped)))
  end
  for i = 1, #fields, 1000 do
    redis.call('HSET', M, unpack(fields, i, math.min(i + 999, #fields)))
  end
  if renew then
    for _, key in ipairs({ M, O, L }) do redis.call('PEXPIRE', key, KEEP) end
  end
end

-- === Rings ===

local function advance(p, unit, size, now)
  local slot = math.floor(now / unit)
  local last = num(p .. 'l')
  if not last then
    set(p .. 'l', slot)
    set(p .. 's', 0)
    return
  end
  if slot <= last then return end
  local cells = {}
  for i = math.max(last + 1, slot - size + 1), slot do cells[#cells + 1] = p .. (i % size) end
  load(cells)
  local sum = num(p .. 's') or 0
  for _, cell in ipairs(cells) do
    local v = num(cell)
    if v then
      sum = sum - v
      drop(cell)
    end
  end
  set(p .. 'l', slot)
  set(p .. 's', sum)
end

-- Adds at an instant, if it still counts.
local function add(p, unit, size, at, amount)
  local last = num(p .. 'l')
  local slot = math.min(math.floor(at / unit), last)
  if slot <= last - size then return end
  local cell = p .. (slot % size)
  set(cell, (num(cell) or 0) + amount)
  set(p .. 's', (num(p .. 's') or 0) + amount)
end

-- When so much will have left the ring; nil: never.
local function leaves(p, unit, size, amount)
  local last = num(p .. 'l')
  local cells = {}
  for i = last - size + 1, last do cells[#cells + 1] = p .. (i % size) end
  load(cells)
  local sum = 0
  for i = last - size + 1, last do
    sum = sum + (num(p .. (i % size)) or 0)
    if sum >= amount then return (i + size) * unit end
  end
  return nil
end

-- === Money ===

local function slots(x) return x == 'h' and 301 or 1441 end

local function tracked(name, x) return text(name .. '.' .. x .. 'f') end

local function rolls(name, x)
  return x == 'h' or (x == 'd' and num(name .. '.de') == -1)
end

-- Brings a window to now. Without edges (nobody in this call knows them) the next one is open-ended until somebody
-- does. False: now is in none of the caller's windows, its clock is off.
local function turn(name, x, now, edges)
  if x == 'a' or not tracked(name, x) then return true end
  local p = name .. '.' .. x
  if rolls(name, x) then
    advance(p, 60000, slots(x), now)
    return true
  end
  local from, to = num(p .. 'l'), num(p .. 'e')
  local start, stop
  if edges then
    for i = 1, 3 do
      if now >= edges[i] and now < edges[i + 1] then start, stop = edges[i], edges[i + 1] end
    end
    if not start then return false end
  elseif now >= to then
    start, stop = to, BIG
  else
    return true
  end
  if start > from then
    set(p .. 'l', start)
    set(p .. 'e', stop)
    set(p .. 'f', start)
    set(p .. 's', 0)
    set(p .. 'R', 0)
  elseif start == from and stop ~= to then
    set(p .. 'e', stop)
  end
  return true
end

local function settled(name, x) return num(name .. '.' .. x .. 's') or 0 end
local function reserved(name, x) return num(name .. '.' .. x .. 'R') or 0 end

-- Money that was spent at an instant.
local function book(name, x, at, amount)
  local from = num(name .. '.' .. x .. 'f')
  if not from or at < from then return end
  local p = name .. '.' .. x
  if rolls(name, x) then
    add(p, 60000, slots(x), at, amount)
  else
    set(p .. 's', settled(name, x) + amount)
  end
end

-- Money that is held (or, negative, given back) for a request that was admitted at an instant.
local function hold(name, x, at, amount)
  local from = num(name .. '.' .. x .. 'f')
  if not from or at < from then return end
  set(name .. '.' .. x .. 'R', math.max(0, reserved(name, x) + amount))
end

-- Epoch, version, specification and generation of a subject's baseline.
local function baseline(name)
  local b = text(name .. '.b')
  if not b then return nil end
  return string.match(b, '^(.-)|(.-)|(.-)|(.-)$')
end

-- The caller's edges of a window, if they are those of the counters: those of another zone would end it too early.
local function edges_of(s, x)
  local at = EDGES[x]
  if not at then return nil end
  local _, _, spec = baseline(s.name)
  if spec ~= s.spec then return nil end
  local edges = {}
  for i = 0, 3 do edges[i + 1] = tonumber(ARGV[s.at + at + i]) end
  return edges
end

-- Whether the subject's money can be counted: its baseline is of the caller's specification, or of a newer one.
local function known(s)
  if s.spec == '0' then return true end
  local epoch, version, spec, generation = baseline(s.name)
  if not epoch then return false end
  if spec == s.spec then
    if epoch ~= s.epoch or tonumber(version) < s.version then
      set(s.name .. '.b', table.concat({ s.epoch, digits(s.version), s.spec, generation }, '|'))
    end
    return true
  end
  return epoch == s.epoch and s.version < tonumber(version)
end

-- === Subjects of the call ===

local function subject(i)
  local o = FIRST + (i - 1) * WIDTH
  local function n(j) return tonumber(ARGV[o + j]) end
  return {
    name = ARGV[o + 1], epoch = ARGV[o + 2], version = n(3), spec = ARGV[o + 4], strict = ARGV[o + 5] == '1',
    limit = { a = n(6), S = n(7), C = n(8), r = n(9), t = n(10), h = n(11), d = n(12), w = n(13), m = n(14) },
    idle = n(15), tokens = n(16), money = n(17),
    at = o,
  }
end

local function subjects()
  local all = {}
  for i = 1, tonumber(ARGV[FIRST]) do all[i] = subject(i) end
  return all
end

-- The first argument behind the subjects.
local function tail(j) return ARGV[FIRST + tonumber(ARGV[FIRST]) * WIDTH + j] end

-- One read for all counters that the call will look at, and fields that only it knows.
local function prepare(all, more)
  local fields = more or {}
  for _, f in ipairs({ 'now', 'g', 'x', 'o' }) do fields[#fields + 1] = f end
  for _, s in ipairs(all) do
    local p = s.name .. '.'
    for _, f in ipairs({ 'c', 'b', 'q' }) do fields[#fields + 1] = p .. f end
    for _, x in ipairs({ 'r', 't' }) do
      if s.limit[x] > 0 then
        fields[#fields + 1] = p .. x .. 'l'
        fields[#fields + 1] = p .. x .. 's'
      end
    end
    for _, x in ipairs(MONEY) do
      fields[#fields + 1] = p .. x .. 'f'
      -- What is tracked without a limit is read when it is looked at.
      if s.limit[x] > 0 then
        for _, k in ipairs({ 's', 'R', 'l', 'e' }) do fields[#fields + 1] = p .. x .. k end
      end
    end
  end
  load(fields)
end

-- One read for the slots that leave the rings by now, and those that now falls into.
local function prepare_rings(all, now)
  local cells = {}
  local function ring(p, unit, size)
    local slot, last = math.floor(now / unit), num(p .. 'l')
    cells[#cells + 1] = p .. (slot % size)
    if not last then return end
    for i = math.max(last + 1, slot - size + 1), slot do cells[#cells + 1] = p .. (i % size) end
  end
  for _, s in ipairs(all) do
    if s.limit.r > 0 then ring(s.name .. '.r', 1000, 61) end
    if s.limit.t > 0 then ring(s.name .. '.t', 1000, 61) end
    for _, x in ipairs({ 'h', 'd' }) do
      if s.spec ~= '0' and tracked(s.name, x) and rolls(s.name, x) then ring(s.name .. '.' .. x, 60000, slots(x)) end
    end
  end
  load(cells)
end

-- === Requests in flight ===

-- The hash of requests in flight must be the one that was begun with these counters. Its entry of an id, or nil.
local function entry_of(id)
  local found = redis.call('HMGET', O, '', id)
  if found[1] ~= (text('o') or false) then
    forget()
    redis.call('DEL', O)
    return nil
  end
  return found[2] or nil
end

local function put_entry(id, v, now)
  if not text('o') then
    redis.call('DEL', O)
    set('o', now)
    redis.call('HSET', O, '', digits(now), id, v)
    redis.call('PEXPIRE', O, KEEP)
  else
    redis.call('HSET', O, id, v)
  end
end

-- node|at|session|name|tokens|money|idle|name|tokens|money|idle; a session or idle time that is not counted is '-'.
local function encode(e)
  local parts = { e.node, digits(e.at), e.session }
  for _, s in ipairs(e.subjects) do
    parts[#parts + 1] = s.name
    parts[#parts + 1] = digits(s.tokens)
    parts[#parts + 1] = digits(s.money)
    parts[#parts + 1] = s.idle
  end
  return table.concat(parts, '|')
end

local function decode(v)
  local parts = {}
  for part in string.gmatch(v, '[^|]+') do parts[#parts + 1] = part end
  local e = { node = parts[1], at = tonumber(parts[2]), session = parts[3], subjects = {} }
  for i = 4, #parts, 4 do
    e.subjects[#e.subjects + 1] = {
      name = parts[i], tokens = tonumber(parts[i + 1]), money = tonumber(parts[i + 2]), idle = parts[i + 3],
    }
  end
  return e
end

local function join(name, session, now)
  local key, q = BASE .. 's:' .. name, name .. '.q' .. session
  if not text(name .. '.q') then
    redis.call('DEL', key)
    redis.call('ZADD', key, BIG, '')
    set(name .. '.q', now)
  end
  redis.call('ZADD', key, BIG, session)
  redis.call('PEXPIRE', key, KEEP)
  set(q, (num(q) or 0) + 1)
end

local function leave(name, session, idle, now)
  local q = name .. '.q' .. session
  local left = (num(q) or 0) - 1
  if left > 0 then
    set(q, left)
    return
  end
  drop(q)
  local key = BASE .. 's:' .. name
  if idle > 0 then redis.call('ZADD', key, 'XX', now + idle, session) else redis.call('ZREM', key, session) end
end

-- Gives back what a request held, in all that counts what is in flight.
local function release(e, now)
  for _, s in ipairs(e.subjects) do
    set(s.name .. '.c', math.max(0, (num(s.name .. '.c') or 0) - 1))
    for _, x in ipairs(MONEY) do hold(s.name, x, e.at, -s.money) end
    if s.idle ~= '-' then leave(s.name, e.session, tonumber(s.idle), now) end
  end
end

-- === Settled requests ===

local function hour_of(id)
  local ms = tonumber(string.sub(id, 1, 8) .. string.sub(id, 10, 13), 16)
  return digits(math.floor((ms or 0) / HOUR))
end

local function done_key(id) return BASE .. 'd:' .. hour_of(id) end

-- generation|S, or generation|L|name|money… of one that lapsed. Nil: not settled.
local function done(id)
  local v = redis.call('HGET', done_key(id), id)
  if v then return v end
  if text('D' .. hour_of(id)) and redis.call('EXISTS', done_key(id)) == 0 then forget() end
  return nil
end

local function put_done(id, v)
  redis.call('HSET', done_key(id), id, v)
  local hour = hour_of(id)
  if not text('D' .. hour) then
    redis.call('PEXPIRE', done_key(id), 26 * HOUR)
    set('D' .. hour, 1)
    local old = {}
    for i = 27, 40 do old[#old + 1] = 'D' .. digits(tonumber(hour) - i) end
    load(old)
    for i = 27, 40 do
      if text('D' .. digits(tonumber(hour) - i)) then drop('D' .. digits(tonumber(hour) - i)) end
    end
  end
end

-- === Leases ===

-- What a dead data plane held: its slots are free, its money counts as spent until the record comes.
local function lapse(id, e, now)
  release(e, now)
  local parts = { text('g') or '0', 'L' }
  for _, s in ipairs(e.subjects) do
    for _, x in ipairs(MONEY) do
      turn(s.name, x, now, nil)
      book(s.name, x, e.at, s.money)
    end
    parts[#parts + 1] = s.name
    parts[#parts + 1] = digits(s.money)
  end
  redis.call('HDEL', O, id)
  put_done(id, table.concat(parts, '|'))
end

local function reap(now)
  local dead = redis.call('ZRANGEBYSCORE', L, '-inf', digits(now))
  if #dead == 0 then return end
  local is_dead = {}
  for _, node in ipairs(dead) do is_dead[node] = true end
  -- Whoever calls is alive.
  is_dead[ARGV[3]] = nil
  if next(is_dead) == nil then return end
  local all = redis.call('HGETALL', O)
  for i = 1, #all, 2 do
    if all[i] ~= '' then
      local e = decode(all[i + 1])
      if is_dead[e.node] then lapse(all[i], e, now) end
    end
  end
  for node in pairs(is_dead) do redis.call('ZREM', L, node) end
end

-- True when the lease was running. A set of leases that was lost is made again for all who have requests in flight.
local function lease(now)
  local node, to = ARGV[3], digits(now + tonumber(ARGV[2]))
  if redis.call('ZADD', L, to, node) == 0 then return true end
  if redis.call('ZCARD', L) == 1 and redis.call('HLEN', O) > 1 then
    local all = redis.call('HGETALL', O)
    for i = 1, #all, 2 do
      if all[i] ~= '' then redis.call('ZADD', L, 'NX', to, decode(all[i + 1]).node) end
    end
  end
  redis.call('PEXPIRE', L, KEEP)
  return false
end

-- Reverses what was booked for a lapsed request where it is still in the sums; then its entry in `d` can go.
local function unlapse(v, at)
  local generation = tonumber(string.match(v, '^(%d+)|L'))
  if not generation then return nil end
  local parts = {}
  for part in string.gmatch(v, '[^|]+') do parts[#parts + 1] = part end
  for i = 3, #parts, 2 do
    local _, _, _, seeded = baseline(parts[i])
    if seeded and generation >= tonumber(seeded) then
      for _, x in ipairs(MONEY) do book(parts[i], x, at, -tonumber(parts[i + 1])) end
    end
  end
  return generation
end
