#!/bin/sh
. "$(dirname "$0")/expect.sh"
make_model

# A file of tokens, and texts that give none.
tokenize="$bin/tokenize --tokenizer $work/model --output $work/corpus.tokens"
printf 'one\ntwo\n\f\nthree\n' >"$work/documents.txt"
expect 0 "^3 documents, .* characters and .* bytes in a token" \
  $tokenize --input "$work/documents.txt" "$work/text.txt" --threads 2
cp "$work/corpus.tokens" "$work/before.tokens"
expect 0 "saved $work/corpus.tokens" $tokenize --input "$work/documents.txt" "$work/text.txt" --threads 1
cmp "$work/corpus.tokens" "$work/before.tokens" || failures=$((failures + 1))
expect 1 "latin.txt: line 2, byte 5: 0xFF is not UTF-8" $tokenize --input "$work/latin.txt"
expect 1 "missing.txt: cannot be opened" $tokenize --input "$work/missing.txt"
expect 1 "is not a regular file" $tokenize --input "$work"
expect 1 "not written: the corpus holds no text" $tokenize --input "$work/empty.txt"
expect 1 "is the input too" "$bin/tokenize" --tokenizer "$work/model" --input "$work/text.txt" --output "$work/text.txt"
expect 2 "^tokenize: --threads: 0, expected 1 to 256$" $tokenize --input "$work/text.txt" --threads 0
expect 0 "saved $work/short.tokens" "$bin/tokenize" --tokenizer "$work/model" -i "$work/text.txt" -o "$work/short.tokens"
expect 1 "corpus.tokens.part: cannot be written: File too large" \
  sh -c "ulimit -f 4; exec $tokenize --input $work/text.txt"
cmp "$work/corpus.tokens" "$work/before.tokens" || failures=$((failures + 1))
expect 1 "is not a SentencePiece model" \
  "$bin/tokenize" --tokenizer "$work/text.txt" --input "$work/text.txt" --output "$work/x.tokens"
expect 2 "^tokenize: --tokenizer: missing$" "$bin/tokenize" --input "$work/text.txt" --output "$work/x.tokens"

# Stopped: nothing is left.
i=0
while [ $i -lt 11 ]; do
  cat "$work/text.txt" "$work/text.txt" >"$work/twice.txt"
  mv "$work/twice.txt" "$work/text.txt"
  i=$((i + 1))
done
$tokenize --input "$work/text.txt" >"$work/output" 2>&1 &
pid=$!
until grep -q '^MB' "$work/output" || ! kill -0 $pid; do sleep 0.1; done
expect 1 "stopped; nothing was written" stopped
[ ! -e "$work/corpus.tokens.part" ] || failures=$((failures + 1))
cmp "$work/corpus.tokens" "$work/before.tokens" || failures=$((failures + 1))

finish
