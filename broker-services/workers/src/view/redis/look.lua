-- Orders newest first. ARGV: the prefix of all keys, orders at most, the place to start after (its time in ms and
-- id, '' for the beginning), the id prefix ('' for any), orders with one id prefix that are sorted on the spot,
-- then the indexes among whose orders all that match are, each without the prefix.
-- Answers whether there are more, then each order's fields.
local P, most, placed_ms, id = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local prefix, most_sorted = ARGV[5], tonumber(ARGV[6])

local function before(one, other)
  for at = 1, math.min(#one, #other) do
    local a, b = one:byte(at), other:byte(at)
    if a ~= b then
      return a < b
    end
  end
  return #one < #other
end

local smallest, size
for n = 7, #ARGV do
  local orders = redis.call('ZCARD', P .. ARGV[n])
  if not size or orders < size then
    smallest, size = P .. ARGV[n], orders
  end
end

-- How many orders of the index come before the page. Many may have the time of the place it starts after.
local function rank()
  if placed_ms == '' then
    return 0
  end
  local score = redis.call('ZSCORE', smallest, id)
  if score and tonumber(score) == tonumber(placed_ms) then
    return redis.call('ZREVRANK', smallest, id) + 1
  end
  local low = redis.call('ZCOUNT', smallest, '(' .. placed_ms, '+inf')
  local high = low + redis.call('ZCOUNT', smallest, placed_ms, placed_ms)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if before(redis.call('ZREVRANGE', smallest, middle, middle)[1], id) then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

local function walk()
  local from = rank()
  return redis.call('ZREVRANGE', smallest, from, from + most)
end

-- Those that come after the place, newest first.
local function sorted(ids)
  local found = {}
  local scores = redis.call('ZMSCORE', P .. 'orders', unpack(ids))
  for n, found_id in ipairs(ids) do
    local score, after = tonumber(scores[n]), tonumber(placed_ms)
    if not after or score < after or (score == after and before(found_id, id)) then
      found[#found + 1] = { id = found_id, score = score }
    end
  end
  table.sort(found, function(a, b)
    if a.score ~= b.score then
      return a.score > b.score
    end
    return before(b.id, a.id)
  end)
  local page = {}
  for n = 1, math.min(#found, most + 1) do
    page[n] = found[n].id
  end
  return page
end

local ids
if prefix ~= '' then
  local limit = math.min(size, most_sorted)
  local named = redis.call('ZRANGEBYLEX', P .. 'orders:ids', '[' .. prefix, '(' .. prefix .. '\255', 'LIMIT', 0,
    limit + 1)
  if #named == 0 then
    ids = {}
  elseif #named <= limit then
    ids = sorted(named)
  end
end
ids = ids or walk()

local rows = {}
for n = 1, math.min(#ids, most) do
  rows[n] = redis.call('HGETALL', P .. 'order:' .. ids[n])
end
return { #ids > most and 1 or 0, rows }
