-- Books what a request used and gives back what it held. Doing it again changes nothing.
--
-- The subjects' tokens and money are what was used. Behind them: 1 the instant of admission, for a request that is not
-- known here; 2 the spool of its record or '-'; 3 the record's number.
-- ok|now|g, gone|now (no counters here: they will be made from the ledger, and whoever made this call does it again).

local all = subjects()
local id, spool, number = ARGV[4], tail(2), tonumber(tail(3))
local more = {}
for _, s in ipairs(all) do more[#more + 1] = s.name .. '.M' end
prepare(all, more)
local v = entry_of(id)
local now = now_ms()
if not text('g') then return { 'gone', digits(now) } end
reap(now)
prepare_rings(all, now)

local at, former = math.min(tonumber(tail(1)), now), nil
local held = {}
if v then
  local e = decode(v)
  at = e.at
  for _, s in ipairs(e.subjects) do held[s.name] = s end
  for _, s in ipairs(all) do
    for _, x in ipairs(MONEY) do turn(s.name, x, now, edges_of(s, x)) end
  end
  release(e, now)
  redis.call('HDEL', O, id)
else
  former = done(id, now)
  if not text('g') then return { 'gone', digits(now) } end
  for _, s in ipairs(all) do
    for _, x in ipairs(MONEY) do turn(s.name, x, now, edges_of(s, x)) end
  end
end

local lapsed = former and unlapse(former, at)
local applied = former and not lapsed and tonumber(string.match(former, '^(%d+)|'))
-- An id that would be forgotten by now: nobody can say whether it was booked, so it is not booked again.
local too_old = not v and not former and now - at > 24 * HOUR
for _, s in ipairs(all) do
  -- In the sums already: by the ledger when they were made from it, or by an earlier call since then.
  local mark = tonumber(string.match(text(s.name .. '.M') or '', spool .. ':(%d+)'))
  local in_ledger = mark and number <= mark
  if s.limit.t > 0 and not former and (v or not in_ledger) then
    advance(s.name .. '.t', 1000, 61, now)
    add(s.name .. '.t', 1000, 61, at, s.tokens - (held[s.name] and held[s.name].tokens or 0))
  end
  local _, _, _, seeded = baseline(s.name)
  if seeded then
    local counted = in_ledger or (applied and applied >= tonumber(seeded))
    if not counted and not too_old then
      for _, x in ipairs(MONEY) do book(s.name, x, at, s.money) end
    end
  end
end
put_done(id, text('g') .. '|S', now)
save(now)
return { 'ok', digits(now), text('g') }
