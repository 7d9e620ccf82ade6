-- Makes the money of subjects from the ledger's sums. What is in flight stays held.
--
-- Behind the subjects, for each of them: a number of dimensions, each: letter, first instant that counts, kind ('t'
-- total, 'f' fixed, 'r' rolling), start, end, sum, number of minutes, (minute, amount)…; then the spools' marks, each
-- 'spool:number;' with the spool's id without hyphens. A subject whose counters have a newer specification stays as it is.
-- One of whose windows does not hold now, for whoever asked the ledger has another clock, stays without.
-- ok|now|g, clock|now (there is such a subject)

local all = subjects()
prepare(all)
entry_of('-')
local now = now_ms()
local next_argument = 0
local function argument()
  next_argument = next_argument + 1
  return tail(next_argument)
end

local open
local function in_flight()
  if open then return open end
  open = {}
  local found = redis.call('HGETALL', O)
  for i = 1, #found, 2 do
    if found[i] ~= '' then open[#open + 1] = decode(found[i + 1]) end
  end
  return open
end

local function read_dimension()
  local x, from, kind = argument(), tonumber(argument()), argument()
  local start, stop, sum = tonumber(argument()), tonumber(argument()), tonumber(argument())
  local minutes = {}
  for j = 1, tonumber(argument()) do minutes[j] = { tonumber(argument()), tonumber(argument()) } end
  return { x = x, from = from, kind = kind, start = start, stop = stop, sum = sum, minutes = minutes }
end

local function holds_now(d) return d.kind ~= 'f' or (d.start <= now and now < d.stop) end

-- A reset is in force at once, also where the clock that gave it is ahead.
local function put_dimension(d, name)
  local p, rolling = name .. '.' .. d.x, d.kind == 'r'
  set(p .. 'f', math.min(d.from, now))
  set(p .. 's', rolling and 0 or d.sum)
  set(p .. 'R', 0)
  if d.kind == 'f' then
    set(p .. 'l', d.start)
    set(p .. 'e', d.stop)
  elseif rolling then
    for i = 0, slots(d.x) - 1 do if text(p .. i) then drop(p .. i) end end
    set(p .. 'l', math.floor(now / 60000))
    set(p .. 'e', -1)
    for _, minute in ipairs(d.minutes) do add(p, 60000, slots(d.x), minute[1], minute[2]) end
  end
  for _, e in ipairs(in_flight()) do
    for _, s in ipairs(e.subjects) do
      if s.name == name then hold(name, d.x, e.at, s.money) end
    end
  end
end

local function ring_fields(name)
  local fields = {}
  for i = 0, 300 do fields[#fields + 1] = name .. '.h' .. i end
  for i = 0, 1440 do fields[#fields + 1] = name .. '.d' .. i end
  load(fields)
end

local generation = math.max((num('g') or 0) + 1, now * 1000)
local changed, off = {}, false

local function put_subject(s, dimensions)
  local epoch, version, spec = baseline(s.name)
  if epoch == s.epoch and (spec == s.spec or tonumber(version) > s.version) then return end
  for _, d in ipairs(dimensions) do
    if not holds_now(d) then
      off = true
      return
    end
  end
  changed[#changed + 1] = s.name
  ring_fields(s.name)
  for _, x in ipairs(MONEY) do
    for _, k in ipairs({ 'f', 's', 'R', 'l', 'e', 'o' }) do
      if text(s.name .. '.' .. x .. k) then drop(s.name .. '.' .. x .. k) end
    end
  end
  for _, d in ipairs(dimensions) do put_dimension(d, s.name) end
  set(s.name .. '.b', table.concat({ s.epoch, digits(s.version), s.spec, digits(generation) }, '|'))
end

for _, s in ipairs(all) do
  local dimensions = {}
  for j = 1, tonumber(argument()) do dimensions[j] = read_dimension() end
  put_subject(s, dimensions)
end
local marks = argument()
for _, name in ipairs(changed) do set(name .. '.M', marks) end
if #changed > 0 then set('g', generation) end
keep(now)
if off then return { 'clock', digits(now) } end
return { 'ok', digits(now), text('g') or '0' }
