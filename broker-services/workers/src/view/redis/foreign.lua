-- Finds keys of the view that hold another type than it keeps there: somebody else wrote them. ARGV: the prefix of all keys;
-- where to go on ('' at the beginning: the keys that there is one of, which are found at once however many there are),
-- keys to look at; '1' to remove what is found.
-- Answers where to go on ('0' when all were looked at), then each as its key, its type, and the type that belongs there.
local P, cursor, at_once, remove = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'

local SINGLE = {
  epoch = 'hash', counts = 'hash', changes = 'stream', feed = 'stream', ['feed:told'] = 'set', ['feed:told:older'] = 'set',
  orders = 'zset', ['orders:ids'] = 'zset', accounts = 'zset', items = 'zset', waiting = 'zset', forgotten = 'zset',
  services = 'zset', breakers = 'zset', unswept = 'set',
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

if cursor == '' then
  for name, must in pairs(SINGLE) do
    look(P .. name, must)
  end
  return { '0-', found }
end
local scanned = redis.call('SCAN', cursor:match('%d+'), 'MATCH', pattern(P), 'COUNT', at_once)
for _, key in ipairs(scanned[2]) do
  look_by_name(key)
end
return { scanned[1], found }
