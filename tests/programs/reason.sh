#!/bin/sh
. "$(dirname "$0")/expect.sh"
make_model

# Chains vote. The same seed gives the same verdict, on any number of threads; --all shows what each chain said.
reason="$bin/reason $work/model --json"
ask() {
  $reason "$@" '计算：1+2*3' --max-tokens 20 2>"$work/notes"
}
ask --seed 5 >"$work/answer.json"
ask --seed 5 --threads 3 >"$work/answer-3.json"
same "$work/answer.json" "$work/answer-3.json"
ask --seed 6 >"$work/other.json"
cmp -s "$work/answer.json" "$work/other.json" && fail "another seed gives the same text"
expect 0 '^{"samples":4,"answer":.*,"agreement":[0-9.]*,"tie":[a-z]*,"chain":[0-3],"unparsed":[0-4],"votes":\[.*\],"text":' \
  ask --chains 4 --confidence 1
[ "$(grep -c '^chain [1-4] of 4: ' "$work/notes")" = 4 ] || fail "not every chain is told: $(cat "$work/notes")"
expect 0 '"chains":\[{"text":.*"answer":.*"weight":.*"false_equations":\[.*\],"corrections":\[\]' ask --all
expect 0 '"samples":1,' ask --chains 1 --temp 0
for calculator in off check correct force; do
  expect 0 '"samples":2,' ask --chains 2 --calculator $calculator
done
expect 0 '^votes  score  answer$' "$bin/reason" "$work/model" 1 -n 5
expect 0 '^agreement [01].[0-9][0-9]' "$bin/reason" "$work/model" 1 -n 5
expect 0 '^--- chain 3: ' "$bin/reason" "$work/model" 1 -n 5 --all
# The prompt is computed once: each further chain computes its last token.
expect 0 '"prompt_tokens":\([0-9]*\),"computed_prompt_tokens"' ask --chains 4 --confidence 1
awk -F '[:,]' '{ for (i = 1; i < NF; ++i) { if ($i == "\"prompt_tokens\"") p = $(i + 1)
  if ($i == "\"computed_prompt_tokens\"") c = $(i + 1) } exit c != p + 3 }' "$work/said" || fail "the prompt is computed again"

# What is wrong is said.
expect 1 "reason: the question is empty" $reason ''
expect 1 "reason: the question is empty" $reason
expect 1 "temperature 0 makes all 5 chains the same" $reason 1 --temp 0
expect 2 "chains: 0, expected 1 to 128" $reason 1 --chains 0
expect 2 "chains: 1000000, expected 1 to 128" $reason 1 --chains 1000000
expect 2 "confidence: 0.5, expected a number above 0.5 and at most 1" $reason 1 --confidence 0.5
expect 2 "calculator: abacus, expected off, check, correct or force\|calculator: abacus" $reason 1 --calculator abacus
expect 2 "^reason: --model: missing$" "$bin/reason"
expect 1 "^reason: .*No space left on device$" sh -c "$bin/reason $work/model 1 -n 5 >/dev/full"
long=$(printf '题目%.0s' $(seq 2000))
expect 1 "the last message makes [0-9]* tokens, expected at most" $reason "$long"

# Ctrl-C ends all chains, and shows what there is. It is pressed once the program listens for it.
"$bin/reason" "$work/model" 1 -n 250 -j 1 --chains 128 --confidence 1 --logit-bias 2:-1000 >"$work/output" 2>&1 &
pid=$!
until [ $((0x$(awk '/^SigCgt/ { print $2 }' /proc/$pid/status) & 2)) != 0 ]; do sleep 0.01; done
expect 1 "^agreement 0.00" stopped

finish
