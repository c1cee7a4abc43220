-- Leaves a call only the headers that services know. gRPC answers an unusual header name or a byte outside ASCII with
-- an internal error of its own, and what a service never sees cannot mislead it.
local KNOWN = {}
for name in ([[
  accept accept-language authorization content-length content-type grpc-accept-encoding grpc-encoding grpc-timeout
  origin te traceparent tracestate user-agent x-envoy-external-address x-envoy-original-method x-forwarded-proto
  x-grpc-web x-request-id
]]):gmatch("%S+") do
  KNOWN[name] = true
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local unknown = {}
  for name, value in pairs(headers) do
    if name:sub(1, 1) ~= ":" and (not KNOWN[name] or value:find("[^\32-\126]")) then
      unknown[#unknown + 1] = name
    end
  end
  for _, name in ipairs(unknown) do
    headers:remove(name)
  end
end
