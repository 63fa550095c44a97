-- Begins a rebuild. What it names carries its number, which is new even where only the epoch was lost.
local time = redis.call('TIME')
local number = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if epoch and tonumber(epoch) >= number then
  number = tonumber(epoch) + 1
end
redis.call('HSET', P .. 'epoch', 'number', count(number), 'rebuilding', 1)
if redis.call('HEXISTS', P .. 'epoch', 'feed') == 0 then
  local last = redis.call('XREVRANGE', P .. 'feed', '+', '-', 'COUNT', 1)
  redis.call('HSET', P .. 'epoch', 'feed', last[1] and last[1][1]:match('^%d+') or 0)
end
-- A rebuild tells everything again, also what was forgotten.
redis.call('DEL', P .. 'forgotten')
return 1
