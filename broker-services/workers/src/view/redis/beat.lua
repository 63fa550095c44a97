-- Records a heartbeat, or a breaker's change. After the prefix: 'beat' or 'breaker', the instance, what tells an older one
-- (a heartbeat's number, or when it was in ms), how long a silent instance is kept in ms, instances kept, changes kept; a change's field and JSON; then
-- fields and values.
-- Answers as apply does.
local what, instance, nth = ARGV[2], ARGV[3], ARGV[4]
local silent_ms, most, most_changes = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local change, json = ARGV[8], ARGV[9]

if not epoch then
  return false
end

local kind, set = 'service:', 'services'
if what == 'breaker' then
  kind, set = 'breaker:', 'breakers'
end
local key = P .. kind .. instance

-- By this server's clock: an instance's own may be wrong.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local function heard(in_set, of_key)
  if redis.call('PEXPIRE', of_key, silent_ms) == 1 then
    redis.call('ZADD', P .. in_set, count(now), instance)
  end
end

local function set_fields(to)
  local hset = { 'HSET', to, 'nth', nth }
  for n = 10, #ARGV do
    hset[#hset + 1] = ARGV[n]
  end
  redis.call(unpack(hset))
end

-- The change that happened first of those that are kept.
local function earliest_change()
  local first
  for _, field in ipairs(redis.call('HKEYS', key)) do
    local ms = tonumber(field:match('^change:(-?%d+):'))
    if ms and (not first or ms < first.ms) then
      first = { ms = ms, field = field }
    end
  end
  return first
end

local last = tonumber(redis.call('HGET', key, 'nth'))
if what == 'beat' then
  if last and last >= tonumber(nth) then
    return ''
  end
  set_fields(key)
  -- A breaker rarely changes: its history stays for as long as its instance beats.
  heard('breakers', P .. 'breaker:' .. instance)
else
  if redis.call('HEXISTS', key, change) == 1 then
    heard(set, key)
    return ''
  end
  local changes = tonumber(redis.call('HGET', key, 'changes')) or 0
  if changes >= most_changes then
    local first = earliest_change()
    if first.ms > tonumber(nth) then
      heard(set, key)
      return ''
    end
    redis.call('HDEL', key, first.field)
  else
    redis.call('HINCRBY', key, 'changes', 1)
  end
  redis.call('HSET', key, change, json)
  if not last or last <= tonumber(nth) then
    set_fields(key)
  end
end
heard(set, key)

-- Silent instances have expired; only their names are left.
redis.call('ZREMRANGEBYSCORE', P .. set, '-inf', '(' .. count(now - silent_ms))
local over = redis.call('ZCARD', P .. set) - most
if over > 0 then
  for _, name in ipairs(redis.call('ZRANGE', P .. set, 0, over - 1)) do
    redis.call('DEL', P .. kind .. name)
    redis.call('ZREM', P .. set, name)
  end
end
if what == 'breaker' then
  return tell()
end
return push()
