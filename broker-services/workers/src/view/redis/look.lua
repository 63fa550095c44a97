-- Orders, newest first or oldest first. ARGV: the prefix of all keys, orders at most, 'older' or 'newer', the place to
-- start from (its time in ms and id, '' for the newest or the oldest), the id prefix ('' for any), orders with one
-- id prefix that are sorted on the spot, then the indexes among whose orders all that match are, each without the
-- prefix.
-- Answers whether there are more, each order's fields, and how many members on the way were no orders.
local P, most, is_up, placed_ms, id = ARGV[1], tonumber(ARGV[2]), ARGV[3] == 'newer', ARGV[4], ARGV[5]
local prefix, most_sorted = ARGV[6], tonumber(ARGV[7])
local RANGE, RANK = 'ZREVRANGE', 'ZREVRANK'
if is_up then
  RANGE, RANK = 'ZRANGE', 'ZRANK'
end

local smallest, size
for n = 8, #ARGV do
  local orders = redis.call('ZCARD', P .. ARGV[n])
  if not size or orders < size then
    smallest, size = P .. ARGV[n], orders
  end
end

-- Whether an order comes later than another on the way.
local function follows(score, one, other_score, other)
  if score ~= other_score then
    return (score > other_score) == is_up
  end
  if is_up then
    return before(other, one)
  end
  return before(one, other)
end

-- How many orders of the index come before the page. Many may have the time of the place it starts from.
local function rank()
  if placed_ms == '' then
    return 0
  end
  local placed = tonumber(placed_ms)
  local score = redis.call('ZSCORE', smallest, id)
  if score and tonumber(score) == placed then
    return redis.call(RANK, smallest, id) + 1
  end
  local low
  if is_up then
    low = redis.call('ZCOUNT', smallest, '-inf', '(' .. placed_ms)
  else
    low = redis.call('ZCOUNT', smallest, '(' .. placed_ms, '+inf')
  end
  local high = low + redis.call('ZCOUNT', smallest, placed_ms, placed_ms)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if follows(placed, redis.call(RANGE, smallest, middle, middle)[1], placed, id) then
      high = middle
    else
      low = middle + 1
    end
  end
  return low
end

-- Those that come from the place on, in the order of the way.
local function sorted(ids)
  local found = {}
  local scores = redis.call('ZMSCORE', P .. 'orders', unpack(ids))
  for n, found_id in ipairs(ids) do
    local score, placed = tonumber(scores[n]), tonumber(placed_ms)
    if not placed or follows(score, found_id, placed, id) then
      found[#found + 1] = { id = found_id, score = score }
    end
  end
  table.sort(found, function(a, b)
    return follows(b.score, b.id, a.score, a.id)
  end)
  local page = {}
  for n = 1, math.min(#found, most + 1) do
    page[n] = found[n].id
  end
  return page
end

local rows, strays, more = {}, 0, 0

-- Somebody else's member has no such hash.
local function is_order(fields)
  for n = 1, #fields, 2 do
    if fields[n] == 'revision' then
      return true
    end
  end
  return false
end

local function take(ids)
  for _, one in ipairs(ids) do
    if #rows == most then
      more = 1
      return
    end
    local fields = redis.call('HGETALL', P .. 'order:' .. one)
    if is_order(fields) then
      rows[#rows + 1] = fields
    else
      strays = strays + 1
    end
  end
end

-- Times that as many are read as are wanted: strays do not hide what stands behind them, and reading them has an end.
local MOST_READS = 20

local function walk()
  local from = rank()
  for _ = 1, MOST_READS do
    local ids = redis.call(RANGE, smallest, from, from + most)
    take(ids)
    if more == 1 or #ids <= most then
      return
    end
    from = from + #ids
  end
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
if ids then
  take(ids)
else
  walk()
end
return { more, rows, strays }
