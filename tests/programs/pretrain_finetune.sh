#!/bin/sh
. "$(dirname "$0")/expect.sh"
make_model

$bin/train_tiny --steps 3 --batch-size 2 --seq-len 32 --vocab-size 500 --output "$work/words" >/dev/null 2>&1 || failures=$((failures + 1))
$bin/tokenize --tokenizer "$work/model" --input "$work/text.txt" --output "$work/corpus.tokens" >/dev/null 2>&1 || failures=$((failures + 1))
"$bin/quantize" "$work/model" "$work/q8" >/dev/null 2>&1 || failures=$((failures + 1))
printf '%s\n' '{"user": "1+2", "assistant": "3"}' '{"user": "cut' '{"user": "2+2", "assistant": "4"}' >"$work/chats.jsonl"

# From scratch with options, which a file gives again; then fine-tuned on a mix, whole or by adapters.
sizes="--dim 32 --layers 2 --heads 2 --ffn 64 --context 64 --seq-len 64 --batch-size 2 --warmup 2"
pretrain="$bin/pretrain --data $work/corpus.tokens --tokenizer $work/model $sizes"
expect 0 "pretrain, step 5: validation loss .* bits per byte" $pretrain --steps 12 --validate-every 5 --first-seq-len 32 --prompt "今天" --output "$work/base"
expect 0 '"prompt":"今天","sample":' cat "$work/base/metrics.jsonl"
expect 0 'optimizer="*muon' cat "$work/base/options.toml"
expect 0 "saved $work/base2" "$bin/pretrain" --config "$work/base/options.toml" --output "$work/base2"
cmp "$work/base/model.safetensors" "$work/base2/model.safetensors" || failures=$((failures + 1))
expect 1 "base: holds a finished model: talk to it with" $pretrain --steps 12 --output "$work/base"
expect 2 "prompt: is empty, expected some text" $pretrain --steps 2 --prompt "" --output "$work/y"
cmp "$work/base/model.safetensors" "$work/base2/model.safetensors" || failures=$((failures + 1))
expect 1 "a learning rate below .* may help" $pretrain --steps 200 --lr 1e30 --output "$work/x"
# Few steps, so that the guard has not seen ten of them: nothing is saved over the model of an earlier run either.
expect 1 "not saved: the model cannot answer: .* nothing was saved before; a learning rate below 1e+30 may help" \
  $pretrain --steps 3 --lr 1e30 --output "$work/broken"
expect 2 "No such file" ls "$work/broken/model.safetensors"
cp -r "$work/base2" "$work/kept"
expect 1 "not saved: the model cannot answer" $pretrain --steps 3 --lr 1e30 --output "$work/kept" --overwrite
same "$work/base/model.safetensors" "$work/kept/model.safetensors"

# Nobody reads the output any more: the run stops and is saved.
{
  $pretrain --steps 100000 --validate-every 1 --output "$work/piped" 2>"$work/piped.txt"
  echo "exit code $?" >>"$work/piped.txt"
} | sed -n '/step 1:/q'
expect 0 "^stopped; $work/piped is saved" cat "$work/piped.txt"
expect 0 "^exit code 1$" cat "$work/piped.txt"
expect 0 "model.safetensors" ls "$work/piped"

# Wrong usage: all of it is said at once, before anything is done.
expect 2 "first-seq-len: 48, expected 0, or a divisor of 64 below it" $pretrain --first-seq-len 48 --steps 2 --output "$work/y"
expect 2 "first-seq-len: 64, expected" $pretrain --first-seq-len 64 --steps 2 --output "$work/y"
expect 2 "lengthen-at: has no effect without --first-seq-len" $pretrain --lengthen-at 0.4 --momentum 2 --output "$work/y"
expect 2 "momentum: 2, expected" $pretrain --lengthen-at 0.4 --momentum 2 --output "$work/y"
expect 2 "epochs: has no effect with --steps" $pretrain --epochs 2 --steps 2 --output "$work/y"
expect 2 "epochs: nan, expected" $pretrain --epochs nan --output "$work/y"
expect 2 "steps: 100000000000000000000000" $pretrain --steps 100000000000000000000000 --output "$work/y"
expect 2 "No such file" ls "$work/y"
for wrong in "ratee=3" "just words" "$(printf '\001\377\370=\002')"; do
  printf 'steps=3\n%s\n' "$wrong" >"$work/wrong.toml"
  expect 2 "wrong.toml: " $pretrain --config "$work/wrong.toml" --output "$work/y"
