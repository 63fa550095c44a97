-- Applies one batch. After the prefix: the bounds, then each write as its tag and its parts.
-- Answers nil when the contents were lost, '' when nothing changed, else the change's id.
local keep, most_waiting = tonumber(ARGV[2]), tonumber(ARGV[3])
local most_forgotten, most_feed = tonumber(ARGV[4]), tonumber(ARGV[5])
local most_in_entry = tonumber(ARGV[6])
local most_steps, forget_at_once = tonumber(ARGV[7]), tonumber(ARGV[8])

if not epoch then
  return false
end
if not (is_count(state[4]) and is_count(state[5]) and is_count(state[6])) then
  return redis.error_reply('FOREIGN a number of the view is none that it counts')
end

local at = 9
local function take()
  at = at + 1
  return ARGV[at - 1]
end

-- Appends the fields `names` with the values that come next.
local function take_fields(names, command)
  local length = #command
  for n = 1, #names do
    command[length + 1], command[length + 2] = names[n], ARGV[at]
    length, at = length + 2, at + 1
  end
end

-- Passes over the values of the fields `names`.
local function skip_fields(names)
  at = at + #names
end

-- Where the value of a field is that comes next, counted from the first of `names`.
local function place_of(names, field)
  for n, name in ipairs(names) do
    if name == field then
      return n - 1
    end
  end
end

local REVISION, STATUS, PLACED_AT = place_of(ORDER, 'revision'), place_of(ORDER, 'status'), place_of(ORDER, 'placed_at')
local CUSTOMER, ITEM_ID = place_of(ORDER, 'customer'), place_of(ORDER, 'item_id')
local PAYMENT_REVISION = place_of(PAYMENT, 'payment.revision')

local changed = unfinished and true
local total = redis.call('ZCARD', P .. 'orders')
local has_forgotten = redis.call('EXISTS', P .. 'forgotten') == 1

-- What the batch comes to: a command that names many members costs little more than one that names one.
local leaving, joining, hashes = {}, {}, {}

local function join(index, score, id)
  local zadd = joining[index] or { 'ZADD', P .. index }
  joining[index] = zadd
  local length = #zadd
  zadd[length + 1], zadd[length + 2] = score, id
end

