#!/bin/sh
. "$(dirname "$0")/expect.sh"

expect 0 "talk to it: chat $work/model" $tiny --output "$work/model"
expect 0 "exact match" $tiny --output "$work/again"
for file in config.json model.safetensors tokenizer.model; do
  same "$work/model/$file" "$work/again/$file"
done

expect 0 "\"loss\":" cat "$work/model/metrics.jsonl"
expect 0 "train" cat "$work/model/report.html"
expect 0 "in a browser: http://127.0.0.1:[1-9]" $tiny --dashboard 0 --optimizer adamw --output "$work/adamw"

# A finished model is not replaced unless one says so.
expect 1 "model: holds a finished model: talk to it with .chat .*, or give another --output, or --overwrite" \
  $tiny --output "$work/model"
same "$work/model/model.safetensors" "$work/again/model.safetensors"
expect 0 "talk to it" $tiny --seed 2 --output "$work/again" --overwrite
cmp -s "$work/model/model.safetensors" "$work/again/model.safetensors" && failures=$((failures + 1))

# What a run would take, and nothing written.
expect 0 "memory: .* GB: .* for parameters, .* for the optimizer, .* for activations" $tiny --dry-run --output "$work/dry"
expect 0 "work: 3 steps, .* M tokens" $tiny --dry-run --output "$work/dry"
expect 0 "time: about 0:0[0-9] at [0-9]* tokens/s, measured in 2 steps" $tiny --dry-run --output "$work/dry"
expect 2 "No such file" ls "$work/dry"

# Your own text, and texts that are none.
expect 0 "pretrain: validation loss .* perplexity" $tiny_on_text --data "$work/text.txt" --output "$work/own"
expect 1 "missing.txt: cannot be opened" $tiny_on_text --data "$work/missing.txt" --output "$work/x"
expect 1 "holds no text" $tiny_on_text --data "$work/empty.txt" --output "$work/x"
expect 1 "latin.txt: line 2, byte 5: 0xFF is not UTF-8" $tiny_on_text --data "$work/latin.txt" --output "$work/x"
expect 1 "is not a regular file" $tiny_on_text --data "$work" --output "$work/x"

# Numbers and places that cannot be, and options without effect.
expect 2 "threads: 0, expected 1 to 256" $tiny --threads 0 --output "$work/x"
expect 2 "threads: 1000, expected 1 to 256" $tiny --threads 1000 --output "$work/x"
expect 2 "preset" $tiny --preset huge --output "$work/x"
expect 2 "steps: -3, expected 0 to" "$bin/train_tiny" --steps -3
expect 2 "steps: 0, expected 1 or more" "$bin/train_tiny" --steps 0
expect 2 "seed: -1, expected" $tiny --seed -1 --output "$work/x"
expect 2 "lr: nan, expected" $tiny --lr nan --output "$work/x"
expect 2 "unknown option" "$bin/train_tiny" --wrong
expect 2 "momentum: has no effect without --optimizer muon" $tiny --optimizer adamw --momentum 0.9 --output "$work/x"
expect 2 "cooldown: has no effect without --lr-schedule wsd" $tiny --lr-schedule linear --cooldown 0.5 --output "$work/x"
expect 2 "tokenizer: has no effect without --data" "$bin/train_tiny" --tokenizer "$work/model"
expect 2 "kinds: has no effect with --data" $tiny_on_text --data "$work/text.txt" --kinds ages
expect 1 "the folder cannot be made" $tiny --output /dev/full
mkdir "$work/readonly"
chmod a-w "$work/readonly"
if [ "$(id -u)" != 0 ]; then
  expect 1 "cannot be written into" $tiny --output "$work/readonly"
fi
# A disk that is full: no part of a file is left, and what was there before is whole.
cp -r "$work/model" "$work/full"
expect 1 "safetensors.part: cannot be written: File too large" \
  sh -c "ulimit -f 2000; exec $tiny --output '$work/full' --overwrite"
for file in config.json model.safetensors tokenizer.model; do
  same "$work/model/$file" "$work/full/$file"
done
[ "$(find "$work/full" -name '*.part')" = "" ] || failures=$((failures + 1))
expect 0 "preset" "$bin/train_tiny" --help
expect 0 "[0-9]\.[0-9]" "$bin/train_tiny" --version

# A long run in a folder, that is being trained when this returns.
begin() {
  : >"$work/output"  # What the run before printed must not be taken for this one.
  "$bin/train_tiny" --steps 200000 --batch-size 2 --seq-len 32 --vocab-size 600 --problems 2000 --output "$1" >"$work/output" 2>&1 &
  pid=$!
  until grep -q '^train [0-9]' "$work/output" || ! kill -0 $pid; do sleep 0.1; done
}

# Stopped while it trains, by a signal that comes twice, as `timeout` sends it: saved, and only the same command goes on.
# Meanwhile no other run may use the folder.
begin "$work/stopped"
expect 1 "stopped: is in use by process $pid (train_tiny, since [0-9][0-9]:[0-9][0-9])" $tiny --output "$work/stopped"
expect 1 "stopped; .* resumes from there" stopped
grep -q "Stopping after this step, and saving" "$work/output" || failures=$((failures + 1))
expect 0 "config.json" ls "$work/stopped"
expect 1 "belongs to another run" $tiny --output "$work/stopped"
begin "$work/stopped"
grep -q "resuming where it was stopped" "$work/output" || failures=$((failures + 1))
kill -9 $pid
wait $pid
expect 1 "belongs to another run" $tiny --output "$work/stopped"

# The terminal is closed: saved too.
begin "$work/closed"
kill -HUP $pid
wait $pid
[ $? = 1 ] || failures=$((failures + 1))
expect 0 "checkpoint-.*.safetensors" ls "$work/closed"
expect 0 "model.safetensors" ls "$work/closed"

finish
