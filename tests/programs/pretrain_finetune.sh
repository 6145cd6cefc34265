#!/bin/sh
. "$(dirname "$0")/expect.sh"
make_model

$bin/train_tokenizer --vocab-size 500 --input "$work/text.txt" --output "$work/words" >/dev/null 2>&1 || failures=$((failures + 1))
$bin/tokenize --tokenizer "$work/model" --input "$work/text.txt" --output "$work/corpus.tokens" >/dev/null 2>&1 || failures=$((failures + 1))
"$bin/quantize" "$work/model" "$work/q8" >/dev/null 2>&1 || failures=$((failures + 1))
printf '%s\n' '{"user": "1+2", "assistant": "3"}' '{"user": "cut' '{"user": "2+2", "assistant": "4"}' >"$work/chats.jsonl"

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

finish