local function leave(index, id)
  local zrem = leaving[index] or { 'ZREM', P .. index }
  leaving[index] = zrem
  zrem[#zrem + 1] = id
end

-- The hashes, whose revisions are the guards, come last: a batch that was cut short is completed by applying it again.
local function write_rows()
  for _, commands in ipairs({ leaving, joining, hashes }) do
    for _, command in pairs(commands) do
      redis.call(unpack(command))
    end
  end
end

-- Whether there may be a record of this order. A late repetition does not bring back one that was forgotten;
-- while a rebuild runs, logs tell again what a full view has just forgotten.
local function admits(id, record)
  return record.known or rebuilding or not has_forgotten or not redis.call('ZSCORE', P .. 'forgotten', id)
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
    leave(index .. old, id)
  end
  if old ~= new or moved then
    join(index .. new, placed_ms, id)
  end
end

-- Names an object in the field `field` of its hash: as told when it is taken, as disputed when what was told is older than
-- what stands there and was not told itself. What the field then says.
local function name(hset, field, old, is_taken)
  local new = is_taken and epoch or old
  if not is_taken and rebuilding and old ~= epoch then
    new = disputed
  end
  if is_taken or new ~= old then
    hset[#hset + 1], hset[#hset + 2] = field, new
  end
  return new
end

-- The parts of a row take their arguments, and add to `hset` what they change of the order's hash.
local function take_order(id, record, hset)
  local placed_ms = take()
  local revision, status, customer = ARGV[at + REVISION], ARGV[at + STATUS], ARGV[at + CUSTOMER]
  local item, placed = ARGV[at + ITEM_ID], ARGV[at + PLACED_AT]
  local is_new = not record.revision or supersedes(revision, record.revision)
  if is_new then
    take_fields(ORDER, hset)
  else
    skip_fields(ORDER)
  end
  record.named = name(hset, 'named', record.named, is_new)
  if not is_new then
    return
  end
  -- A rebuild does not rely on where it stands: somebody may have altered that.
  local moved = rebuilding or record.placed ~= placed
  if moved then
    join('orders', placed_ms, id)
  end
  if not record.revision or rebuilding then
    join('orders:ids', '0', id)
  end
  if not record.revision then
    total = total + 1
    if record.known then
      leave('waiting', id)
    end
  end
  move(id, 'orders:status:', record.status, status, placed_ms, moved)
  move(id, 'orders:customer:', record.customer, customer, placed_ms, moved)
  move(id, 'orders:item:', record.item, item, placed_ms, moved)
  record.revision, record.status, record.customer, record.item = revision, status, customer, item
  record.placed, record.known = placed, true
  changed = true
end

local function take_payment(record, hset)
  local revision = ARGV[at + PAYMENT_REVISION]
  local is_new = not record.paid or supersedes(revision, record.paid)
  if is_new then
    take_fields(PAYMENT, hset)
  else
    skip_fields(PAYMENT)
  end
  record.paid_named = name(hset, 'payment.named', record.paid_named, is_new)
  if is_new then
    record.paid = revision
    changed = true
  end
end

local function time_of(step)
  return step:match('"at":"([^"]*)"') or ''
end

-- The field of the earliest of the steps, and its time.
local function earliest(key)
  local field, time
  local steps = redis.call('HGETALL', key)
  for n = 1, #steps, 2 do
    local step_at = time_of(steps[n + 1])
    local is_earlier = not time or before(step_at, time)
    if is_earlier or (step_at == time and newer(field:match('%d+$'), steps[n]:match('%d+$'))) then
      field, time = steps[n], step_at
    end
  end
  return field, time
end

-- Puts a step in the place of the earliest one of a timeline that is full, unless it is earlier than that. Whether it did.
local function displace(key, field, json)
  local first, time = earliest(key)
  local step_at = time_of(json)
  if before(step_at, time) or (step_at == time and newer(first:match('%d+$'), field:match('%d+$'))) then
    return false
  end
  redis.call('HDEL', key, first)
  redis.call('HSET', key, field, json)
  changed = true
  return true
end

-- Whether the feed has not told of a step.
local function is_untold(json)
  return json:find(UNTOLD, 1, true)
end

-- How often a step was told again because its order waits.
local function times_told_again(json)
  return tonumber(json:match('"told_again":(%d+)') or 0)
end

-- What completes a step's JSON, which comes without its closing brace: the rebuild that named it last.
local named = ',"named":' .. epoch .. '}'

-- The steps so far, in the order in which they came, and those of them of which the feed is to tell now.
local steps_seen, is_news = 0, {}

-- Writes the steps that are new, and names those that are not: `number` fields from the argument `from` on, then as many
-- JSONs.
local function write_steps(key, record, from, number)
  local held = {}
  if record.steps > 0 then
    held = redis.call('HMGET', key, unpack(ARGV, from, from + number - 1))
  end
  local hset, length = { 'HSET', key }, 2
  local function put(n, json)
    hset[length + 1], hset[length + 2], length = ARGV[from + n], json .. named, length + 2
  end
  local too_many = {}
  for n = 0, number - 1 do
    local old, json = held[n + 1], ARGV[from + number + n]
    if not old and record.steps < most_steps then
      put(n, json)
      record.steps = record.steps + 1
      is_news[steps_seen + n] = true
    elseif not old then
      too_many[#too_many + 1] = n
    elseif is_untold(old) and not is_untold(json) then
      put(n, json)
      is_news[steps_seen + n] = true
    elseif old:sub(-#named) ~= named then
      put(n, is_untold(old) and json or json:gsub(UNTOLD, ''))
    elseif times_told_again(json) > times_told_again(old) then
      put(n, json)
    end
  end
  if length > 2 then
    redis.call(unpack(hset))
    changed = true
  end
  for _, n in ipairs(too_many) do
    is_news[steps_seen + n] = displace(key, ARGV[from + n], ARGV[from + number + n] .. named)
  end
end

local function take_steps(id, record, number)
  if number > 0 then
    write_steps(P .. 'timeline:' .. id, record, at, number)
    at = at + 2 * number
  end
  return number > 0
end

local function write_row(id, record, steps)
  local hset = { 'HSET', P .. 'order:' .. id }
  if take() == 'order' then
    take_order(id, record, hset)
  end
  local has_others = false
  if take() == 'payment' then
    take_payment(record, hset)
    has_others = true
  end
  has_others = take_steps(id, record, steps) or has_others
  if has_others and not record.known then
    wait(id)
    record.known = true
  end
  if #hset > 2 then
    hashes[#hashes + 1] = hset
  end
end

local writes = {}

-- What is new of one order: the order, its payment, its steps.
function writes.row()
  local id = take()
  local after = at + 2 + tonumber(take())
  local steps = tonumber(take())
  local record = load(id)
  if admits(id, record) then
    write_row(id, record, steps)
  end
  steps_seen, at = steps_seen + steps, after
end

-- Whether an object under `key` is to be taken instead of what is there, and whether this rebuild has told of that.
local function takes(key, index, id, revision)
  local old = redis.call('HMGET', key, 'revision', 'named')
  if old[1] and not supersedes(revision, old[1]) then
    if rebuilding and old[2] ~= epoch then
      redis.call('HSET', key, 'named', disputed)
    end
    return false
  end
  if not old[1] or rebuilding then
    redis.call('ZADD', P .. index, 0, id)
  end
  changed = true
  return true, rebuilding and old[2] == epoch
end

function writes.account()
  local customer, revision, balance = take(), take(), take()
  local key = P .. 'account:' .. customer
  local is_taken, was_told = takes(key, 'accounts', customer, revision)
  if is_taken then
    local old = counted(key)
    if old then
      subtract_balance(old)
    end
    add_balance(balance)
    if rebuilding then
      if was_told then
        add_told_balance(negated(old))
      end
      add_told_balance(balance)
    end
    redis.call('HSET', key, 'customer', customer, 'balance', balance, 'revision', revision, 'counted', balance,
      'named', epoch)
  end
end

function writes.item()
  local id, revision = take(), take()
  local key = P .. 'item:' .. id
  local hset = { 'HSET', key, 'named', epoch }
  take_fields(ITEM, hset)
  if takes(key, 'items', id, revision) then
    redis.call(unpack(hset))
  end
end

-- The number of the newest event told. Should a script have stopped in the middle, the stream is ahead of its number.
local function newest_event()
  local told = tonumber(redis.call('HGET', P .. 'epoch', 'feed'))
  local last = redis.call('XREVRANGE', P .. 'feed', '+', '-', 'COUNT', 1)[1]
  return math.max(told, last and tonumber(last[1]:match('^%d+')) or 0)
end

-- Of the last events told at least `most_feed` ids are kept, in two sets of which the older one is dropped as a whole. So
-- only ids that are new go in: those that come again would push out others.
local function keep_ids(ids)
  if redis.call('SCARD', P .. 'feed:told') >= most_feed then
    -- What a name is given to instead is freed at once, all of it; this leaves it to another thread.
    redis.call('UNLINK', P .. 'feed:told:older')
    redis.call('RENAME', P .. 'feed:told', P .. 'feed:told:older')
  end
  redis.call('SADD', P .. 'feed:told', unpack(ids))
end

-- Tells the events from `first` to `last` in one entry, whose id is the number of the last: an entry of its own for each
-- would cost several times as much. Those that are `most_feed` events old are dropped.
local function tell_events(events, first, last, number)
  local oldest = math.max(number - most_feed + 1, 0)
  local xadd = { 'XADD', P .. 'feed', 'MINID', '~', count(oldest), count(number) .. '-0' }
  local length = #xadd
  for n = first, last do
    xadd[length + 1], xadd[length + 2], length = 'event', events[n], length + 2
  end
  redis.call(unpack(xadd))
end

-- Those of the `number` events whose ids begin at the argument `from`, with their JSONs behind them, that were not told yet.
local function untold(from, number)
  local told = redis.call('SMISMEMBER', P .. 'feed:told', unpack(ARGV, from, from + number - 1))
  local told_before = redis.call('SMISMEMBER', P .. 'feed:told:older', unpack(ARGV, from, from + number - 1))
  local ids, events, length = {}, {}, 0
  for n = 1, number do
    if told[n] == 0 and told_before[n] == 0 then
      length = length + 1
      ids[length], events[length] = ARGV[from + n - 1], ARGV[from + number + n - 1]
    end
  end
  return ids, events, length
end

-- Tells `length` events that were not told yet.
local function tell_all(events, length)
  if length == 0 then
    return
  end
  local told = newest_event()
  for first = 1, length, most_in_entry do
    local last = math.min(first + most_in_entry - 1, length)
    tell_events(events, first, last, told + last)
  end
  redis.call('HSET', P .. 'epoch', 'feed', count(told + length))
  changed = true
end

-- Events that are steps of the orders before, and told with them: how many, as which of the steps so far they came, then as
-- many JSONs. The timelines know which of them are new; what comes late about a forgotten order, which has none, is not told.
function writes.lines()
  local number = tonumber(take())
  local events, length = {}, 0
  for n = at, at + number - 1 do
    if is_news[tonumber(ARGV[n])] then
      length = length + 1
      events[length] = ARGV[n + number]
    end
  end
  at = at + 2 * number
  tell_all(events, length)
end

-- Other events, each once: how many, their ids, then as many JSONs. The ids are kept first: an event would rather be
-- missing than be there twice.
function writes.feed()
  local number = tonumber(take())
  local ids, events, length = untold(at, number)
  at = at + 2 * number
  if length > 0 then
    keep_ids(ids)
  end
  tell_all(events, length)
end

redis.call('HSET', P .. 'epoch', 'unfinished', 1)
while at <= #ARGV do
  writes[take()]()
end
write_rows()
forget_ended()
-- A rebuild may tell all payments before the first order, so that as many may wait as there may be orders.
trim_waiting(rebuilding and math.max(most_waiting, keep) or most_waiting, forget_at_once)
local change = changed and tell() or ''
redis.call('HDEL', P .. 'epoch', 'unfinished')
return change
