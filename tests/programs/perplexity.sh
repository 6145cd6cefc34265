#!/bin/sh
. "$(dirname "$0")/expect.sh"
make_model
cp -r "$work/model" "$work/again"

$bin/train_tokenizer --vocab-size 500 --input "$work/text.txt" --output "$work/words" >/dev/null 2>&1 || failures=$((failures + 1))
$bin/tokenize --tokenizer "$work/model" --input "$work/text.txt" --output "$work/corpus.tokens" >/dev/null 2>&1 || failures=$((failures + 1))
tiny_on_tokens="$bin/train_tiny --steps 3 --batch-size 2 --seq-len 32 --data $work/corpus.tokens"
expect 0 "pretrain: validation loss" \
  $tiny_on_tokens --tokenizer "$work/model/tokenizer.model" --output "$work/of-tokens"
expect 1 "corpus.tokens: .*tokenizer" $tiny_on_tokens --tokenizer "$work/words/tokenizer.model" --output "$work/x"
"$bin/quantize" "$work/model" "$work/q8" >/dev/null 2>&1 || failures=$((failures + 1))
$tiny --data "$work/text.txt" --output "$work/own" >/dev/null 2>&1 || failures=$((failures + 1))

perplexity="$bin/perplexity --data $work/corpus.tokens --validation-every 0 --tokens 500"
expect 0 "of-tokens: perplexity [1-9].* (+0.000 %), .* bits per byte, [1-9][0-9]* tokens" $perplexity "$work/of-tokens"
expect 0 "$work/q8: perplexity .* ([+-]0" $perplexity "$work/model" "$work/q8"
expect 1 "there is no such model folder" $perplexity "$work/nothing"
expect 1 "corpus.tokens: .*tokenizer" $perplexity "$work/again" "$work/own"
expect 1 "missing.tokens: cannot be opened" "$bin/perplexity" --data "$work/missing.tokens" "$work/model"
expect 2 "^perplexity: --data: missing$" "$bin/perplexity" "$work/model"

finish
