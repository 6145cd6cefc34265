#!/bin/sh
. "$(dirname "$0")/expect.sh"
make_model

# Samples: good lines and bad ones, with and without a tokenizer.
printf '%s\n' '{"user": "1+2", "assistant": "3"}' '{"user": "cut' '{"user": "2+2", "assistant": "4"}' >"$work/chats.jsonl"
expect 0 "chat, 2 samples, 1 bad line of 3" "$bin/show_samples" "$work/chats.jsonl"
expect 0 "line 2: is cut off after 13 bytes" "$bin/show_samples" "$work/chats.jsonl"
expect 1 "chats.jsonl: line 2: is cut off" "$bin/show_samples" --strict "$work/chats.jsonl"
expect 0 "^\[\[3</s>\]\]" "$bin/show_samples" --tokenizer "$work/model" "$work/chats.jsonl"
expect 0 "2 samples truncated, 2 with nothing learned dropped" "$bin/show_samples" --tokenizer "$work/model" --seq-len 8 "$work/chats.jsonl"
expect 0 "^\[\[3</s>\]\]" "$bin/show_samples" --model "$work/model" "$work/chats.jsonl"
expect 2 "tokenizer" "$bin/show_samples" --model "$work/model" --tokenizer "$work/model" "$work/chats.jsonl"

# A model's own chat template, and a sample that it cannot express.
cp -r "$work/model" "$work/other"
printf '%s' '{% for m in messages %}{% if m.content == "2+2" %}{{ raise_exception("no sums of twos") }}{% endif %}<{{ m.role }}>{{ m.content }}{% endfor %}' >"$work/other/chat_template.jinja"
expect 0 "^<user>1+2\[\[<assistant>3" "$bin/show_samples" --model "$work/other" --count 1 "$work/chats.jsonl"
expect 0 "1 sample that the chat template cannot express" "$bin/show_samples" --model "$work/other" "$work/chats.jsonl"
expect 0 "line 3: .*no sums of twos" "$bin/show_samples" --model "$work/other" "$work/chats.jsonl"
expect 1 "sums.jsonl: line 1: .*no sums of twos" \
  sh -c "sed -n 3p '$work/chats.jsonl' >'$work/sums.jsonl' && '$bin/show_samples' --strict --model '$work/other' '$work/sums.jsonl'"
# A GGUF file has both in it.
expect 0 "q4_0.gguf: the model has no chat template" "$bin/show_samples" --model "$(dirname "$0")/../data/gguf/q4_0.gguf" "$work/chats.jsonl"
printf '{"user": "esc \\u001b[31m", "assistant": "\\u009b2J"}' >"$work/escape.jsonl"
expect 0 'esc .x1b\[31m' "$bin/show_samples" --tokenizer "$work/model/tokenizer.model" "$work/escape.jsonl"
expect 0 '.x9b2J' "$bin/show_samples" --tokenizer "$work/model/tokenizer.model" "$work/escape.jsonl"
expect 1 "text.txt: has no samples" "$bin/show_samples" "$work/text.txt"
printf '{"prompt": "1+1", "completion": "2", "license": "MIT"}\r{"prompt": "2+2", "completion": "4", "x": 1e400}\r' >"$work/pairs.jsonl"
expect 0 "completion, 2 samples, 0 bad lines of 2" "$bin/show_samples" --input "$work/pairs.jsonl"
expect 0 'ignored fields: "license" (1 sample), "x" (1 sample)' "$bin/show_samples" -i "$work/pairs.jsonl"
expect 0 "^\[\[2</s>\]\]" "$bin/show_samples" "$work/pairs.jsonl" --tokenizer "$work/model"
expect 1 "missing.jsonl: cannot be opened" "$bin/show_samples" "$work/missing.jsonl"
expect 1 "cannot be read: Is a directory" "$bin/show_samples" "$work"
expect 1 "chats.jsonl: line 2, byte 1: is not JSON" "$bin/show_samples" --tokenizer "$work/chats.jsonl" "$work/chats.jsonl"
for length in 0 1000001; do expect 2 "^show_samples: --seq-len: $length, expected 1 to 1000000$" "$bin/show_samples" --seq-len $length "$work/chats.jsonl"; done
for option in --seq-len --count; do
  expect 2 "^show_samples: $option: has no effect without --model or --tokenizer$" "$bin/show_samples" $option 8 "$work/chats.jsonl"
done
expect 2 "^show_samples: --input: missing$" "$bin/show_samples"

finish
