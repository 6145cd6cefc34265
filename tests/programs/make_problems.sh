#!/bin/sh
. "$(dirname "$0")/expect.sh"
make="$bin/make_problems"

# The same seed writes the same bytes, a longer file begins with the shorter one, and another seed differs.
expect 0 "^200 problems, no two alike$" $make --count 200 --output "$work/a.jsonl"
expect 0 "^saved $work/b.jsonl$" $make --count 300 --output "$work/b.jsonl"
head -n 200 "$work/b.jsonl" >"$work/begin.jsonl"
same "$work/a.jsonl" "$work/begin.jsonl"
expect 0 "^300 problems" $make --count 300 --seed 2 --output "$work/c.jsonl"
if cmp -s "$work/b.jsonl" "$work/c.jsonl"; then fail "two seeds make the same problems"; fi

# All kinds, and what the options choose.
[ "$(grep -o '"kind":"[a-z_]*"' "$work/b.jsonl" | sort -u | wc -l)" -ge 28 ] || fail "some kinds are missing"
expect 0 "^40 problems" $make --level 2 3 --kinds work ratio --language english -n 40 -o "$work/few.jsonl"
[ "$(grep -c '"language":"english","level":[23]' "$work/few.jsonl")" = 40 ] || fail "other languages or levels"
[ "$(grep -c '"kind":"work"\|"kind":"ratio"' "$work/few.jsonl")" = 40 ] || fail "other kinds"
for split in numbers wording composition range; do
  expect 0 "^30 problems" $make --level 1 2 --split $split -n 30 -o "$work/$split.jsonl"
  [ "$(grep -c "\"split\":\"$split\"" "$work/$split.jsonl")" = 30 ] || fail "other splits than $split"
done
expect 0 "cot, 300 samples, 0 bad lines of 300" "$bin/show_samples" "$work/b.jsonl"

# Fewer than asked for, if no more are found. A question that comes twice is not the end.
expect 0 "^no more were found$" $make --kinds geometric_sequence --language english -n 100000 -o "$work/all.jsonl"
expect 0 "^600 problems" $make --kinds geometric_sequence --language english -n 600 -o "$work/many.jsonl"

# Real questions.
cat >"$work/real.jsonl" <<'END'
{"question": "Rosa found 48 shells and lost 13. Ben gave her 26. How many has she?", "answer": "She kept 48-13 = <<48-13=35>>35 shells.\nShe has 35+26 = <<35+26=61>>61 shells.\n#### 61"}

{"original_text": "食堂买来135千克萝卜，比土豆的3倍多15千克。土豆有多少千克？", "equation": "x=(135-15)/3", "ans": "40"}
{"original_text": "6排树，每排6棵，共几棵？", "equation": "x=6*6", "ans": "36"}
END
expect 0 "^2 questions can be redrawn$" $make --redraw "$work/real.jsonl" -n 50 -o "$work/redrawn.jsonl"
grep -q "^number twice  *1 refused$" "$work/said" || fail "the refused question is not counted"
grep -q "^50 problems" "$work/said" || fail "not all redraws were written"
expect 0 "cot, 50 samples, 0 bad lines of 50" "$bin/show_samples" "$work/redrawn.jsonl"

# What a user may do wrong. Nothing half-written is left, and an old file stays.
cp "$work/a.jsonl" "$work/before.jsonl"
echo '{"text": 1}' >>"$work/real.jsonl"
expect 1 "real.jsonl: line 5: has no question with its answer" $make --redraw "$work/real.jsonl" -o "$work/a.jsonl"
expect 1 "real.jsonl: is the input too" $make --redraw "$work/real.jsonl" -o "$work/real.jsonl"
expect 1 "missing.jsonl: cannot be opened" $make --redraw "$work/missing.jsonl" -o "$work/a.jsonl"
expect 1 "a.jsonl.part: cannot be written: File too large" sh -c "ulimit -f 4; exec $make -n 1000 -o $work/a.jsonl"
same "$work/a.jsonl" "$work/before.jsonl"
[ ! -e "$work/a.jsonl.part" ] || fail "a part is left"
expect 2 "^make_problems: --output: missing$" $make
expect 2 "^make_problems: --level: 4, expected 1, 2, 3" $make --level 4 -o "$work/x.jsonl"
expect 2 "^make_problems: --kinds: works, expected .*; did you mean work?$" $make --kinds works -o "$work/x.jsonl"
expect 2 "^make_problems: --kinds: order of level 1: none has problems for --split range$" \
  $make --kinds order --split range -o "$work/x.jsonl"
expect 2 "^make_problems: --split: range, expected train, numbers, wording with --redraw$" \
  $make --redraw "$work/real.jsonl" --split range -o "$work/x.jsonl"
expect 2 "--redraw" $make --redraw "$work/real.jsonl" --level 2 -o "$work/x.jsonl"

# Stopped: nothing is written.
$make --level 3 -n 1000000 -o "$work/a.jsonl" >"$work/output" 2>&1 &
pid=$!
until grep -q '^problems' "$work/output" || ! kill -0 $pid; do sleep 0.1; done
expect 1 "stopped; nothing was written" stopped
same "$work/a.jsonl" "$work/before.jsonl"

finish
