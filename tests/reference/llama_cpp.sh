#!/bin/sh
# llama.cpp loads the models and adapters that `convert` writes as GGUF files and gives the probabilities that the fixtures expect.
. "$(dirname "$0")/begin.sh"
install_packages "$here" "$modules"

data=$here/../data
# Every byte is a token, without merges. Of 259 rows of embeddings two are left over.
node -e '
  const printable = (b) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  const vocab = {};
  for (let b = 0, other = 256; b < 256; ++b) vocab[String.fromCodePoint(printable(b) ? b : other++)] = b;
  const bytes = {type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true};
  console.log(JSON.stringify({
    version: "1.0", added_tokens: [{id: 256, content: "<end>", special: true, normalized: false, lstrip: false,
      rstrip: false, single_word: false}],
    pre_tokenizer: bytes, decoder: bytes, model: {type: "BPE", vocab, merges: []}}));' >"$work/tokenizer.json"
echo '{"eos_token": "<end>"}' >"$work/tokenizer_config.json"
for name in llama3_scaled qwen3 qwen2_bf16_sharded minicpm; do
  mkdir "$work/$name"
  cp "$data/models/$name"/* "$work/tokenizer.json" "$work/tokenizer_config.json" "$work/$name"
  quiet "$bin/convert" "$work/$name" "$work/$name.gguf" --type f32
  node "$modules/llama_cpp.mjs" "$work/$name.gguf" "$data/models/$name/expected.safetensors"
done
quiet "$bin/convert" "$data/models/lora_llama3_scaled" "$work/lora.gguf" --adapters --base "$work/llama3_scaled"
node "$modules/llama_cpp.mjs" "$work/llama3_scaled.gguf" "$data/models/lora_llama3_scaled/expected.safetensors" \
  "$work/lora.gguf"
