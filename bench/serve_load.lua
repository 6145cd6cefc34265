-- What wrk sends: chat completions with distinct prompts. Prints how many requests failed. `serve_load.js` runs it.
local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

local sent = 0
function request()
  sent = sent + 1
  local body = '{"messages":[{"role":"user","content":"%d+%d"}],"max_tokens":8,"temperature":1,"seed":%d}'
  return wrk.format("POST", nil, {["Content-Type"] = "application/json"}, string.format(body, id, sent, sent))
end

function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  io.write(string.format("wrk: %d requests in %.1f s, %d failed; median %.0f ms, 99th percentile %.0f ms\n",
                         summary.requests, summary.duration / 1e6, failed, latency:percentile(50) / 1e3,
                         latency:percentile(99) / 1e3))
end
