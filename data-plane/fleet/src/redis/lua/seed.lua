-- Makes the money of subjects from the ledger's sums. What is in flight stays held.
--
-- Behind the subjects, for each of them: a number of dimensions, each: letter, first instant that counts, kind ('t'
-- total, 'f' fixed, 'r' rolling), start, end, sum, number of minutes, (minute, amount)…; then the spools' marks, each
-- 'spool:number;' with the spool's id without hyphens. A subject whose counters have a newer specification stays as it is.
-- ok|now|g

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

local function read_dimension(wanted, name)
  local x, from, kind = argument(), tonumber(argument()), argument()
  local start, stop, sum = tonumber(argument()), tonumber(argument()), tonumber(argument())
  local p = name .. '.' .. x
  local minutes = {}
  for j = 1, tonumber(argument()) do minutes[j] = { tonumber(argument()), tonumber(argument()) } end
  if not wanted then return end
  set(p .. 'f', from)
  set(p .. 's', kind == 'r' and 0 or sum)
  set(p .. 'R', 0)
  if kind == 'f' then
    set(p .. 'l', start)
    set(p .. 'e', stop)
  elseif kind == 'r' then
    for i = 0, slots(x) - 1 do if text(p .. i) then drop(p .. i) end end
    set(p .. 'l', math.floor(now / 60000))
    set(p .. 'e', -1)
    for _, minute in ipairs(minutes) do add(p, 60000, slots(x), minute[1], minute[2]) end
  end
  for _, e in ipairs(in_flight()) do
    for _, s in ipairs(e.subjects) do
      if s.name == name then hold(name, x, e.at, s.money) end
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
local changed = false
local wanted_subjects = {}
for i, s in ipairs(all) do
  local epoch, version, spec = baseline(s.name)
  local wanted = not (epoch == s.epoch and (spec == s.spec or tonumber(version) > s.version))
  wanted_subjects[i] = wanted
  if wanted then
    changed = true
    ring_fields(s.name)
    for _, x in ipairs(MONEY) do
      for _, k in ipairs({ 'f', 's', 'R', 'l', 'e', 'o' }) do
        if text(s.name .. '.' .. x .. k) then drop(s.name .. '.' .. x .. k) end
      end
    end
  end
  for _ = 1, tonumber(argument()) do read_dimension(wanted, s.name) end
  if wanted then
    set(s.name .. '.b', table.concat({ s.epoch, digits(s.version), s.spec, digits(generation) }, '|'))
  end
end
local marks = argument()
for i, s in ipairs(all) do
  if wanted_subjects[i] then set(s.name .. '.M', marks) end
end
if changed then set('g', generation) end
save(now)
return { 'ok', digits(now), text('g') or '0' }
