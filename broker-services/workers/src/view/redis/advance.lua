-- Puts what was applied of some logs in the place of what was known of them. After the prefix, for each log: its source, what
-- was known ('' for nothing), and what is now; both in JSON.
-- Answers nil when the contents were lost, 0 when somebody else was faster with any of them, else 1.
if not epoch then
  return false
end
local hset = { 'HSET', P .. 'logs' }
for n = 2, #ARGV, 3 do
  if (redis.call('HGET', P .. 'logs', ARGV[n]) or '') ~= ARGV[n + 1] then
    return 0
  end
  if ARGV[n + 1] ~= ARGV[n + 2] then
    hset[#hset + 1], hset[#hset + 2] = ARGV[n], ARGV[n + 2]
  end
end
if #hset > 2 then
  redis.call(unpack(hset))
end
return 1
