#!/bin/sh
. "$(dirname "$0")/expect.sh"

# Questions from a folder, by way of its index.
if [ -x "$bin/make_dataset" ]; then
  docs=$work/docs
  mkdir "$docs"
  printf '# 港珠澳大桥\n\n港珠澳大桥于2018年10月24日开通运营。港珠澳大桥全长55千米。它由三座桥组成。\n' >"$docs/bridge.md"
  printf '# 绿茶\n\n绿茶是一种未经发酵的茶。茶具包括茶壶、茶杯和茶盘。\n' >"$docs/tea.md"
  printf '# Everest\n\nThe summit of Everest was first reached in 1953.\n' >"$docs/everest.md"
  "$bin/rag" index "$docs" -i "$work/index.db" >/dev/null 2>&1
  make="$bin/make_dataset --index $work/index.db"

  expect 0 "^3 documents, 3 chunks, 6 sentences$" $make --output "$work/rows" --unanswerable 0
  grep -q "^kept  *definition 1, maker 0, date 2, amount 1, list 1, heading 0$" "$work/said" || fail "other questions"
  grep -q "not_alone 1" "$work/said" || fail "the pronoun is not counted"
  cat "$work"/rows/*.jsonl >"$work/all.jsonl"
  [ "$(wc -l <"$work/all.jsonl")" = 5 ] || fail "not five rows"
  grep -q '"content":"2018年10月24日"}\],"rule":"date","answerable":true,"source":{"document":"bridge.md"' "$work/all.jsonl" ||
    fail "no source"
  grep -q '关于“绿茶”，茶具包括哪些？' "$work/all.jsonl" || fail "the title is missing"
  expect 0 "messages, 5 samples, 0 bad lines of 5" "$bin/show_samples" "$work/all.jsonl"
  grep -q '"not_alone": 1' "$work/rows/report.json" || fail "no report"

  for form in alpaca sharegpt; do
    expect 0 "^saved $work/$form$" $make --output "$work/$form" --form $form --closed-book
    cat "$work/$form"/*.jsonl >"$work/$form.jsonl"
    expect 0 "$form, 5 samples, 0 bad lines of 5" "$bin/show_samples" "$work/$form.jsonl"
  done
  $make --output "$work/questions" --form questions --unanswerable 0 >/dev/null 2>&1
  cat "$work"/questions/*.jsonl >"$work/questions.jsonl"
  expect 0 "^chunk with the answer among 5 (R@5) .*1.0000 " "$bin/rag" eval "$work/questions.jsonl" -i "$work/index.db"

  # The same index gives the same bytes.
  $make --output "$work/again" --unanswerable 0 >/dev/null 2>&1
  same "$work/rows/train.jsonl" "$work/again/train.jsonl"

  mkdir "$work/bare" && echo '好。' >"$work/bare/a.txt"
  "$bin/rag" index "$work/bare" -i "$work/bare.db" >/dev/null 2>&1
  expect 1 "bare.db: no question can be made of these documents" "$bin/make_dataset" -i "$work/bare.db" -o "$work/none"
  [ ! -e "$work/none" ] || fail "a folder was made"
  expect 1 "text.txt: is not an index of documents" "$bin/make_dataset" -i "$work/text.txt" -o "$work/none"
  expect 1 "missing.db: does not exist" "$bin/make_dataset" -i "$work/missing.db" -o "$work/none"
  expect 2 "^make_dataset: --unanswerable: 60, expected " $make -o "$work/none" --unanswerable 60
  expect 2 "^make_dataset: --form: chat, expected alpaca, sharegpt, messages, questions" $make -o "$work/none" --form chat
  expect 2 "closed-book" $make -o "$work/none" --closed-book --unanswerable 5
  expect 2 "^make_dataset: --output: missing$" $make
fi

finish
