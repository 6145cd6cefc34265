#!/bin/sh
# Other programs read the tokenizer of a model that was made here, and give texts the same ids.
set -eu
. "$(dirname "$0")/../npm.sh"
here=$(cd "$(dirname "$0")" && pwd)
bin=$1/examples
modules=$1/tests/reference
install_packages "$here" "$modules"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$bin/train_tiny" --preset llama --steps 1 --output "$work/model" >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }
"$bin/convert" "$work/model" "$work/folder" >"$work/said" || { cat "$work/said"; exit 1; }
"$bin/convert" "$work/model" "$work/model.gguf" >"$work/said" || { cat "$work/said"; exit 1; }
printf '%s\n' '请计算9+9*2' 'The quick brown fox: 1,234.5 km² in 3 days.' '  two blanks, a	tab and a blank at the end ' \
  '鱼🐟 and é, é and 한국어' '答案：27。先计算乘法' '1' '<|im_end|> typed by a user' | sed 's/$/\n\f/' | sed '$d' >"$work/texts"
"$bin/tokenize" --tokenizer "$work/model" -i "$work/texts" -o "$work/texts.tokens" >"$work/said" || {
  cat "$work/said"
  exit 1
}
node "$modules/tokenizers.mjs" "$work/folder" "$work/model.gguf" "$work/texts" "$work/texts.tokens"
