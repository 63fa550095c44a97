-- Begins a rebuild. What it names carries its number, which is new even where only the epoch was lost.
local time = redis.call('TIME')
local number = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
-- One that is no such number was written by somebody else.
local known = is_count(epoch) and tonumber(epoch)
if known and known >= number then
  number = known + 1
end
redis.call('HSET', P .. 'epoch', 'number', count(number), 'rebuilding', 1, 'disputed', 0, 'balances', 0)
for _, field in ipairs({ 'feed', 'forgotten', 'arrivals' }) do
  if not is_count(redis.call('HGET', P .. 'epoch', field)) then
    local last = field == 'feed' and redis.call('XREVRANGE', P .. 'feed', '+', '-', 'COUNT', 1)[1]
    redis.call('HSET', P .. 'epoch', field, last and last[1]:match('^%d+') or 0)
  end
end
-- A rebuild tells everything again, also what was forgotten.
redis.call('DEL', P .. 'forgotten', P .. 'unswept')
return count(number)
