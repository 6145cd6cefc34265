#!/bin/sh
. "$(dirname "$0")/expect.sh"

# A corpus from a folder, with what a folder may hold.
if [ -x "$bin/prepare_data" ]; then
  mkdir "$work/raw" "$work/none"
  cp "$work/text.txt" "$work/raw/one.txt"
  sed 's/line/row/' "$work/text.txt" | gzip >"$work/raw/two.txt.gz"
  gzip -c "$work/text.txt" | head -c 600 >"$work/raw/cut.txt.gz"
  ln -s . "$work/raw/loop"
  printf '{"text": "a whole line of some length"}\n{"text": "cut' >"$work/raw/lines.jsonl"
  prepare="$bin/prepare_data --input $work/raw --output $work/corpus.txt --rejects $work/rejects.jsonl"
  expect 0 "saved $work/corpus.txt" $prepare --near-duplicates none
  expect 0 "row 399: 今天学习第 399 课。" cat "$work/corpus.txt"
  expect 0 "file_unreadable.*cut.txt.gz" cat "$work/rejects.jsonl"
  expect 0 "json_bad.*lines.jsonl\",\"line\":2" cat "$work/rejects.jsonl"
  expect 0 "bytes of markup and fields .* removed" $prepare --near-duplicates none -j 1
  expect 0 "1 file could not be read, or not to the end:" $prepare
  expect 0 "  $work/raw/cut.txt.gz: compressed data are damaged" $prepare
  mkdir "$work/many"
  cp "$work/text.txt" "$work/many/sound.txt"
  for i in $(seq 25); do printf 'no gzip' | gzip | head -c 12 >"$work/many/$i.txt.gz"; done
  expect 0 "and 5 more, which the report names" "$bin/prepare_data" -i "$work/many" -o "$work/many.txt"
  ln -s "$work/text.txt" "$work/many/outside.txt"
  expect 0 "outside.txt: is a link to a place outside of the inputs" "$bin/prepare_data" -i "$work/many" -o "$work/many.txt"
  expect 0 "bytes of markup and fields" cat "$work/corpus.txt.report.html"
  cp "$work/corpus.txt" "$work/before.txt"
  expect 1 "corpus.txt.part: cannot be written: File too large" sh -c "ulimit -f 4; exec $prepare"
  cmp "$work/corpus.txt" "$work/before.txt" || failures=$((failures + 1))
  expect 1 "no text file among 0 files" "$bin/prepare_data" --input "$work/none" --output "$work/x.txt"
  expect 1 "missing: cannot be read" "$bin/prepare_data" --input "$work/missing" --output "$work/x.txt"
  expect 2 "^prepare_data: --languages: klingon, expected zh, en" $prepare --languages klingon
  expect 1 "words: cannot be opened" $prepare --words "$work/words"
  expect 1 "corpus.txt: is named twice" $prepare --report "$work/corpus.txt"
  expect 1 "one.txt: is the input too" "$bin/prepare_data" --input "$work/raw/one.txt" --output "$work/raw/one.txt"
  expect 2 "^prepare_data: --near-threshold: 2, expected 0.5 to 1$" $prepare --near-threshold 2
  expect 2 "^prepare_data: --input: missing$" "$bin/prepare_data" --output "$work/x.txt"
fi

finish
