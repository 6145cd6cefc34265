#!/bin/sh
# The server as its clients meet it, on a tiny model: see serve/test.js.
. "$(dirname "$0")/expect.sh"
here=$(dirname "$0")
make_model

expect 2 "^serve: --model: missing$" "$bin/serve"
expect 2 "^serve: --new-key: needs --keys$" "$bin/serve" --new-key
expect 1 "others can reach it, which needs a file of keys$" "$bin/serve" "$work/model" --address 0.0.0.0
expect 2 "^serve: --type: q5, expected f32, q8_0, q4_0, bf16$" "$bin/serve" "$work/model" --type q5
expect 1 "^serve: alias a: stands for b, which is not a model that is served$" "$bin/serve" "$work/model" --port 0 --alias a=b
printf '{"id":"k","sha256":"12"}\n' >"$work/bad-keys.jsonl"
expect 1 "bad-keys.jsonl: line 1: field sha256: " "$bin/serve" "$work/model" --port 0 --keys "$work/bad-keys.jsonl"

node=$(command -v node || command -v nodejs) || { echo "Node.js is missing: the server is not tested"; finish; }
timeout 300 "$node" "$here/serve/test.js" "$bin/serve" "$work/model" "$work" "$here/../data" || failures=$((failures + 1))

finish
