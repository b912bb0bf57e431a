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
--
-- One that is full again later than an empty bucket would be was written by another clock or under another policy. It
-- counts as empty and is written so, once, although the take is denied: it denies for no longer than this policy may.

local call, pcall, ceil, find, format = redis.call, redis.pcall, math.ceil, string.find, string.format
local KEYS, ARGV = KEYS, ARGV -- all looked up once, not for each key
local time = call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local tokenUs, capacityUs, deadlineUs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local firstUs, lastUs = 1e15, 9007199254740991 -- September 2001; 2^53 - 1, the greatest whole number that is exact
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
    local debtUs = 0
    if not value then
      luck = luck + 1
    elseif value.err and not find(value.err, '^WRONGTYPE') then
      return value
    else
      -- Only what this script may have written is a bucket; the rest is somebody else's, and stays. Other programs'
      -- counters are told apart by their size: the microseconds of any date since 2001 have 16 digits.
      debtUs = not value.err and find(value, '^[1-9]%d*$') and value - nowUs
      if debtUs and (debtUs > lastUs - nowUs or (debtUs < 0 and debtUs < firstUs - nowUs)) then debtUs = false end
    end
    if not debtUs then
      reply[i + 1] = 'WRONGTYPE'
    else
      local isAhead = debtUs > capacityUs
      if debtUs < 0 then debtUs = 0 elseif isAhead then debtUs = capacityUs end
      local allowed = debtUs + costUs <= capacityUs
      if allowed then debtUs = debtUs + costUs end
      if allowed or isAhead then
        local fullAgainUs = nowUs + debtUs -- whole, of 16 digits; Redis writes a number with up to 17
        call('SET', key, fullAgainUs, 'PXAT', ceil(fullAgainUs / 1000))
      end
      reply[i + 1] = allowed and debtUs or -1 - debtUs
    end
  end
end

return reply
