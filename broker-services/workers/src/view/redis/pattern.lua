-- What SCAN calls for keys that begin with `prefix`: what may stand for several characters stands for itself.
local function pattern(prefix)
  return prefix:gsub('[%*%?%[%]%^%\\%-]', '\\%0') .. '*'
end
