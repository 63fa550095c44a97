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
  return sweep_objects('items', 'item:', function() end), 'indexes'
end

-- Whether the indexes that there is one of have as many members as there are orders. Each order is in them by now, so there
-- are no others then.
local function are_exact()
  local orders, by_status = redis.call('ZCARD', P .. 'orders:ids'), 0
  for _, status in ipairs(STATUSES) do
    by_status = by_status + redis.call('ZCARD', P .. 'orders:status:' .. status)
  end
  return orders == by_status and orders == redis.call('ZCARD', P .. 'orders')
end

-- Notes the indexes that may have members which are no orders, or not of that status, customer or item. Which customers and
-- items have one, their keys alone tell; to look at a key costs a tenth of an object.
function stages.indexes()
  local from = cursor
  if from == '' then
    from = '0'
    if not are_exact() then
      redis.call('SADD', P .. 'unswept', P .. 'orders')
      for _, status in ipairs(STATUSES) do
        redis.call('SADD', P .. 'unswept', P .. 'orders:status:' .. status)
      end
    end
  end
  local scanned = redis.call('SCAN', from, 'MATCH', pattern(P .. 'orders:'), 'COUNT', 10 * at_once)
  for _, key in ipairs(scanned[2]) do
    local name = key:sub(#P + 1)
    if name:sub(1, 16) == 'orders:customer:' or name:sub(1, 12) == 'orders:item:' then
      redis.call('SADD', P .. 'unswept', key)
    end
  end
  if scanned[1] ~= '0' then
    return scanned[1], nil
  end
  return nil, 'members'
end

local function is_in(index, record)
  if not record.revision then
    return false
  end
  return index == 'orders' or index == 'orders:status:' .. tostring(record.status)
    or index == 'orders:customer:' .. tostring(record.customer) or index == 'orders:item:' .. tostring(record.item)
end

-- Looks through the indexes that were noted, each in pieces: where in which it goes on.
function stages.members()
  local from, key = cursor:match('^(%d+) (.*)$')
  local budget = at_once
  while budget > 0 do
    key = key or redis.call('SRANDMEMBER', P .. 'unswept')
    if not key then
      return nil, 'trim'
    end
    local scanned = redis.call('ZSCAN', key, from or '0', 'COUNT', budget)
    for at = 1, #scanned[2], 2 do
      local id = scanned[2][at]
      if not is_in(key:sub(#P + 1), load(id)) then
        redis.call('ZREM', key, id)
        removed = true
      end
    end
    budget = budget - 1 - #scanned[2] / 2
    from = scanned[1]
    if from == '0' then
      redis.call('SREM', P .. 'unswept', key)
      from, key = nil, nil
    end
  end
  return key and from .. ' ' .. key or '', nil
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
