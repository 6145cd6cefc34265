#!/bin/sh
# tests/programs.sh <build>: the programs as a user meets them, with what a user may do wrong.
set -u
bin=$1/examples
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
failures=0

# expect <exit code> <pattern that the output must hold> <command...>
expect() {
  code=$1 pattern=$2
  shift 2
  "$@" >"$work/said" 2>&1 </dev/null
  got=$?
  if [ "$got" != "$code" ] || ! grep -q -e "$pattern" "$work/said"; then
    echo "FAILED: $*"
    echo "  exit code $got, expected $code; output, expected to hold '$pattern':"
    head -n 40 "$work/said" | sed 's/^/  | /'
    failures=$((failures + 1))
  fi
}

# Every help is text to the last byte.
for program in "$bin"/*; do
  [ -f "$program" ] && [ -x "$program" ] || continue
  if "$program" --help | LC_ALL=C tr -d '\n' | LC_ALL=C grep -q '[[:cntrl:]]'; then
    echo "FAILED: $program --help prints bytes that are no text"
    failures=$((failures + 1))
  fi
done

tiny="$bin/train_tiny --steps 3 --batch 2 --length 32 --vocab 600"
expect 0 "saved $work/model" $tiny --output "$work/model"
expect 0 "exact match" $tiny --output "$work/again"
for file in config.json model.safetensors tokenizer.model; do
  cmp "$work/model/$file" "$work/again/$file" || failures=$((failures + 1))
done

expect 0 "\"loss\":" cat "$work/model/metrics.jsonl"
expect 0 "fine-tune" cat "$work/model/report.html"
expect 0 "in a browser: http://127.0.0.1:[1-9]" $tiny --dashboard 0 --optimizer muon --output "$work/muon"

# One's own text, and texts that are none.
i=0
while [ $i -lt 400 ]; do echo "line $i: 今天学习第 $i 课。"; i=$((i + 1)); done >"$work/text.txt"
expect 0 "pretrain: held-out loss .* perplexity" $tiny --corpus "$work/text.txt" --output "$work/own"
expect 1 "missing.txt: cannot be opened" $tiny --corpus "$work/missing.txt" --output "$work/x"
: >"$work/empty.txt"
expect 1 "holds no text" $tiny --corpus "$work/empty.txt" --output "$work/x"
printf 'good\nbad \377 byte\n' >"$work/latin.txt"
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
stopped() {
  kill -INT $pid
  kill -INT $pid
  wait $pid
  status=$?
  cat "$work/output"
  return $status
}
expect 1 "stopped; .* goes on from there" stopped
expect 0 "config.json" ls "$work/stopped"
expect 1 "is of another run" $tiny --output "$work/stopped"

# Chat: on a pipe, with its commands, and with a folder that is none or is damaged.
chat="$bin/chat $work/model --max-tokens 5"
says() {
  printf "$1" | $chat
}
expect 0 "^answer   [0-9]* tokens, .* tokens/s, first after" says '计算：1+2*3\n/stats\n'
expect 0 "^2 turns" says "one \\\\\n more\n\"\"\"two\n lines\"\"\"\n/retry\n/save $work/talk.json\n/reset\n/load $work/talk.json\n"
expect 0 '"one \\n more"},.*"two\\n lines"}' cat "$work/talk.json"
expect 0 "/retry  *answers the last message" says '/help\n'
expect 0 "^be brief" says '/system be brief\n/system\n/temp 0.5\n'
expect 0 "^2 turns" says "/load $work/talk.json\n/quit\n/frob\n"
expect 1 "chat: /frob: is no command" says '/frob\n'
expect 1 "chat: sampling: temperature -1, expected 0 or more" says '/temp -1\n'
expect 1 'chat: /temp: "warm" is no number' says '/temp warm\n'
expect 1 "chat: there is no message to answer once more" says '/retry\n'
expect 1 "chats.json: cannot be opened" says "/load $work/chats.json\n"
expect 1 "config.json: is no conversation" says "/load $work/model/config.json\n"
expect 1 "is not UTF-8" says 'bad \377\n'
expect 1 "cannot be written" says "1\n/save $work/nowhere/talk.json\n"
expect 1 "there is no such model folder" "$bin/chat" "$work/nothing"
expect 2 "model" "$bin/chat"
cp -r "$work/model" "$work/damaged"
truncate -s 5000 "$work/damaged/model.safetensors"
expect 1 "model.safetensors: .*cut short or damaged" "$bin/chat" "$work/damaged"
cp -r "$work/model" "$work/mute"
rm "$work/mute/tokenizer.model"
expect 1 "mute/tokenizer.model: cannot be opened" "$bin/chat" "$work/mute"

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

# A quantised model: chat opens it as any other.
quantize="$bin/quantize $work/model"
expect 0 "saved $work/q8" $quantize "$work/q8"
expect 0 "matrices q4_0, tables f32" $quantize "$work/q4" --type q4_0 --tables f32
expect 0 "matrices bf16, tables bf16" $quantize "$work/half" --type bf16
for folder in q8 q4 half; do
  printf '计算：1+2*3\n' | "$bin/chat" "$work/$folder" --max-tokens 5 >"$work/output" || failures=$((failures + 1))
done
expect 1 "the model is quantised already" "$bin/quantize" "$work/q8" "$work/x"
expect 1 "would take the place of the model that is read" $quantize "$work/model/."
expect 1 "again: holds a finished model" $quantize "$work/again"
expect 1 "there is no such model folder" "$bin/quantize" "$work/nothing" "$work/x"
expect 2 "type" $quantize "$work/x" --type q2
expect 2 "output" $quantize
truncate -s 5000 "$work/q4/model.safetensors"
expect 1 "model.safetensors: .*cut short or damaged" "$bin/chat" "$work/q4"

# Samples: good lines and bad ones, with and without a tokenizer.
printf '%s\n' '{"user": "1+2", "assistant": "3"}' '{"user": "cut' '{"user": "2+2", "assistant": "4"}' >"$work/chats.jsonl"
expect 0 "chat, 2 samples, 1 bad lines of 3" "$bin/show_samples" "$work/chats.jsonl"
expect 0 "line 2: is cut off after 13 bytes" "$bin/show_samples" "$work/chats.jsonl"
expect 1 "chats.jsonl: line 2: is cut off" "$bin/show_samples" --strict "$work/chats.jsonl"
expect 0 "^\[\[3</s>\]\]" "$bin/show_samples" --tokenizer "$work/model" "$work/chats.jsonl"
expect 0 "2 samples truncated, 2 with nothing learned dropped" "$bin/show_samples" --tokenizer "$work/model" --length 8 "$work/chats.jsonl"
printf '{"user": "esc \\u001b[31m", "assistant": "\\u009b2J"}' >"$work/escape.jsonl"
expect 0 'esc .x1b\[31m' "$bin/show_samples" --tokenizer "$work/model/tokenizer.model" "$work/escape.jsonl"
expect 0 '.x9b2J' "$bin/show_samples" --tokenizer "$work/model/tokenizer.model" "$work/escape.jsonl"
expect 1 "text.txt: holds no sample" "$bin/show_samples" "$work/text.txt"
expect 1 "missing.jsonl: cannot be opened" "$bin/show_samples" "$work/missing.jsonl"
expect 1 "cannot be read: Is a directory" "$bin/show_samples" "$work"
expect 1 "chats.jsonl: is not a SentencePiece model" "$bin/show_samples" --tokenizer "$work/chats.jsonl" "$work/chats.jsonl"
for length in 0 1000001; do expect 2 "length" "$bin/show_samples" --length $length "$work/chats.jsonl"; done
expect 2 "files" "$bin/show_samples"

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
  expect 0 "bytes of markup and fields .* left out" $prepare --near-duplicates none --threads 1
  expect 0 "bytes of markup and fields" cat "$work/corpus.txt.report.html"
  cp "$work/corpus.txt" "$work/before.txt"
  expect 1 "corpus.txt.part: cannot be written: File too large" sh -c "trap '' XFSZ; ulimit -f 4; exec $prepare"
  cmp "$work/corpus.txt" "$work/before.txt" || failures=$((failures + 1))
  expect 1 "no text file among 0 files" "$bin/prepare_data" --input "$work/none" --output "$work/x.txt"
  expect 1 "missing: cannot be read" "$bin/prepare_data" --input "$work/missing" --output "$work/x.txt"
  expect 1 "language klingon: not known" $prepare --languages klingon
  expect 1 "words: cannot be opened" $prepare --words "$work/words"
  expect 1 "corpus.txt: is named twice" $prepare --report "$work/corpus.txt"
  expect 1 "one.txt: is the input too" "$bin/prepare_data" --input "$work/raw/one.txt" --output "$work/raw/one.txt"
  expect 2 "near-threshold" $prepare --near-threshold 2
  expect 2 "input" "$bin/prepare_data" --output "$work/x.txt"
fi

# A vocabulary: the same one each time, and what cannot be learnt from leaves nothing behind.
vocabulary="$bin/train_tokenizer --vocab 500 --input $work/text.txt"
expect 0 "ours .*characters a token, \([1-9][0-9]*\) of \1 stretches come back" $vocabulary --output "$work/words"
expect 0 "saved $work/again.model" $vocabulary --output "$work/again.model"
cmp "$work/words/tokenizer.model" "$work/again.model" || failures=$((failures + 1))
expect 0 "usual .*characters a token" $vocabulary --output "$work/words" --compare
expect 1 "missing.txt: cannot be opened" "$bin/train_tokenizer" --input "$work/missing.txt" --output "$work/no.model"
expect 1 "empty.txt: is empty" "$bin/train_tokenizer" --input "$work/empty.txt" --output "$work/no.model"
expect 1 "latin.txt: line 2, byte 5: 0xFF is not UTF-8" \
  "$bin/train_tokenizer" --input "$work/latin.txt" --output "$work/no.model"
expect 2 "vocab" "$bin/train_tokenizer" --input "$work/text.txt" --output "$work/no.model" --vocab 10
expect 2 "input" "$bin/train_tokenizer" --output "$work/no.model"
# A file of tokens, and texts that give none.
tokenize="$bin/tokenize --tokenizer $work/model --output $work/corpus.tokens"
printf 'one\ntwo\n\f\nthree\n' >"$work/documents.txt"
expect 0 "^3 documents, .* characters and .* bytes in a token" \
  $tokenize --input "$work/documents.txt" "$work/text.txt" --threads 2
cp "$work/corpus.tokens" "$work/before.tokens"
expect 0 "saved $work/corpus.tokens" $tokenize --input "$work/documents.txt" "$work/text.txt" --threads 1
cmp "$work/corpus.tokens" "$work/before.tokens" || failures=$((failures + 1))
expect 1 "latin.txt: line 2, byte 5: 0xFF is not UTF-8" $tokenize --input "$work/latin.txt"
expect 1 "missing.txt: cannot be opened" $tokenize --input "$work/missing.txt"
expect 1 "is not a regular file" $tokenize --input "$work"
expect 1 "not written: the corpus holds no text" $tokenize --input "$work/empty.txt"
expect 1 "is the input too" "$bin/tokenize" --tokenizer "$work/model" --input "$work/text.txt" --output "$work/text.txt"
expect 1 "0 threads asked for" $tokenize --input "$work/text.txt" --threads 0
expect 1 "corpus.tokens.part: cannot be written: File too large" \
  sh -c "trap '' XFSZ; ulimit -f 4; exec $tokenize --input $work/text.txt"
cmp "$work/corpus.tokens" "$work/before.tokens" || failures=$((failures + 1))
expect 1 "is not a SentencePiece model" \
  "$bin/tokenize" --tokenizer "$work/text.txt" --input "$work/text.txt" --output "$work/x.tokens"
expect 2 "tokenizer" "$bin/tokenize" --input "$work/text.txt" --output "$work/x.tokens"
expect 0 "threads" "$bin/tokenize" --help

expect 0 "pretrain: held-out loss" \
  $tiny --corpus "$work/corpus.tokens" --tokenizer "$work/model/tokenizer.model" --output "$work/of-tokens"
expect 1 "corpus.tokens: .*tokenizer" \
  $tiny --corpus "$work/corpus.tokens" --tokenizer "$work/words/tokenizer.model" --output "$work/x"
expect 2 "corpus" $tiny --tokenizer "$work/model/tokenizer.model" --output "$work/x"

perplexity="$bin/perplexity --corpus $work/corpus.tokens --held-out-every 0 --tokens 500"
expect 0 "of-tokens: perplexity [1-9].* (+0.000 %), .* bits per byte, [1-9][0-9]* tokens" $perplexity "$work/of-tokens"
expect 0 "$work/q8: perplexity .* ([+-]0" $perplexity "$work/model" "$work/q8"
expect 1 "there is no such model folder" $perplexity "$work/nothing"
expect 1 "corpus.tokens: .*tokenizer" $perplexity "$work/again" "$work/own"
expect 1 "missing.tokens: cannot be opened" "$bin/perplexity" --corpus "$work/missing.tokens" "$work/model"
expect 2 "corpus" "$bin/perplexity" "$work/model"

# From scratch with options, which a file gives again; then fine-tuned on a mix, whole or by adapters.
sizes="--dim 32 --layers 2 --heads 2 --ffn 64 --context 64 --length 64 --batch 2 --warmup 2"
pretrain="$bin/pretrain --corpus $work/corpus.tokens --tokenizer $work/model $sizes"
expect 0 "pretrain, step 5: held-out loss .* bits per byte" $pretrain --steps 12 --validate-every 5 --first-length 32 --prompt "今天" --output "$work/base"
expect 0 '"prompt":"今天","sample":' cat "$work/base/metrics.jsonl"
expect 0 'optimizer="*muon' cat "$work/base/options.toml"
expect 0 "saved $work/base2" "$bin/pretrain" --config "$work/base/options.toml" --output "$work/base2"
cmp "$work/base/model.safetensors" "$work/base2/model.safetensors" || failures=$((failures + 1))
expect 1 "base: holds a finished model; remove it, or give another --output" $pretrain --steps 12 --output "$work/base"
expect 1 "prompt \"\": 0 tokens, expected 1 to 63" $pretrain --steps 2 --prompt "" --output "$work/y"
cmp "$work/base/model.safetensors" "$work/base2/model.safetensors" || failures=$((failures + 1))
expect 1 "a learning rate below .* may help" $pretrain --steps 200 --rate 1e30 --output "$work/x"
expect 1 "first length 48, expected 0, or a divisor of 64" $pretrain --first-length 48 --steps 2 --output "$work/y"
expect 1 "corpus.tokens: .*tokenizer" \
  "$bin/pretrain" --corpus "$work/corpus.tokens" --tokenizer "$work/words" $sizes --output "$work/y"
expect 2 "optimizer" $pretrain --optimizer sgd --output "$work/y"
expect 2 "output" "$bin/pretrain" --corpus "$work/corpus.tokens" --tokenizer "$work/model"
i=0
while [ $i -lt 60 ]; do
  echo "{\"user\": \"$i+1\", \"assistant\": \"$((i + 1))\"}" >>"$work/sft.jsonl"
  echo "{\"user\": \"$i+2\", \"cot\": \"$i+2\", \"final\": \"$((i + 2))\"}" >>"$work/cot.jsonl"
  i=$((i + 1))
done
finetune="$bin/finetune --model $work/base --data $work/sft.jsonl --steps 6 --batch 2"
expect 0 "fine-tune: held-out loss" $finetune --data "$work/cot.jsonl:3" --prompt "1+1" --output "$work/tuned"
expect 0 '"name":"[^"]*cot.jsonl","weight":3.0,"share":0.75' cat "$work/tuned/metrics.jsonl"
expect 0 "saved" $finetune --lora-rank 2 --output "$work/merged"
expect 2 "No such file" ls "$work/merged/adapter.json"
expect 0 "saved" $finetune --lora-rank 2 --keep-adapters --output "$work/apart"
cmp "$work/apart/model.safetensors" "$work/base/model.safetensors" || failures=$((failures + 1))
expect 0 "adapter.safetensors" ls "$work/apart"
expect 1 "apart: holds a finished model" $finetune --output "$work/apart"
expect 1 "base/.: is the model to begin with; give another --output" $finetune --output "$work/base/."
expect 1 "the model is quantised, expected one with float weights" \
  "$bin/finetune" --model "$work/q8" --data "$work/sft.jsonl" --output "$work/y"
expect 1 "lora: target wrong, expected some of attn.qkv" $finetune --lora-rank 2 --lora-targets wrong --output "$work/y"
expect 1 "sft.jsonl has weight 0, expected a number above 0" \
  "$bin/finetune" --model "$work/base" --data "$work/sft.jsonl:0" --output "$work/y"
expect 1 "chats.jsonl: line 2: is cut off" "$bin/finetune" --model "$work/base" --data "$work/chats.jsonl" --output "$work/y"
expect 1 "chats.jsonl: 2 samples, too few to hold one of 50 out" \
  "$bin/finetune" --model "$work/base" --data "$work/chats.jsonl" --skip-bad --output "$work/y"
expect 1 "there is no such model folder" "$bin/finetune" --model "$work/nothing" --data "$work/sft.jsonl" --output "$work/y"
expect 2 "data" "$bin/finetune" --model "$work/base" --output "$work/y"

# Stopped: nothing is left.
i=0
while [ $i -lt 11 ]; do
  cat "$work/text.txt" "$work/text.txt" >"$work/twice.txt"
  mv "$work/twice.txt" "$work/text.txt"
  i=$((i + 1))
done
$tokenize --input "$work/text.txt" >"$work/output" 2>&1 &
pid=$!
until grep -q '^MB' "$work/output" || ! kill -0 $pid; do sleep 0.1; done
expect 1 "stopped; nothing was written" stopped
[ ! -e "$work/corpus.tokens.part" ] || failures=$((failures + 1))
cmp "$work/corpus.tokens" "$work/before.tokens" || failures=$((failures + 1))

[ $failures = 0 ] && echo "all as expected"
exit $failures
