#!/bin/sh
. "$(dirname "$0")/expect.sh"
make_model

cp -r "$work/model" "$work/mute"
rm "$work/mute/tokenizer.model"
# One prompt: the same seed gives the same text, also for two processes at once; what cannot be answered is said.
generate="$bin/generate $work/model --temperature 1 --json"
answer() {
  $generate "$@" '计算：1+2*3' --max-tokens 20 | sed 's/,"first_token_seconds.*//'
}
answer --seed 5 >"$work/answer.json"
answer --seed 5 --threads 3 >"$work/answer-3.json" &
expect 0 "$(cat "$work/answer.json" | sed 's/[][\\.*^$]/\\&/g')" answer --seed 5 --threads 1
wait
cmp "$work/answer.json" "$work/answer-3.json" || failures=$((failures + 1))
expect 0 '"ended":"max tokens","prompt_tokens":[1-9][0-9]*,"seed":6' answer --seed 6
answer --seed 6 >"$work/other.json"
cmp -s "$work/answer.json" "$work/other.json" && failures=$((failures + 1))
expect 0 '"tokens":\[[0-9]*\],"ended":"[a-z ]*"' $generate --raw '1' --max-tokens 1 --logit-bias 2:-100
expect 1 "generate: the prompt is empty" $generate ''
expect 1 "generate: the prompt is empty" $generate
long=$(printf '题目%.0s' $(seq 2000))
expect 1 "the last message makes [0-9]* tokens, expected at most" $generate "$long"
expect 1 "a prompt of [0-9]* tokens leaves no room in a context of" $generate --raw "$long"
expect 1 "temperature -1, expected 0 or more" "$bin/generate" "$work/model" 1 --temperature -1
expect 1 "temperature nan, expected 0 or more" "$bin/generate" "$work/model" 1 --temperature nan
expect 1 "top_p 0, expected more than 0" $generate 1 --top-p 0
expect 1 "stop string: is empty" $generate 1 --stop ''
expect 2 "temperature" "$bin/generate" "$work/model" 1 --temperature warm
expect 2 "max-tokens" $generate 1 --max-tokens 0
expect 1 "mute/tokenizer.model: cannot be opened" "$bin/generate" "$work/mute" 1

finish
