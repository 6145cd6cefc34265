#!/bin/sh
. "$(dirname "$0")/expect.sh"
make_model
model=$work/model evaluate=$bin/evaluate

# ---- A text. --------------------------------------------------------------------------------------------------------
cp -r "$model" "$work/again"
$bin/train_tokenizer --vocab-size 500 --input "$work/text.txt" --output "$work/words" >/dev/null 2>&1 || failures=$((failures + 1))
$bin/tokenize --tokenizer "$model" --input "$work/text.txt" --output "$work/corpus.tokens" >/dev/null 2>&1 || failures=$((failures + 1))
tiny_on_tokens="$bin/train_tiny --steps 3 --batch-size 2 --seq-len 32 --data $work/corpus.tokens"
expect 0 "pretrain: validation loss" \
  $tiny_on_tokens --tokenizer "$model/tokenizer.model" --output "$work/of-tokens"
expect 1 "corpus.tokens: .*tokenizer" $tiny_on_tokens --tokenizer "$work/words/tokenizer.model" --output "$work/x"
"$bin/quantize" "$model" "$work/q8" >/dev/null 2>&1 || failures=$((failures + 1))
$tiny_on_text --data "$work/text.txt" --output "$work/own" >/dev/null 2>&1 || failures=$((failures + 1))

text="$evaluate --data $work/corpus.tokens --validation-every 0 --tokens 500"
expect 0 "^corpus: perplexity [1-9].*, [0-9.]* bits per byte, [1-9][0-9]* tokens$" $text "$work/of-tokens"
expect 0 "^  [+-]0.[0-9]* % of the first model's perplexity$" $text "$model" "$work/q8"
grep -q "^$work/q8$" "$work/said" || fail "the second model is not named"
expect 1 "there is no such model folder" $text "$work/nothing"
expect 1 "corpus.tokens: .*tokenizer" $text "$work/again" "$work/own"
expect 1 "missing.tokens: cannot be opened" "$evaluate" --data "$work/missing.tokens" "$model"
expect 0 "bits per byte" $text "$model" -o "$work/text"
expect 0 '"bits_per_byte": [0-9.]*' $text "$model" -o "$work/text" --json

# ---- Problems. ------------------------------------------------------------------------------------------------------
$bin/make_problems --split numbers -n 150 -o "$work/problems.jsonl" >/dev/null 2>&1 || failures=$((failures + 1))
problems="$evaluate $model -q $work/problems.jsonl -n 24 --chains 3 --forced"
expect 0 "^problems: 150 of 150 questions$" $problems -o "$work/whole"
for score in greedy greedy_strict greedy_corrected template forced sampled vote_3 vote_3_checked forced_vote_3 pass_3; do
  grep -q "^  $score  *[0-9.]* %" "$work/said" || fail "no score $score"
done
grep -q "greedy by kind" "$work/said" || fail "no scores by kind"
grep -q '"interval_over_kinds"' "$work/whole/results.json" || fail "results.json lacks intervals"
[ "$(wc -c <"$work/whole/report.html")" -lt 200000 ] || fail "the page is too large"
grep -q 'src=\|https\?://[^w]' "$work/whole/report.html" && fail "the page asks for something outside"
expect 0 "greedy" $problems -o "$work/whole" # Nothing is asked again.
[ "$(wc -l <"$work/whole/results.jsonl")" = 151 ] || fail "questions were asked twice"

# Killed, it continues: the summary has the same bytes, also with other threads and another size of the cache.
mkdir "$work/broken"
$problems -o "$work/broken" --threads 1 --sequences 1 >"$work/output" 2>&1 &
pid=$!
until [ -f "$work/broken/results.jsonl" ] && [ "$(wc -l <"$work/broken/results.jsonl")" -ge 20 ] || ! kill -0 $pid 2>/dev/null; do
  sleep 0.05
done
kill -9 $pid 2>/dev/null && wait $pid 2>/dev/null
[ "$(wc -l <"$work/broken/results.jsonl")" -lt 151 ] || fail "it had ended before it was killed"
printf '{"set":0,"question":14' >>"$work/broken/results.jsonl"
expect 0 "150 of 150" $problems -o "$work/broken" --threads 2 --sequences 5
same "$work/whole/results.json" "$work/broken/results.json"
sort "$work/whole/results.jsonl" >"$work/a" && sort "$work/broken/results.jsonl" >"$work/b" && same "$work/a" "$work/b"

# Ctrl-C.
$problems --seed 2 -o "$work/stopped" --sequences 1 >"$work/output" 2>&1 &
pid=$!
until [ -f "$work/stopped/results.jsonl" ] && [ "$(wc -l <"$work/stopped/results.jsonl")" -ge 3 ] || ! kill -0 $pid; do sleep 0.05; done
expect 1 "^evaluate: stopped; [0-9]* results are in $work/stopped, and the same command continues$" stopped
expect 1 "results.jsonl: holds the results of another evaluation: .*chains is 5, was 3" \
  $evaluate $model -q "$work/problems.jsonl" -n 24 --chains 5 --seed 2 --forced -o "$work/stopped"

# One at a time. What an earlier run printed must not be taken for this one.
: >"$work/output"
$problems --seed 2 -o "$work/stopped" --sequences 1 >"$work/output" 2>&1 &
pid=$!
until grep -q "^problems" "$work/output" || ! kill -0 $pid; do sleep 0.05; done
kill -STOP $pid  # It must not end before the other has begun.
expect 1 "stopped: is in use by process $pid" $problems --seed 2 -o "$work/stopped"
kill -9 $pid && wait $pid 2>/dev/null

