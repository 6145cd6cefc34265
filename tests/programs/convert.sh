#!/bin/sh
. "$(dirname "$0")/expect.sh"
data=$(dirname "$0")/../data
convert="$bin/convert"

# A folder of Hugging Face: a fixture with a tokenizer.
qwen="$work/qwen"
mkdir "$qwen"
cp "$data/models/qwen3/config.json" "$data/models/qwen3/model.safetensors" "$qwen"
vocab=$(grep -o '"vocab_size": *[0-9]*' "$qwen/config.json" | grep -o '[0-9]*$')
cat >"$qwen/tokenizer.json" <<END
{"added_tokens": [{"id": 5, "content": "<|im_end|>", "special": true, "normalized": false}], "normalizer": {"type": "NFC"},
 "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
  {"type": "Split", "pattern": {"Regex": "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"},
   "behavior": "Isolated", "invert": false},
  {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false}]},
 "post_processor": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
 "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false},
 "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "d": 3, "ab": 4}, "merges": ["a b"]}}
END
echo '{"eos_token": "<|im_end|>"}' >"$qwen/tokenizer_config.json"

answers() {
  "$bin/generate" "$1" --raw 'abcd' --max-tokens 12 --type f32
}
answers "$qwen" >"$work/expected"
[ -s "$work/expected" ] || fail "the fixture does not answer"

# To GGUF and back: the same answers, and the same tensors.
expect 0 "^qwen3: [0-9]* tensors ([0-9]* F32)$" $convert "$qwen" "$work/qwen.gguf"
answers "$work/qwen.gguf" >"$work/found"
same "$work/expected" "$work/found"
expect 0 "^saved $work/back$" $convert "$work/qwen.gguf" "$work/back"
answers "$work/back" >"$work/found"
same "$work/expected" "$work/found"
expect 0 "^saved $work/again.gguf$" $convert "$work/back" "$work/again.gguf"
expect 0 "^[0-9]* tensors ([0-9]* F16)$" $convert "$qwen" "$work/half" --type f16
grep -q '"float16"' "$work/half/config.json" || fail "config.json does not name the type"
for type in f16 bf16 q8_0 q4_0; do
  expect 0 "^saved $work/$type.gguf$" $convert "$qwen" "$work/$type.gguf" --type $type
  expect 0 "" answers "$work/$type.gguf"
done
# Quantised weights stay as they are in another GGUF file, and become floats in a folder, of the same numbers.
expect 0 "Q8_0" $convert "$work/q8_0.gguf" "$work/copy.gguf"
answers "$work/q8_0.gguf" >"$work/expected"
expect 0 "F32)$" $convert "$work/copy.gguf" "$work/wide"
answers "$work/wide" >"$work/found"
same "$work/expected" "$work/found"
expect 0 "^matrices q8_0, tables q8_0: " "$bin/quantize" "$qwen" "$work/own"
expect 0 "Q8_0" $convert "$work/own" "$work/own.gguf"
answers "$work/own.gguf" >"$work/found"
same "$work/expected" "$work/found"
# A file of another program, with K-quants.
expect 0 "^saved $work/k$" $convert "$data/gguf/q4_k_q6_k.gguf" "$work/k"
"$bin/generate" "$data/gguf/q4_k_q6_k.gguf" --raw Hello --max-tokens 8 >"$work/expected"
"$bin/generate" "$work/k" --raw Hello --max-tokens 8 >"$work/found"
same "$work/expected" "$work/found"

# A sliding window is kept, and a user is warned that other programs ignore it.
mkdir "$work/mistral"
cp "$data/models/mistral/config.json" "$data/models/mistral/model.safetensors" "$qwen/tokenizer.json" \
  "$qwen/tokenizer_config.json" "$work/mistral"
expect 0 "other programs that read GGUF ignore this window" $convert "$work/mistral" "$work/mistral.gguf"

# Adapters alone, beside rows that GGUF permutes, to GGUF and back: merged they give the same weights.
llama="$work/base"
mkdir "$llama"
cp "$data/models/llama3_scaled/config.json" "$data/models/llama3_scaled/model.safetensors" "$qwen/tokenizer.json" \
  "$qwen/tokenizer_config.json" "$llama"
