#!/bin/sh
. "$(dirname "$0")/expect.sh"
make_model

cp -r "$work/model" "$work/mute"
rm "$work/mute/tokenizer.model"
# One prompt: the same seed gives the same text, also for two processes at once; what cannot be answered is reported.
generate="$bin/generate $work/model --temp 1 --json"
answer() {
  $generate "$@" '计算：1+2*3' --max-tokens 20 | sed 's/,"first_token_seconds.*//'
}
answer --seed 5 >"$work/answer.json"
answer --seed 5 --threads 3 >"$work/answer-3.json" &
expect 0 "$(cat "$work/answer.json" | sed 's/[][\\.*^$]/\\&/g')" answer --seed 5 --threads 1
wait
same "$work/answer.json" "$work/answer-3.json"
expect 0 '"finish_reason":"max tokens","prompt_tokens":[1-9][0-9]*,"cached_tokens":0,"seed":6' answer --seed 6
answer --seed 6 >"$work/other.json"
cmp -s "$work/answer.json" "$work/other.json" && failures=$((failures + 1))
expect 0 '"tokens":\[[0-9]*\],"finish_reason":"[a-z ]*"' $generate --raw '1' --max-tokens 1 --logit-bias 2:-100
expect 1 "generate: the prompt is empty" $generate ''
expect 1 "generate: the prompt is empty" $generate
long=$(printf '题目%.0s' $(seq 2000))
expect 1 "the last message makes [0-9]* tokens, expected at most" $generate "$long"
expect 1 "a prompt of [0-9]* tokens leaves no room in a context of" $generate --raw "$long"
expect 2 "temp: -1, expected a number of at least 0" "$bin/generate" "$work/model" 1 --temp -1
expect 2 "temp: nan, expected a number of at least 0" "$bin/generate" "$work/model" 1 --temp nan
expect 2 "temp: warm, expected a number of at least 0" "$bin/generate" "$work/model" 1 --temp warm
expect 2 "top-p: 0, expected a number above 0 and at most 1" $generate 1 --top-p 0
expect 2 "logit-bias: 5, expected the number of a token and what to add" $generate 1 --logit-bias 5
expect 1 "stop string: is empty" $generate 1 --stop ''
expect 2 "max-tokens: 0, expected 1 to 16777216" $generate 1 --max-tokens 0
for seed in -1 100000000000000000000000; do expect 2 "seed: $seed.*, expected a whole number of at least 0" $generate 1 --seed $seed; done
expect 2 "threads: 257, expected 1 to 256" $generate 1 -j 257

# Model and prompt by option or by position.
answer >"$work/answer.json"
by_option() {
  "$bin/generate" "$@" --temp 1 --json -n 20 | sed 's/,"first_token_seconds.*//'
}
for words in "-m $work/model 计算：1+2*3" "$work/model -p 计算：1+2*3" "计算：1+2*3 --model $work/model" \
  "-p 计算：1+2*3 $work/model -c 100"; do
  by_option $words >"$work/other.json"
  same "$work/answer.json" "$work/other.json"
done
expect 2 "^generate: --model: missing$" "$bin/generate"
expect 2 "^generate: two: unexpected argument$" "$bin/generate" -m "$work/model" one two
expect 1 "a context of 1000 tokens, expected 1 to the model's 256" $generate 1 -c 1000

# Output that cannot be written.
for options in "" --json; do
  expect 1 "^generate: .*No space left on device$" \
    sh -c "$bin/generate $work/model 1 -n 5 $options >/dev/full"
done
# A reader that has closed the pipe has read enough.
mkfifo "$work/pipe"
for options in "" --json; do
  : <"$work/pipe" &
  "$bin/generate" "$work/model" 1 -n 50 $options 2>"$work/said" >"$work/pipe"
  wait
  [ ! -s "$work/said" ] || fail "a closed pipe is reported: $(cat "$work/said")"
done
expect 1 "mute/tokenizer.model: cannot be opened" "$bin/generate" "$work/mute" 1

finish