# ---- Multiple choice. -----------------------------------------------------------------------------------------------
cat >"$work/choice.jsonl" <<'END'
{"question":"1+1=?","A":"1","B":"2","C":"3","D":"4","answer":"B","subject":"sums","split":"dev"}
{"question":"2+2=?","A":"1","B":"2","C":"3","D":"4","answer":"D","subject":"sums","split":"test"}
{"question":"哪个最大？","A":"一","B":"二","C":"三","D":"四","E":"五","answer":"E","subject":"size"}
{"question":{"stem":"Which is cold?","choices":[{"text":"ice","label":"1"},{"text":"fire","label":"2"}]},"answerKey":"1"}
{"activity_label":"Tea","ctx_a":"[header] How to make tea [title] Boil water.","ctx_b":"then you","endings":["pour it.","sing.","sit."],"label":"0"}
END
expect 0 "^choice: 4 of 4 questions, chance 32.1 %$" $evaluate $model -q "$work/choice.jsonl" --shots 1 -o "$work/choice"
grep -q "^  letter_rotated  *[0-9.]* %.* 3  chance$" "$work/said" || fail "letters of three questions are not reported"
grep -q "^  text_pmi  *[0-9.]* %.* 4" "$work/said" || fail "PMI of four questions is not reported"
expect 0 '"is_chance": true' $evaluate $model -q "$work/choice.jsonl" --form chat --no-rotations --json
grep -q letter_rotated "$work/said" && fail "rotations were asked though they were not wanted"
expect 0 "^problems: 10 of 10" $evaluate $model -q "$work/choice.jsonl" "$work/problems.jsonl" --limit 10 -n 8 --form text --shots 0

# ---- Two runs. ------------------------------------------------------------------------------------------------------
"$evaluate" "$work/q8" -q "$work/problems.jsonl" -n 24 --chains 3 --forced -o "$work/of-q8" >/dev/null 2>&1 || failures=$((failures + 1))
expect 0 "^  greedy  *[0-9.]* %  *[0-9.]* %  *[+-][0-9.]*  *[+-][0-9.]* to [+-][0-9.]*  *[0-9]*, [0-9]*, [0-9.e-]*$" \
  "$evaluate" --compare "$work/whole" "$work/of-q8"
expect 0 "^  vote_3  *[0-9.]* %  *[0-9.]* % .*, [0-9]*, [0-9.e-]*$" "$evaluate" --compare "$work/whole"
expect 0 '"only_a": 0' "$evaluate" --compare "$work/whole" "$work/broken" --json
expect 1 "no set of questions in common" "$evaluate" --compare "$work/whole" "$work/choice"
expect 1 "nothing/results.jsonl: cannot be opened" "$evaluate" --compare "$work/nothing" "$work/whole"
expect 2 "^evaluate: --compare: takes no models$" "$evaluate" $model --compare "$work/whole" "$work/of-q8"

# ---- Questions that the model has seen. -----------------------------------------------------------------------------
$bin/make_problems -n 100 -o "$work/train.jsonl" >/dev/null 2>&1 || failures=$((failures + 1))
$bin/finetune -m $model --data "$work/train.jsonl" --steps 1 --validation-every 10 -o "$work/tuned" >/dev/null 2>&1 || failures=$((failures + 1))
cat "$work/problems.jsonl" >"$work/mixed.jsonl" && head -n 7 "$work/train.jsonl" >>"$work/mixed.jsonl"
for tuned in tuned tuned-q8; do
  expect 1 "^evaluate: mixed: the model was trained on 7 of its 157 questions; remove them, or give --allow-seen$" \
    "$evaluate" "$work/$tuned" -q "$work/mixed.jsonl"
  [ $tuned = tuned ] && { "$bin/quantize" "$work/tuned" "$work/tuned-q8" >/dev/null 2>&1 || failures=$((failures + 1)); }
done
expect 0 "^  the model was trained on 7 of them$" \
  "$evaluate" "$work/tuned" -q "$work/mixed.jsonl" -n 4 --allow-seen --limit 0
expect 0 "^problems: 20 of 20 questions$" "$evaluate" "$work/tuned" -q "$work/problems.jsonl" -n 4 --limit 20

# ---- What a user may do wrong. --------------------------------------------------------------------------------------
echo '{"question":"?","A":"x","B":"y"}' >"$work/unanswered.jsonl"
expect 1 "unanswered.jsonl: line 1: field answer: missing; a set without answers cannot be scored" \
  $evaluate $model -q "$work/unanswered.jsonl" -o "$work/x"
[ ! -e "$work/x" ] || fail "an empty folder is left"
expect 1 "text.txt: line 1: " $evaluate $model -q "$work/text.txt"
expect 1 "empty.txt: holds no question" $evaluate $model -q "$work/empty.txt"
expect 1 "missing.jsonl: cannot be opened" $evaluate $model -q "$work/missing.jsonl"
expect 1 "choice.jsonl: has 1 for examples, expected 5 or more" $evaluate $model -q "$work/choice.jsonl" --shots 5
expect 2 "^evaluate: --model: missing$" "$evaluate" --data "$work/corpus.tokens"
expect 2 "^evaluate: --questions: missing; or give --data$" $evaluate $model
expect 2 "^evaluate: --output: takes the results of one model$" $evaluate $model "$work/q8" --data x -o "$work/x"
echo 'not results' >"$work/choice/results.jsonl"
expect 1 "choice/results.jsonl: line 1: " $evaluate $model -q "$work/choice.jsonl" --shots 1 -o "$work/choice"

finish