cp -r "$data/models/lora_llama3_scaled" "$work/peft"
expect 1 "peft/adapter_config.json: base_model_name_or_path: there is no" $convert "$work/peft" "$work/peft.gguf" --adapters
expect 0 "^14 adapters$" $convert "$work/peft" "$work/peft.gguf" --adapters --base "$llama"
expect 0 "^saved $work/peft-back$" $convert "$work/peft.gguf" "$work/peft-back" --adapters --base "$llama"
expect 0 "^saved $work/merged$" $convert "$work/peft" "$work/merged" --base "$llama"
expect 0 "^saved $work/merged2$" $convert "$work/peft.gguf" "$work/merged2" --base "$llama"
expect 0 "^saved $work/merged3$" $convert "$work/peft-back" "$work/merged3"
same "$work/merged/model.safetensors" "$work/merged2/model.safetensors"
same "$work/merged/model.safetensors" "$work/merged3/model.safetensors"
! cmp -s "$work/merged/model.safetensors" "$llama/model.safetensors" || fail "the adapters change nothing"
expect 1 "^convert: $work/peft.gguf: holds adapter, expected a model" $convert "$work/peft.gguf" "$work/x"
expect 1 "^convert: $work/q8_0.gguf: general.type is missing, expected adapter" $convert "$work/q8_0.gguf" "$work/x" --base "$llama"
expect 1 "^convert: .*no adapters" $convert "$llama" "$work/x.gguf" --adapters
expect 1 "^convert: .*no adapters" $convert "$llama" "$work/x" --adapters
expect 1 "peft.gguf: exists; remove it" $convert "$work/peft" "$work/peft.gguf" --adapters --base "$llama"

# Our own models: those of the form of Llama travel, the others do not.
$tiny --preset llama --output "$work/llama" >/dev/null 2>&1 || fail "train_tiny --preset llama"
answer() {
  "$bin/generate" "$1" '计算：1+2*3' --max-tokens 12 --temp 0
}
answer "$work/llama" >"$work/expected"
expect 0 "^llama: " $convert "$work/llama" "$work/llama.gguf"
expect 0 "U+2581" $convert "$work/llama" "$work/llama-folder"
for model in llama.gguf llama-folder; do
  answer "$work/$model" >"$work/found"
  same "$work/expected" "$work/found"
done
make_model
expect 1 "^convert: .*no other program knows this form of model" $convert "$work/model" "$work/x.gguf"
expect 1 "^convert: .*no other program knows this form of model" $convert "$work/model" "$work/x"

# A full disk leaves nothing behind.
expect 1 "model.safetensors.part: cannot be written: File too large" sh -c "ulimit -f 8; exec $convert $llama $work/full"
expect 1 "full.gguf.part: cannot be written: File too large" sh -c "ulimit -f 8; exec $convert $llama $work/full.gguf"
[ -z "$(find "$work" -name '*.part')" ] || fail "a part of a file is left after a full disk"

# An adapter folder that a convert was interrupted in opens afterwards, and one that names no model says so.
mkdir "$work/begun"
cp "$llama/config.json" "$work/begun"
expect 0 "^saved $work/begun$" $convert "$work/peft" "$work/begun" --adapters --base "$llama"
expect 0 "" "$bin/generate" "$work/begun" abcd --raw --max-tokens 2
expect 2 "^convert: --base: missing: adapters in a GGUF file name no model" $convert "$work/peft.gguf" "$work/x" --adapters

# What is wrong.
expect 1 "^convert: $work/qwen.gguf: exists; remove it" $convert "$qwen" "$work/qwen.gguf"
expect 1 "back: holds a finished model" $convert "$qwen" "$work/back"
expect 1 "is the model to read" $convert "$qwen" "$qwen/."
expect 2 "^convert: --type: Q8_0 is for GGUF" $convert "$qwen" "$work/x" --type q8_0
expect 2 "^convert: --type: q5, expected f32, f16, bf16, q8_0, q4_0" $convert "$qwen" "$work/x.gguf" --type q5
expect 1 "there is no such model folder or GGUF file" $convert "$work/nothing" "$work/x.gguf"
echo text >"$work/text.gguf"
expect 1 "text.gguf: is not a GGUF file" $convert "$work/text.gguf" "$work/x"
head -c 100000 "$work/qwen.gguf" >"$work/short.gguf"
expect 1 "short.gguf: .*cut short or damaged" $convert "$work/short.gguf" "$work/x"
mkdir "$work/shards"
cp "$data/models/qwen2_bf16_sharded/"model* "$data/models/qwen2_bf16_sharded/config.json" "$qwen/tokenizer.json" \
  "$qwen/tokenizer_config.json" "$work/shards"
rm "$work/shards/model-00002-of-00002.safetensors"
expect 1 "the shard model-00002-of-00002.safetensors is missing" $convert "$work/shards" "$work/x.gguf"
sed 's/"rope_scaling": null/"rope_scaling": {"type": "dynamic", "factor": 2.0}/' "$qwen/config.json" >"$work/config.json"
cp "$work/config.json" "$qwen/config.json"
grep -q dynamic "$qwen/config.json" || fail "the fixture has no rope_scaling to change"
expect 1 "GGUF cannot express dynamic" $convert "$qwen" "$work/x.gguf"
[ ! -e "$work/x.gguf" ] && [ ! -e "$work/x" ] || fail "something was written though it is wrong"

finish