done
expect 0 "time: about .* measured in" $pretrain --steps 5 --dry-run --output "$work/y"
expect 2 "No such file" ls "$work/y"
head -c 1000 "$work/corpus.tokens" >"$work/cut.tokens"
expect 1 "cut.tokens: cut short or damaged: the checksum of its 1000 bytes is wrong" \
  "$bin/pretrain" --data "$work/cut.tokens" --tokenizer "$work/model" $sizes --output "$work/y"
expect 1 "corpus.tokens: .*tokenizer" \
  "$bin/pretrain" --data "$work/corpus.tokens" --tokenizer "$work/words" $sizes --output "$work/y"
expect 2 "optimizer" $pretrain --optimizer sgd --output "$work/y"
expect 2 "output" "$bin/pretrain" --data "$work/corpus.tokens" --tokenizer "$work/model"
i=0
while [ $i -lt 60 ]; do
  echo "{\"user\": \"$i+1\", \"assistant\": \"$((i + 1))\"}" >>"$work/sft.jsonl"
  echo "{\"user\": \"$i+2\", \"cot\": \"$i+2\", \"final\": \"$((i + 2))\"}" >>"$work/cot.jsonl"
  i=$((i + 1))
done
finetune="$bin/finetune --model $work/base --data $work/sft.jsonl --steps 6 --batch-size 2"
expect 0 "fine-tune: validation loss" $finetune --data "$work/cot.jsonl:3" --prompt "1+1" --output "$work/tuned"
# Training on shorter rows leaves a model that can see as much as before.
expect 0 "saved" $finetune --seq-len 32 --output "$work/short"
expect 0 '"max_position_embeddings": 64' cat "$work/short/config.json"
expect 0 '"name":"[^"]*cot.jsonl","weight":3.0,"share":0.75' cat "$work/tuned/metrics.jsonl"
expect 0 "saved" $finetune --lora-rank 2 --output "$work/merged"
expect 2 "No such file" ls "$work/merged/adapter_config.json"
expect 0 "saved" $finetune --lora-rank 2 --keep-adapters --output "$work/apart"
cmp "$work/apart/model.safetensors" "$work/base/model.safetensors" || failures=$((failures + 1))
expect 0 "adapter_model.safetensors" ls "$work/apart"
expect 1 "apart: holds a finished model" $finetune --output "$work/apart"
expect 1 "base/.: is the model to read; give another --output" $finetune --output "$work/base/."
# All weights are trained as floats, whatever they were; packed ones stay as they are.
expect 0 "saved" "$bin/finetune" --model "$work/q8" --data "$work/sft.jsonl" --output "$work/floats"
expect 1 "the weights are q8_0, and packed weights stay as they are; train adapters" \
  "$bin/finetune" --model "$work/q8" --type q8_0 --data "$work/sft.jsonl" --output "$work/y"
# Beside packed weights, adapters alone are saved, and open with the model that they name.
expect 0 "saved" "$bin/finetune" --model "$work/q8" --data "$work/sft.jsonl" --steps 6 --batch-size 2 --lora-rank 2 \
  --lora-targets q_proj --lora-targets up_proj --output "$work/beside"
