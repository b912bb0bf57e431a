-- Gives tokens back to the buckets of one key, or only looks at them, in one atomic call, on Redis's own clock.
-- token-bucket.ts is its specification.
--
-- KEYS  the buckets, and behind them, where the call has an id, a name that stands for it
-- ARGV  1 deadlineUs  on Redis's clock: past it nobody waits for the answer any more, so nothing is done; 0: none
--       2 idMs        how long an id is kept, in milliseconds
--       …             for each bucket: backUs capacityUs, what it is given back and what an empty one owes, in microseconds
--
-- Returns { nowUs, isNew, r1, r2, … }, an r for each bucket: its debt afterwards in microseconds. isNew is 0 when a call
-- with this id has been before; then nothing is given. When one of them holds no bucket, nothing is done, and every r
-- is a string. { nowUs } alone: too late.
--
-- A bucket is as in token-bucket.lua. It is never more than full.

local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local deadlineUs = tonumber(ARGV[1])
local firstUs, lastUs = 1e15, 9007199254740991 -- September 2001; 2^53 - 1, the greatest whole number that is exact

if deadlineUs > 0 and nowUs > deadlineUs then
  return { nowUs }
end

local size = (#ARGV - 2) / 2
local debts = {}
for i = 1, size do
  local value = redis.pcall('GET', KEYS[i])
  local capacityUs = tonumber(ARGV[2 * i + 2])
  local debtUs = 0
  if value then
    if value.err and not string.find(value.err, '^WRONGTYPE') then
      return value
    end
    debtUs = not value.err and string.find(value, '^[1-9]%d*$') and value - nowUs
    if not debtUs or debtUs > lastUs - nowUs or (debtUs < 0 and debtUs < firstUs - nowUs) then
      local reply = { nowUs, 1 }
      for n = 1, size do
        reply[n + 2] = 'WRONGTYPE'
      end
      return reply
    end
  end
  debts[i] = math.min(math.max(debtUs, 0), capacityUs)
end

local idName = KEYS[size + 1]
local isNew = not idName or redis.call('SET', idName, '1', 'NX', 'PX', ARGV[2])
local reply = { nowUs, isNew and 1 or 0 }
for i = 1, size do
  local backUs = isNew and tonumber(ARGV[2 * i + 1]) or 0
  local debtUs = math.max(debts[i] - backUs, 0)
  if backUs > 0 and debtUs == 0 then
    redis.call('DEL', KEYS[i])
  elseif backUs > 0 then
    local fullAgainUs = nowUs + debtUs
    redis.call('SET', KEYS[i], string.format('%.0f', fullAgainUs), 'PXAT', string.format('%.0f', math.ceil(fullAgainUs / 1000)))
  end
  reply[i + 2] = debtUs
end

return reply
