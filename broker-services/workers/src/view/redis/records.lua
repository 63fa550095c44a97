-- What each script that writes the view has ahead of its own lines, after `text_order.lua`. ARGV[1] is the prefix of
-- all keys.
--
-- A script runs alone, so nobody sees half of it. Should it ever stop in the middle (somebody else's value under
-- one of these keys), applying the batch again completes it: every write is guarded by itself, and the counts
-- are taken from the indexes, not added up.
-- Locals: a global is looked up by its name each time.
local redis, ARGV = redis, ARGV
local P = ARGV[1]
local STATUSES = { 'paying', 'placed', 'delivering', 'cancelled', 'rejected' }
local ENDED = { 'delivering', 'cancelled', 'rejected' }

-- Without the epoch the contents were lost: a flushed or a fresh Redis.
-- `unfinished`: a batch was cut short, so that nobody was told of what it wrote.
local state = redis.call('HMGET', P .. 'epoch', 'number', 'rebuilding', 'unfinished', 'feed', 'forgotten', 'arrivals')
local epoch, rebuilding, unfinished = state[1], state[2], state[3]

-- A double holds all numbers of so many digits; the milliseconds of today have 13.
local MAX_DIGITS = 15

-- Whether a number of ours can have become this. One that was made larger counts no further: adding one changes nothing.
local function is_count(value)
  return value and #value <= MAX_DIGITS and value:match('^%d+$')
end

-- What an object has in `named` for which a rebuild was told lower revisions only than it has. The revision itself is told
-- by the end of a log, unless nobody ever told it.
local disputed = epoch and epoch .. '-'

-- Numbers that have more digits than a double holds are compared as texts.
local function newer(one, other)
  if #one ~= #other then
    return #one > #other
  end
  return before(other, one)
end

local function count(number)
  return string.format('%.0f', number)
end

-- What a script has read of the orders it writes to.
local records = {}

local function load(id)
  local record = records[id]
  if not record then
    local key = P .. 'order:' .. id
    local held = redis.call('HMGET', key, 'revision', 'status', 'customer', 'item_id', 'placed_at', 'named',
      'payment.revision', 'payment.named')
    local steps = redis.call('HLEN', P .. 'timeline:' .. id)
    record = {
      revision = held[1], status = held[2], customer = held[3], item = held[4], placed = held[5],
      named = held[6], paid = held[7], paid_named = held[8],
      steps = steps, known = held[1] or held[7] or steps > 0,
    }
    records[id] = record
  end
  return record
end

-- Somebody else may have altered the fields that say in which it is.
local function leave_indexes(id, record)
  redis.call('ZREM', P .. 'orders', id)
  redis.call('ZREM', P .. 'orders:ids', id)
  for _, status in ipairs(STATUSES) do
    redis.call('ZREM', P .. 'orders:status:' .. status, id)
  end
  if record.customer then
    redis.call('ZREM', P .. 'orders:customer:' .. record.customer, id)
  end
  if record.item then
    redis.call('ZREM', P .. 'orders:item:' .. record.item, id)
  end
end

local function remove(id)
  local record = load(id)
  if record.revision then
    leave_indexes(id, record)
  else
    redis.call('ZREM', P .. 'waiting', id)
  end
  redis.call('DEL', P .. 'order:' .. id, P .. 'timeline:' .. id)
  records[id] = nil
end

-- Notes that something is known of an order that is not there.
local function wait(id)
  local arrival = redis.call('HINCRBY', P .. 'epoch', 'arrivals', 1)
  redis.call('ZADD', P .. 'waiting', 'NX', count(arrival), id)
end

-- Removes the longest waiting until there are no more than `most`, but no more than `at_once`.
local function trim_waiting(most, at_once)
  local over = math.min(redis.call('ZCARD', P .. 'waiting') - most, at_once)
  if over > 0 then
    for _, id in ipairs(redis.call('ZRANGE', P .. 'waiting', 0, over - 1)) do
      remove(id)
    end
  end
  return over < at_once
end

-- A sum that no longer fits in 64 bits stays as it is rather than stop the batch.
local function add_balance(amount)
  redis.pcall('HINCRBY', P .. 'counts', 'balances', amount)
end

local function negated(amount)
  return amount:sub(1, 1) == '-' and amount:sub(2) or '-' .. amount
end

local function subtract_balance(amount)
  add_balance(negated(amount))
end

-- A rebuild adds up the balances that are told while it runs: at its end they are the sum, whatever stood there.
local function add_told_balance(amount)
  redis.pcall('HINCRBY', P .. 'epoch', 'balances', amount)
end

-- What of an account is in the sum of all: not what somebody may have made of its balance meanwhile. An account that was
-- written before this was noted has its balance there.
local function counted(key)
  local old = redis.call('HMGET', key, 'counted', 'balance')
  return old[1] or old[2]
end

-- Pushes to the readers. The change's id.
local function push()
  return redis.call('XADD', P .. 'changes', 'MAXLEN', 1, '*', 'changed', 1)
end

-- Brings the counts up to date, and pushes to the readers that more than a heartbeat has changed.
local function tell()
  local change = push()
  local counts = { 'HSET', P .. 'counts', 'written', change }
  for _, status in ipairs(STATUSES) do
    counts[#counts + 1] = status
    counts[#counts + 1] = redis.call('ZCARD', P .. 'orders:status:' .. status)
  end
  for _, kind in ipairs({ 'accounts', 'items' }) do
    counts[#counts + 1] = kind
    counts[#counts + 1] = redis.call('ZCARD', P .. kind)
  end
  redis.call(unpack(counts))
  return change
end
