-- Finds keys of the view that hold another type than it keeps there, or a value that it never keeps: somebody else wrote
-- them. Of values, those are looked at that stop a script or a reader. ARGV: the prefix of all keys;
-- where to go on ('' at the beginning: the keys that there is one of, which are found at once however many there are),
-- keys to look at; '1' to remove what is found.
-- Answers where to go on ('0' when all were looked at), then each as its key, what it holds, and what belongs there.
local P, cursor, at_once, remove = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'

local SINGLE = {
  epoch = 'hash', counts = 'hash', changes = 'stream', feed = 'stream', ['feed:told'] = 'set', ['feed:told:older'] = 'set',
  orders = 'zset', ['orders:ids'] = 'zset', accounts = 'zset', items = 'zset', waiting = 'zset', forgotten = 'zset',
  services = 'zset', breakers = 'zset', unswept = 'set', logs = 'hash',
}
local FAMILIES = {
  ['order:'] = 'hash', ['timeline:'] = 'hash', ['account:'] = 'hash', ['item:'] = 'hash', ['service:'] = 'hash',
  ['breaker:'] = 'hash', ['orders:status:'] = 'zset', ['orders:customer:'] = 'zset', ['orders:item:'] = 'zset',
}

local found = {}

local function look(key, must)
  local is = redis.call('TYPE', key)['ok']
  if is == 'none' or is == must then
    return
  end
  found[#found + 1] = { key, is, must }
  if remove then
    redis.call('UNLINK', key)
  end
end

local function look_by_name(key)
  local name = key:sub(#P + 1)
  for family, must in pairs(FAMILIES) do
    if name:sub(1, #family) == family then
      look(key, must)
    end
  end
end

local MAX_DIGITS = 15

local function look_at_number(name, field, pattern, most)
  local value = redis.call('HGET', P .. name, field)
  if value and not (#value <= most and value:match(pattern)) then
    found[#found + 1] = { P .. name, "'" .. value:sub(1, 40) .. "' as its field '" .. field .. "'", 'number' }
    if remove then
      redis.call('HDEL', P .. name, field)
    end
  end
end

local function look_at_stream(name)
  local info = redis.call('XINFO', 'STREAM', P .. name)
  for n = 1, #info, 2 do
    if info[n] == 'last-generated-id' and #info[n + 1]:match('^%d+') > MAX_DIGITS then
      found[#found + 1] = { P .. name, 'stream whose last id is ' .. info[n + 1], 'stream that can go on' }
      if remove then
        redis.call('UNLINK', P .. name)
      end
    end
  end
end

-- Of keys that have the right type.
local function look_at_values()
  local function has(name, must)
    return redis.call('TYPE', P .. name)['ok'] == must
  end
  if has('epoch', 'hash') then
    for _, field in ipairs({ 'feed', 'forgotten', 'arrivals' }) do
      look_at_number('epoch', field, '^%d+$', MAX_DIGITS)
    end
    look_at_number('epoch', 'balances', '^-?%d+$', 20)
  end
  if has('counts', 'hash') then
    for _, field in ipairs({ 'accounts', 'items', 'paying', 'placed', 'delivering', 'cancelled', 'rejected' }) do
      look_at_number('counts', field, '^%d+$', MAX_DIGITS)
    end
    look_at_number('counts', 'balances', '^-?%d+$', 20)
  end
  for _, name in ipairs({ 'changes', 'feed' }) do
    if has(name, 'stream') then
      look_at_stream(name)
    end
  end
end

if cursor == '' then
  for name, must in pairs(SINGLE) do
    look(P .. name, must)
  end
  look_at_values()
  return { '0-', found }
end
local scanned = redis.call('SCAN', cursor:match('%d+'), 'MATCH', pattern(P), 'COUNT', at_once)
for _, key in ipairs(scanned[2]) do
  look_by_name(key)
end
return { scanned[1], found }
