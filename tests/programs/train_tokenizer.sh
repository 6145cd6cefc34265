#!/bin/sh
. "$(dirname "$0")/expect.sh"
make_model

# A vocabulary: the same one each time, whatever the order of the texts.
vocabulary="$bin/train_tokenizer --vocab-size 500 -i $work/text.txt"
expect 0 "tinyllm: .* characters per token, \([1-9][0-9]*\) of \1 validation texts given back" $vocabulary -o "$work/words"
expect 0 "saved $work/again.model" $vocabulary --output "$work/again.model"
same "$work/words/tokenizer.model" "$work/again.model"
sed 's/line/Zeile/' "$work/text.txt" >"$work/other.txt"
expect 0 "tinyllm" "$bin/train_tokenizer" --vocab-size 500 -o "$work/a.model" -i "$work/text.txt" "$work/other.txt"
expect 0 "tinyllm" "$bin/train_tokenizer" --vocab-size 500 -o "$work/b.model" -i "$work/other.txt" "$work/text.txt"
same "$work/a.model" "$work/b.model"
expect 0 "SentencePiece: .*characters per token" $vocabulary --output "$work/words" --compare

# A text in one line, and lines that SentencePiece would skip.
tr -d '\n' <"$work/text.txt" >"$work/line.txt"
expect 0 "validation texts given back" "$bin/train_tokenizer" --vocab-size 500 -i "$work/line.txt" -o "$work/line.model"
sed 's/$/ ▅/' "$work/text.txt" >"$work/block.txt"
tokens=$($vocabulary -o "$work/again.model" 2>/dev/null | sed -n 's/^saved .*: //p')
expect 0 "saved .*: $tokens" "$bin/train_tokenizer" --vocab-size 500 -i "$work/block.txt" -o "$work/b.model"

# What cannot be learned from leaves nothing, and a comparison that fails comes after the tokenizer is saved.
for i in $(seq 128 187); do
  for j in 200 210 220 230 240 250 260 270; do printf "\\344\\$(printf %o "$i")\\$j "; done
done >"$work/rare.txt"
expect 1 "compare: SentencePiece with its default settings: " \
  "$bin/train_tokenizer" --vocab-size 300 -i "$work/rare.txt" -o "$work/rare.model" --compare
expect 0 "saved" "$bin/train_tokenizer" --vocab-size 300 -i "$work/rare.txt" -o "$work/rare-again.model"
same "$work/rare.model" "$work/rare-again.model"
expect 1 "missing.txt: cannot be opened" "$bin/train_tokenizer" --input "$work/missing.txt" --output "$work/no.model"
expect 1 "empty.txt: is empty" "$bin/train_tokenizer" --input "$work/empty.txt" --output "$work/no.model"
expect 1 "latin.txt: line 2, byte 5: 0xFF is not UTF-8" \
  "$bin/train_tokenizer" --input "$work/latin.txt" --output "$work/no.model"
expect 2 "vocab-size: 10, expected 300 to 1000000" "$bin/train_tokenizer" --input "$work/text.txt" --output "$work/no.model" --vocab-size 10
expect 2 "^train_tokenizer: --input: missing$" "$bin/train_tokenizer" --output "$work/no.model"
[ ! -e "$work/no.model" ] || failures=$((failures + 1))

# The tokenizer of a model is not replaced, nor that of a run that will save one.
mkdir "$work/locked"
exec 9>"$work/locked/.tinyllm.lock"
flock 9
expect 1 "^train_tokenizer: $work/locked: is in use by another process$" $vocabulary --output "$work/locked"
exec 9>&-
cp "$work/model/tokenizer.model" "$work/before.model"
expect 1 "holds a model (model.safetensors).* choose another folder" $vocabulary --output "$work/model"
expect 1 "holds a model" $vocabulary --output "$work/model/tokenizer.model"
expect 1 "holds a model" $vocabulary --output "$work/model/other.model"
same "$work/model/tokenizer.model" "$work/before.model"

finish