expect 0 "\"base_model_name_or_path\": \"$work/q8\"" cat "$work/beside/adapter_config.json"
expect 2 "No such file" ls "$work/beside/model.safetensors"
expect 0 "perplexity" "$bin/evaluate" "$work/beside" --data "$work/corpus.tokens" --validation-every 0 --tokens 500
expect 1 "cannot be merged into packed weights" \
  "$bin/finetune" --model "$work/beside" --data "$work/sft.jsonl" --lora-rank 2 --output "$work/y"
# To quantise it again, adapters are merged into floats first.
expect 0 "saved" "$bin/quantize" "$work/beside" "$work/beside-q4" --type q4_0
expect 1 "lora: target wrong, expected some of attn.qkv" $finetune --lora-rank 2 --lora-targets wrong --output "$work/y"
expect 2 "keep-adapters: has no effect without --lora-rank" $finetune --keep-adapters --output "$work/y"
expect 2 "lora-alpha: has no effect without --lora-rank" $finetune --lora-alpha 3 --output "$work/y"
expect 2 "system: has no effect without --prompt" $finetune --system "be short" --output "$work/y"
expect 1 "not saved: the model cannot answer" $finetune --lora-rank 2 --lr 1e30 --output "$work/merged2"
expect 2 "No such file" ls "$work/merged2/model.safetensors"
expect 2 "sft.jsonl has weight 0, expected a number above 0" \
  "$bin/finetune" --model "$work/base" --data "$work/sft.jsonl:0" --output "$work/y"
expect 1 "chats.jsonl: line 2: is cut off" "$bin/finetune" --model "$work/base" --data "$work/chats.jsonl" --output "$work/y"
expect 1 "chats.jsonl: 2 samples, too few to keep one of 50 for validation" \
  "$bin/finetune" --model "$work/base" --data "$work/chats.jsonl" --skip-bad --output "$work/y"
call='{"messages": [{"role": "user", "content": "1+1"}, {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": {"name": "add", "arguments": "{}"}}]}, {"role": "tool", "content": "2"}, {"role": "assistant", "content": "2"}]}'
i=0
while [ $i -lt 60 ]; do
  echo "{\"messages\": [{\"role\": \"user\", \"content\": \"$i+1\"}, {\"role\": \"assistant\", \"content\": \"$((i + 1))\"}]}"
  [ $i -ne 7 ] || echo "$call"
  i=$((i + 1))
done >"$work/tools.jsonl"
tools="$bin/finetune --model $work/base --data $work/tools.jsonl --steps 1 --batch-size 2 --output $work/tools"
expect 1 "tools.jsonl: sample 9: " $tools
expect 0 "60 samples, 1 for validation; .*; 1 sample skipped that the chat template cannot express" $tools --skip-bad
expect 1 "there is no such model folder" "$bin/finetune" --model "$work/nothing" --data "$work/sft.jsonl" --output "$work/y"
expect 2 "data" "$bin/finetune" --model "$work/base" --output "$work/y"

# A chat template that ends answers with text alone: an end token follows the last one, which is learned and honoured.
$tiny --preset llama --output "$work/llama" >/dev/null 2>&1 || fail "train_tiny --preset llama"
expect 0 "saved" "$bin/convert" "$work/llama" "$work/plain"
echo "{% for m in messages %}{{ m.role + ': ' + m.content + ' ' }}{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}" \
  >"$work/plain/chat_template.jinja"
i=0
while [ $i -lt 60 ]; do echo '{"user": "1+1", "assistant": "2"}'; i=$((i + 1)); done >"$work/two.jsonl"
expect 0 "ends answers with text alone; </s> follows the last answer of a sample" "$bin/finetune" --model "$work/plain" \
  --data "$work/two.jsonl" --steps 60 --batch-size 2 --seq-len 64 --lr 3e-3 --output "$work/ended"
expect 0 '"finish_reason":"end token"' "$bin/generate" "$work/ended" 1+1 --system "" --temp 0 --max-tokens 40 --json

finish
