#!/bin/sh
. "$(dirname "$0")/expect.sh"
make_model

cp -r "$work/model" "$work/again"
mkdir "$work/locked"
# A quantised model: chat opens it as any other.
quantize="$bin/quantize $work/model"
expect 0 "saved $work/q8" $quantize "$work/q8"
expect 0 "matrices q4_0, tables f32" $quantize "$work/q4" --type q4_0 --tables f32
expect 0 "matrices bf16, tables bf16" $quantize "$work/half" --type bf16
for folder in q8 q4 half; do
  printf '计算：1+2*3\n' | "$bin/chat" "$work/$folder" --max-tokens 5 >"$work/output" || failures=$((failures + 1))
done
expect 1 "the model is quantised already" "$bin/quantize" "$work/q8" "$work/x"
expect 1 "is the model to read; give another --output" $quantize "$work/model/."
expect 1 "again: holds a finished model" $quantize "$work/again"
# Another quantize that writes this folder.
exec 9>"$work/locked/.tinyllm.lock"
flock 9
printf '1234\nquantize\n2026-01-31 10:00\n' >&9
expect 1 "^quantize: $work/locked: is in use by process 1234 (quantize, since 2026-01-31 10:00)$" $quantize "$work/locked"
exec 9>&-
expect 1 "there is no such model folder" "$bin/quantize" "$work/nothing" "$work/x"
expect 0 "saved $work/named" "$bin/quantize" --output "$work/named" --model "$work/model"
same "$work/named/model.safetensors" "$work/q8/model.safetensors"
expect 2 "^quantize: --type: q2, expected q8_0, q4_0, bf16" $quantize "$work/x" --type q2
expect 2 "^quantize: --output: missing" $quantize
[ ! -e "$work/x" ] || fail "a model was written though the options are wrong"
truncate -s 5000 "$work/q4/model.safetensors"
expect 1 "model.safetensors: .*cut short or damaged" "$bin/chat" "$work/q4"

finish
