-- Takes tokens from many buckets in one atomic call, on Redis's own clock. token-bucket.ts is its specification.
--
-- KEYS  the buckets of each take, one take after another; a bucket may come again and is decided in order
-- ARGV  1 deadlineUs  on Redis's clock: past it nobody waits for the answer any more, so nothing is taken; 0: none
--       2 shapes      how many kinds of take follow. A shape is, for each bucket of a take, what the take costs and what
--                     an empty bucket owes, in microseconds:
--                       buckets costUs capacityUs [costUs capacityUs…]
--       …             where there are several shapes, the number of each take's, from 1
--
-- Returns { nowUs, r1, r2, … }, an r for each bucket: its debt in microseconds after an allowed take, -1 - debt after a
-- denied one, and a string when a bucket of the take is none. { nowUs } alone: too late, or no keys.
--
-- A take has what it asks for of all its buckets, or nothing of any.
--
-- A bucket is one string: the microsecond at which it is full again. It expires at that moment. O(1) each.
--
-- One that is full again later than an empty bucket would be was written by another clock or under another limit. It
-- counts as empty and is written so, once, although the take is denied: it denies for no longer than this limit may.

local call, pcall, ceil, find, format = redis.call, redis.pcall, math.ceil, string.find, string.format
local KEYS, ARGV = KEYS, ARGV -- all looked up once, not for each key
local time = call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local deadlineUs = tonumber(ARGV[1])
local firstUs, lastUs = 1e15, 9007199254740991 -- September 2001; 2^53 - 1, the greatest whole number that is exact
local reply = { nowUs }

if deadlineUs > 0 and nowUs > deadlineUs then
  return reply
end

local shapes, argument = {}, 3
for n = 1, tonumber(ARGV[2]) do
  local size = tonumber(ARGV[argument])
  local shape = { size = size }
  for i = 1, 2 * size do
    shape[i] = tonumber(ARGV[argument + i])
  end
  shapes[n] = shape
  argument = argument + 1 + 2 * size
end

-- A bucket that is full again has expired, so most takes find none and read none: they write where nothing is. They all
-- leave the same state, and its text is made once. Where the last takes found buckets, the next ones read first.
local textCostUs, textFullAt, textExpiry
local luck = 2
local debts, isAhead = {}, {} -- of the buckets of one take

local first = 1
while first <= #KEYS do
  local shape = shapes[1]
  if #shapes > 1 then
    shape = shapes[tonumber(ARGV[argument])]
    argument = argument + 1
  end
  local size, costUs = shape.size, shape[1]
  local wasFull = false
  if size == 1 and luck > 0 and costUs <= shape[2] then
    if costUs ~= textCostUs then
      textCostUs = costUs
      textFullAt, textExpiry = format('%.0f', nowUs + costUs), format('%.0f', ceil((nowUs + costUs) / 1000))
    end
    wasFull = call('SET', KEYS[first], textFullAt, 'NX', 'PXAT', textExpiry)
    luck = luck + (wasFull and 1 or -1)
  end
  if wasFull then
    reply[first + 1] = costUs
  else
    local areBuckets, allowed = true, true
    for i = 1, size do
      local value = pcall('GET', KEYS[first + i - 1])
      local capacityUs = shape[2 * i]
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
      if debtUs then
        isAhead[i] = debtUs > capacityUs
        if debtUs < 0 then debtUs = 0 elseif isAhead[i] then debtUs = capacityUs end
        debts[i] = debtUs
        if debtUs + shape[2 * i - 1] > capacityUs then allowed = false end
      else
        areBuckets = false
      end
    end
    for i = 1, size do
      if areBuckets then
        local debtUs = debts[i]
        if allowed then debtUs = debtUs + shape[2 * i - 1] end
        if allowed or isAhead[i] then
          local fullAgainUs = nowUs + debtUs -- whole, of 16 digits; Redis writes a number with up to 17
          call('SET', KEYS[first + i - 1], fullAgainUs, 'PXAT', ceil(fullAgainUs / 1000))
        end
        reply[first + i] = allowed and debtUs or -1 - debtUs
      else
        reply[first + i] = 'WRONGTYPE'
      end
    end
  end
  first = first + size
end

return reply
