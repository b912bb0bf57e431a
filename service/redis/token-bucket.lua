-- Takes tokens from many buckets in one atomic call, on Redis's own clock. token-bucket.ts is its specification.
--
-- KEYS  one bucket each; the same key may come twice and is decided in order
-- ARGV  1 tokenUs     microseconds in which one token refills
--       2 capacityUs  microseconds in which an empty bucket refills
--       3 deadlineUs  on Redis's clock: past it nobody waits for the answer any more, so nothing is taken; 0: none
--       4 the cost of every take, or 4… one cost for each
--
-- Returns { nowUs, r1, r2, … }; r is the bucket's debt in microseconds after an allowed take, -1 - debt after a denied
-- one, and a string when the key holds something that is not a bucket. { nowUs } alone: too late, or no keys.
--
-- A bucket is one string: the microsecond at which it is full again. It expires at that moment. O(1) each.

local call, pcall, ceil, format = redis.call, redis.pcall, math.ceil, string.format
local KEYS, ARGV = KEYS, ARGV -- all looked up once, not for each key
local time = call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local tokenUs, capacityUs, deadlineUs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local oneCostUs = #ARGV == 4 and ARGV[4] * tokenUs
local reply = { nowUs }

if deadlineUs > 0 and nowUs > deadlineUs then
  return reply
end

-- A full bucket has expired, so most takes find none and read none: they write where nothing is. They all leave the same
-- state, and its text is made once. Where the last takes found buckets, the next ones read first.
local textCostUs, textFullAt, textExpiry
local luck = 2

for i = 1, #KEYS do
  local key = KEYS[i]
  local costUs = oneCostUs or ARGV[3 + i] * tokenUs
  local wasFull = false
  if luck > 0 and costUs <= capacityUs then
    if costUs ~= textCostUs then
      textCostUs = costUs
      textFullAt, textExpiry = format('%.0f', nowUs + costUs), format('%.0f', ceil((nowUs + costUs) / 1000))
    end
    wasFull = call('SET', key, textFullAt, 'NX', 'PXAT', textExpiry)
    luck = luck + (wasFull and 1 or -1)
  end
  if wasFull then
    reply[i + 1] = costUs
  else
    local value = pcall('GET', key)
    if not value then luck = luck + 1 end
    local fullAtUs = value and (type(value) == 'string' and tonumber(value) or nil) or 0
    if value and fullAtUs == 0 then
      reply[i + 1] = 'WRONGTYPE'
    else
      local debtUs = fullAtUs - nowUs
      if debtUs < 0 then debtUs = 0 elseif debtUs > capacityUs then debtUs = capacityUs end
      local debtAfterUs = debtUs + costUs
      if debtAfterUs <= capacityUs then
        local fullAgainUs = nowUs + debtAfterUs -- whole, of 16 digits; Redis writes a number with up to 17
        call('SET', key, fullAgainUs, 'PXAT', ceil(fullAgainUs / 1000))
        reply[i + 1] = debtAfterUs
      else
        reply[i + 1] = -1 - debtUs
      end
    end
  end
end

return reply
