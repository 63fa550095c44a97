-- Applies one batch. After the prefix: the bounds, then each write as its tag and its parts.
-- Answers nil when the contents were lost, '' when nothing changed, else the change's id.
local keep, most_waiting = tonumber(ARGV[2]), tonumber(ARGV[3])
local most_forgotten, most_feed = tonumber(ARGV[4]), tonumber(ARGV[5])
local most_steps, forget_at_once = tonumber(ARGV[6]), tonumber(ARGV[7])

if not epoch then
  return false
end

local at = 8
local function take()
  at = at + 1
  return ARGV[at - 1]
end

-- Appends the fields `names` with the values that come next.
local function take_fields(names, command)
  for _, name in ipairs(names) do
    command[#command + 1] = name
    command[#command + 1] = take()
  end
  return command
end

local changed = false
local total = redis.call('ZCARD', P .. 'orders')

-- Whether there may be a record of this order. A late repetition does not bring back one that was forgotten;
-- while a rebuild runs, logs tell again what a full view has just forgotten.
local function admits(id, record)
  return record.known or rebuilding or not redis.call('ZSCORE', P .. 'forgotten', id)
end

-- Whether an object of `revision` is to be taken where one of the revision `old` is. A rebuild is also right about
-- one that is there already: somebody may have altered it by hand.
local function supersedes(revision, old)
  return newer(revision, old) or (rebuilding and revision == old)
end

local function oldest_ended()
  local oldest, placed
  for _, status in ipairs(ENDED) do
    local first = redis.call('ZRANGE', P .. 'orders:status:' .. status, 0, 0, 'WITHSCORES')
    local score = tonumber(first[2])
    if first[1] and (not oldest or score < placed or (score == placed and before(first[1], oldest))) then
      oldest, placed = first[1], score
    end
  end
  return oldest
end

-- Where the bound was lowered there may be any number too many: the rest goes with the next batches.
local function forget_ended()
  while total > keep and forget_at_once > 0 do
    local id = oldest_ended()
    if not id then
      return
    end
    remove(id)
    total = total - 1
    forget_at_once = forget_at_once - 1
    local number = redis.call('HINCRBY', P .. 'epoch', 'forgotten', 1)
    redis.call('ZADD', P .. 'forgotten', number, id)
    redis.call('ZREMRANGEBYRANK', P .. 'forgotten', 0, -most_forgotten - 1)
  end
end

local function move(id, index, old, new, placed_ms, moved)
  if old and old ~= new then
    redis.call('ZREM', P .. index .. old, id)
  end
  if old ~= new or moved then
    redis.call('ZADD', P .. index .. new, placed_ms, id)
  end
end

local writes = {}

function writes.order()
  local id, revision, status, customer = take(), take(), take(), take()
  local item, placed, placed_ms = take(), take(), take()
  local key = P .. 'order:' .. id
  local hset = take_fields(ORDER, { 'HSET', key, 'named', epoch })
  local record = load(id)
  if not admits(id, record) then
    return
  end
  if record.revision and not supersedes(revision, record.revision) then
    if record.named ~= epoch then
      redis.call('HSET', key, 'named', epoch)
      record.named = epoch
    end
    return
  end
  redis.call(unpack(hset))
  -- Of one that was altered by hand nobody knows where it stands.
  local moved = record.placed ~= placed or record.revision == revision
  if moved then
    redis.call('ZADD', P .. 'orders', placed_ms, id)
  end
  if not record.revision then
    redis.call('ZADD', P .. 'orders:ids', 0, id)
    total = total + 1
    if record.known then
      redis.call('ZREM', P .. 'waiting', id)
    end
  end
  move(id, 'orders:status:', record.status, status, placed_ms, moved)
  move(id, 'orders:customer:', record.customer, customer, placed_ms, moved)
  move(id, 'orders:item:', record.item, item, placed_ms, moved)
  record.revision, record.status, record.customer, record.item = revision, status, customer, item
  record.placed, record.named, record.known = placed, epoch, true
  changed = true
  forget_ended()
end

function writes.payment()
  local id, revision = take(), take()
  local key = P .. 'order:' .. id
  local hset = take_fields(PAYMENT, { 'HSET', key, 'payment.named', epoch })
  local record = load(id)
  if not admits(id, record) then
    return
  end
  if record.paid and not supersedes(revision, record.paid) then
    if record.paid_named ~= epoch then
      redis.call('HSET', key, 'payment.named', epoch)
      record.paid_named = epoch
    end
    return
  end
  redis.call(unpack(hset))
  if not record.known then
    wait(id)
  end
  record.paid, record.paid_named, record.known = revision, epoch, true
  changed = true
end

-- The field of the earliest of the steps, and its time.
local function earliest(key)
  local field, time
  local steps = redis.call('HGETALL', key)
  for n = 1, #steps, 2 do
    local step_at = steps[n + 1]:match('"at":"([^"]*)"') or ''
    local is_earlier = not time or before(step_at, time)
    if is_earlier or (step_at == time and newer(field:match('%d+$'), steps[n]:match('%d+$'))) then
      field, time = steps[n], step_at
    end
  end
  return field, time
end

-- A step's JSON comes without its closing brace, to be completed by the rebuild that last named it.
function writes.step()
  local id, field, step_at, json = take(), take(), take(), take()
  local record = load(id)
  if not admits(id, record) then
    return
  end
  local key = P .. 'timeline:' .. id
  local named = ',"named":' .. epoch .. '}'
  local is_new = record.steps < most_steps and redis.call('HSETNX', key, field, json .. named) == 1
  if not is_new then
    local old = redis.call('HGET', key, field)
    if old then
      if old:sub(-#named) ~= named then
        redis.call('HSET', key, field, json .. named)
        changed = true
      end
      return
    end
    local first, time = earliest(key)
    if before(step_at, time) or (step_at == time and newer(first:match('%d+$'), field:match('%d+$'))) then
      return
    end
    redis.call('HDEL', key, first)
    redis.call('HSET', key, field, json .. named)
  else
    record.steps = record.steps + 1
  end
  if not record.known then
    wait(id)
    record.known = true
  end
  changed = true
end

-- Whether an object under `key` is to be taken instead of what is there.
local function takes(key, index, id, revision)
  local old = redis.call('HMGET', key, 'revision', 'named')
  if old[1] and not supersedes(revision, old[1]) then
    if old[2] ~= epoch then
      redis.call('HSET', key, 'named', epoch)
    end
    return false
  end
  if not old[1] then
    redis.call('ZADD', P .. index, 0, id)
  end
  changed = true
  return true
end

function writes.account()
  local customer, revision, balance = take(), take(), take()
  local key = P .. 'account:' .. customer
  if takes(key, 'accounts', customer, revision) then
    local old = counted(key)
    if old then
      subtract_balance(old)
    end
    add_balance(balance)
    redis.call('HSET', key, 'customer', customer, 'balance', balance, 'revision', revision, 'counted', balance,
      'named', epoch)
  end
end

function writes.item()
  local id, revision = take(), take()
  local key = P .. 'item:' .. id
  local hset = take_fields(ITEM, { 'HSET', key, 'named', epoch })
  if takes(key, 'items', id, revision) then
    redis.call(unpack(hset))
  end
end

-- Should a script have stopped in the middle, the stream is ahead of its number.
local function newest_entry()
  local told = tonumber(redis.call('HGET', P .. 'epoch', 'feed'))
  local last = redis.call('XREVRANGE', P .. 'feed', '+', '-', 'COUNT', 1)[1]
  return math.max(told, last and tonumber(last[1]:match('^%d+')) or 0)
end

local last_entry_before = newest_entry()
local last_entry = last_entry_before

function writes.feed()
  local id, json = take(), take()
  local number = count(last_entry + 1)
  if redis.call('ZADD', P .. 'feed:ids', 'NX', number, id) == 1 then
    redis.call('XADD', P .. 'feed', 'MAXLEN', '~', most_feed, number .. '-0', 'event', json)
    last_entry = last_entry + 1
    changed = true
  end
end

-- Once for all entries of a batch.
local function trim_feed()
  if last_entry > last_entry_before then
    redis.call('HSET', P .. 'epoch', 'feed', count(last_entry))
    redis.call('ZREMRANGEBYSCORE', P .. 'feed:ids', '-inf', count(last_entry - most_feed))
  end
end

while at <= #ARGV do
  writes[take()]()
end
trim_feed()
-- A rebuild may tell all payments before the first order, so that as many may wait as there may be orders.
trim_waiting(rebuilding and math.max(most_waiting, keep) or most_waiting, forget_at_once)
return changed and tell() or ''
