-- Removes a piece of what the current rebuild did not tell. After the prefix: the rebuild's number, the stage,
-- where it goes on ('' at its beginning), objects to look at, and how many orders may be waited for.
-- Answers nil when the contents were lost; else the change's id or '', the next stage ('' when all is done, 'superseded' when
-- another rebuild has begun, 'disputed' when what was removed has to be told again), and where that goes on.
local number, stage, cursor = ARGV[2], ARGV[3], ARGV[4]
local at_once, most_waiting = tonumber(ARGV[5]), tonumber(ARGV[6])

if not epoch then
  return false
end
if epoch ~= number or not rebuilding then
  return { '', 'superseded', '' }
end

local removed = false

-- What stood there at a revision that nobody told kept out what the logs have: that has to be told again.
local function dispute(named)
  if named == disputed then
    redis.call('HINCRBY', P .. 'epoch', 'disputed', 1)
  end
end

local function drop(key, fields)
  if #fields > 0 then
    redis.call('HDEL', key, unpack(fields))
    removed = true
  end
  return #fields > 0
end

local function sweep_steps(id)
  local key = P .. 'timeline:' .. id
  local named = ',"named":' .. epoch .. '}'
  local steps, unnamed = redis.call('HGETALL', key), {}
  for n = 1, #steps, 2 do
    if steps[n + 1]:sub(-#named) ~= named then
      unnamed[#unnamed + 1] = steps[n]
    end
  end
  drop(key, unnamed)
  return #steps > 2 * #unnamed
end

-- Drops the order's fields, or its payment's.
local function sweep_fields(id, are_of_payment)
  local key, unnamed = P .. 'order:' .. id, {}
  for _, field in ipairs(redis.call('HKEYS', key)) do
    if (field:sub(1, 8) == 'payment.') == are_of_payment then
      unnamed[#unnamed + 1] = field
    end
  end
  drop(key, unnamed)
end

local function sweep_record(id)
  local record = load(id)
  if record.paid and record.paid_named ~= epoch then
    dispute(record.paid_named)
    sweep_fields(id, true)
    record.paid = false
  end
  local has_steps = sweep_steps(id)
  local had_order = record.revision
  -- A batch that was cut short, or somebody else, left only its name.
  if not had_order then
    redis.call('ZREM', P .. 'orders:ids', id)
  end
  if had_order and record.named ~= epoch then
    dispute(record.named)
    leave_indexes(id, record)
    sweep_fields(id, false)
    record.revision = false
  end
  if not record.revision and not record.paid and not has_steps then
    redis.call('ZREM', P .. 'waiting', id)
    removed = true
  elseif had_order and not record.revision then
    wait(id)
  end
end

-- The next of a set that is sorted by name.
local function by_name(set)
  local from = cursor == '' and '-' or '(' .. cursor
  return redis.call('ZRANGEBYLEX', P .. set, from, '+', 'LIMIT', 0, at_once)
end

local function sweep_objects(set, kind, on_remove)
  local names = by_name(set)
  for _, name in ipairs(names) do
    local key = P .. kind .. name
    local named = redis.call('HGET', key, 'named')
    if named ~= epoch then
      dispute(named)
      on_remove(key)
      redis.call('DEL', key)
      redis.call('ZREM', P .. set, name)
      removed = true
    end
  end
  return names[#names]
end

local stages = {}

function stages.orders()
  local ids = by_name('orders:ids')
  for _, id in ipairs(ids) do
    sweep_record(id)
  end
  return ids[#ids], 'waiting'
end

function stages.waiting()
  local from = cursor == '' and '-inf' or '(' .. cursor
  local found = redis.call('ZRANGEBYSCORE', P .. 'waiting', from, '+inf', 'WITHSCORES', 'LIMIT', 0, at_once)
  for n = 1, #found, 2 do
    sweep_record(found[n])
  end
  return found[#found], 'accounts'
end

function stages.accounts()
  local last = sweep_objects('accounts', 'account:', function(key)
    subtract_balance(counted(key) or '0')
  end)
  return last, 'items'
end

function stages.items()
  return sweep_objects('items', 'item:', function() end), 'members'
end

local INDEXES = { 'orders' }
for _, status in ipairs(STATUSES) do
  INDEXES[#INDEXES + 1] = 'orders:status:' .. status
end

-- Whether the indexes have as many members as there are orders. Each order is in them by now, so there are no others then.
local function are_exact()
  local orders, by_status = redis.call('ZCARD', P .. 'orders:ids'), 0
  for n = 2, #INDEXES do
    by_status = by_status + redis.call('ZCARD', P .. INDEXES[n])
  end
  return orders == by_status and orders == redis.call('ZCARD', P .. 'orders')
end

-- Members that are no orders, or not of that status.
function stages.members()
  local n, from = cursor:match('^(%d+) (%d+)$')
  if not n and are_exact() then
    return nil, 'trim'
  end
  n, from = tonumber(n or 1), from or '0'
  local index = INDEXES[n]
  local scanned = redis.call('ZSCAN', P .. index, from, 'COUNT', at_once)
  for at = 1, #scanned[2], 2 do
    local record = load(scanned[2][at])
    local is_right = record.revision and (n == 1 or index == 'orders:status:' .. tostring(record.status))
    if not is_right then
      redis.call('ZREM', P .. index, scanned[2][at])
      removed = true
    end
  end
  if scanned[1] ~= '0' then
    return n .. ' ' .. scanned[1], nil
  elseif n < #INDEXES then
    return (n + 1) .. ' 0', nil
  end
  return nil, 'trim'
end

function stages.trim()
  if not trim_waiting(most_waiting, at_once) then
    return '', ''
  end
  local sum = redis.call('HGET', P .. 'epoch', 'balances')
  if sum then
    redis.call('HSET', P .. 'counts', 'balances', sum)
  end
  removed = true
  if redis.call('HGET', P .. 'epoch', 'disputed') ~= '0' then
    return nil, 'disputed'
  end
  redis.call('HDEL', P .. 'epoch', 'rebuilding')
  return nil, ''
end

local last, next_stage = stages[stage]()
local change = removed and tell() or ''
if last then
  return { change, stage, last }
end
return { change, next_stage, '' }
