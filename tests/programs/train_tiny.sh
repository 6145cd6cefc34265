#!/bin/sh
. "$(dirname "$0")/expect.sh"

expect 0 "saved $work/model" $tiny --output "$work/model"
expect 0 "exact match" $tiny --output "$work/again"
for file in config.json model.safetensors tokenizer.model; do
  cmp "$work/model/$file" "$work/again/$file" || failures=$((failures + 1))
done

expect 0 "\"loss\":" cat "$work/model/metrics.jsonl"
expect 0 "fine-tune" cat "$work/model/report.html"
expect 0 "in a browser: http://127.0.0.1:[1-9]" $tiny --dashboard 0 --optimizer muon --output "$work/muon"

# Your own text, and texts that are none.
expect 0 "pretrain: held-out loss .* perplexity" $tiny --corpus "$work/text.txt" --output "$work/own"
expect 1 "missing.txt: cannot be opened" $tiny --corpus "$work/missing.txt" --output "$work/x"
expect 1 "holds no text" $tiny --corpus "$work/empty.txt" --output "$work/x"
expect 1 "latin.txt: line 2, byte 5: 0xFF is not UTF-8" $tiny --corpus "$work/latin.txt" --output "$work/x"
expect 1 "is not a regular file" $tiny --corpus "$work" --output "$work/x"

# Numbers and places that cannot be.
expect 1 "0 threads asked for, expected 1 to 256" $tiny --threads 0 --output "$work/x"
expect 1 "1000 threads asked for, expected 1 to 256" $tiny --threads 1000 --output "$work/x"
expect 2 "preset" $tiny --preset huge --output "$work/x"
expect 2 "steps" "$bin/train_tiny" --steps -3
expect 2 "wrong" "$bin/train_tiny" --wrong
expect 1 "the folder cannot be made" $tiny --output /dev/full
mkdir "$work/readonly"
chmod a-w "$work/readonly"
if [ "$(id -u)" != 0 ]; then
  expect 1 "cannot be written into" $tiny --output "$work/readonly"
fi
# A disk that is full: no part of a file is left, and what was there before is whole.
cp -r "$work/model" "$work/full"
expect 1 "safetensors.part: cannot be written: File too large" \
  sh -c "trap '' XFSZ; ulimit -f 2000; exec $tiny --output '$work/full'"
for file in config.json model.safetensors tokenizer.model; do
  cmp "$work/model/$file" "$work/full/$file" || failures=$((failures + 1))
done
[ "$(find "$work/full" -name '*.part')" = "" ] || failures=$((failures + 1))
expect 0 "preset" "$bin/train_tiny" --help
expect 0 "[0-9]\.[0-9]" "$bin/train_tiny" --version

# Stopped while it trains, by a signal that comes twice, as `timeout` sends it: saved, and only the same command goes on.
"$bin/train_tiny" --steps 200000 --batch 2 --length 32 --vocab 600 --output "$work/stopped" >"$work/output" 2>&1 &
pid=$!
until grep -q '^pretrain 1/' "$work/output" || ! kill -0 $pid; do sleep 0.1; done
expect 1 "stopped; .* goes on from there" stopped
expect 0 "config.json" ls "$work/stopped"
expect 1 "is of another run" $tiny --output "$work/stopped"

finish
