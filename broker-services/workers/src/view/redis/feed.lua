-- The newest events of the feed. ARGV: the prefix of all keys, the number of the event after which they come, how many at
-- most.
-- Answers the number of the newest, then the entries that have them, oldest first. An entry's id is the number of its last
-- event, so the first one may have some that come before.
local P, after, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

local newest = tonumber(redis.call('HGET', P .. 'epoch', 'feed') or 0)
local before = math.max(after, newest - most)
if before >= newest then
  return { newest, {} }
end
local from, to = string.format('(%.0f-0', before), string.format('%.0f-0', newest)
return { newest, redis.call('XRANGE', P .. 'feed', from, to) }
