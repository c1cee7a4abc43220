-- Removes every x-amz-* request header that the presigned address did not sign, and even a signed one unless it
-- only describes the bytes. S3 obeys such headers: x-amz-copy-source, for one, makes an upload a copy of any object.
local BYTES_ONLY = { ["x-amz-content-sha256"] = true, ["x-amz-checksum-sha256"] = true,
                     ["x-amz-sdk-checksum-algorithm"] = true }

function envoy_on_request(handle)
  local headers = handle:headers()
  local list = (headers:get(":path") or ""):match("[?&]X%-Amz%-SignedHeaders=([^&]*)") or ""
  local signed = {}
  for name in list:gsub("%%3[bB]", ";"):gmatch("[^;]+") do
    signed[name:lower()] = true
  end
  local unsigned = {}
  for name, _ in pairs(headers) do
    if name:sub(1, 6) == "x-amz-" and not (signed[name] and BYTES_ONLY[name]) then
      unsigned[#unsigned + 1] = name
    end
  end
  for _, name in ipairs(unsigned) do
    headers:remove(name)
  end
end

-- The embedded store answers a part of an object as a whole one, though its headers say which part it is.
function envoy_on_response(handle)
  local headers = handle:headers()
  if headers:get(":status") == "200" and headers:get("content-range") then
    headers:replace(":status", "206")
  end
end
