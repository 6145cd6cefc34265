#!/bin/sh
. "$(dirname "$0")/expect.sh"

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

finish
