#!/bin/sh
# Other programs read the tokenizer of a model that was made here, and give texts the same ids.
. "$(dirname "$0")/begin.sh"
install_packages "$here" "$modules"

quiet "$bin/train_tiny" --preset llama --steps 1 --output "$work/model"
quiet "$bin/convert" "$work/model" "$work/folder"
quiet "$bin/convert" "$work/model" "$work/model.gguf"
printf '%s\n' '请计算9+9*2' 'The quick brown fox: 1,234.5 km² in 3 days.' '  two blanks, a	tab and a blank at the end ' \
  '鱼🐟 and é, é and 한국어' '答案：27。先计算乘法' '1' '<|im_end|> typed by a user' | sed 's/$/\n\f/' | sed '$d' >"$work/texts"
quiet "$bin/tokenize" --tokenizer "$work/model" -i "$work/texts" -o "$work/texts.tokens"
node "$modules/tokenizers.mjs" "$work/folder" "$work/model.gguf" "$work/texts" "$work/texts.tokens"
