-- Whether one text comes before another, byte by byte: `<` would ask the server's locale.
local function before(one, other)
  for at = 1, math.min(#one, #other) do
    local a, b = one:byte(at), other:byte(at)
    if a ~= b then
      return a < b
    end
  end
  return #one < #other
end
