#!/bin/sh
# What all programs have in common: help, version, wrong options, output that cannot be written.
. "$(dirname "$0")/expect.sh"
tinyllm=$1/tinyllm
programs="agent chat convert evaluate finetune generate make_dataset make_problems prepare_data pretrain quantize rag reason serve show_samples tokenize train_tiny train_tokenizer"

# Options whose description does not end with a full stop, before the default and after it.
not_sentences() {
  awk '
    function check() {
      sub(/ *\[default: .*\]$/, "", text)
      if (option != "" && text !~ /[.]$/) print option
      option = text = ""
    }
    /^Usage:/ { is_option = 1; next }
    /^Examples:/ { is_option = 0 }
    /^$/ || /^[^ ]/ || !is_option { check(); next }
    /^  [^ ]/ { check(); option = $1 }
    { text = text $0 }'
}

for program in $programs; do
  help=$("$bin/$program" --help) || fail "$program --help fails"
  for option in $(echo "$help" | not_sentences); do
    fail "$program --help: the description of $option is not a sentence"
  done
  [ "$(echo "$help" | sed -n '/^Examples:/,/^Next:/p' | grep -c "^  tinyllm $program ")" -ge 2 ] ||
    fail "$program --help does not give two examples"
  echo "$help" | sed -n '/^Next:/,$p' | grep -q '^  tinyllm [a-z_]' || fail "$program --help does not name a next program"
  echo "$help" | grep -q '{false}' && fail "$program --help shows how a flag is stored"
  expect 0 "^tinyllm $program [0-9]" "$bin/$program" --version
  expect 1 "^$program: the output cannot be written: No space left on device$" \
    sh -c "exec '$bin/$program' --help >/dev/full"
  expect 1 "^$program: the output cannot be written" sh -c "exec '$bin/$program' --version >/dev/full"
  expect 2 "^$program: --hepl: unknown option; did you mean --help?$" "$bin/$program" --hepl
  for option in $(echo "$help" | grep -o -e '--[a-z0-9-]* [NX]\>' | cut -d ' ' -f 1); do
    expect 2 "^$program: $option: nan, expected " "$bin/$program" $option nan
    expect 2 "^$program: $option: -1e400, expected \|^$program: $option: -1e400 is too large" "$bin/$program" $option -1e400
    expect 2 "^$program: $option: given 2 times, expected once$" "$bin/$program" $option 1 $option 1
  done
done

expect 0 "^A message ends with Enter" "$bin/chat" --help

# All that is wrong is reported at once.
expect 2 "^quantize: --type: q8, expected q8_0, q4_0, bf16; did you mean q8_0?$" "$bin/quantize" a --type q8 -j 0
for problem in "--type: q8, expected" "--threads: 0, expected 1 to 256$" "--output: missing$"; do
  grep -q -e "^quantize: $problem" "$work/said" || fail "quantize a --type q8 -j 0 does not say $problem"
done
expect 2 "^quantize: c: unexpected argument" "$bin/quantize" a b c
expect 2 "^evaluate: --data: expected a value, found --tokens$" "$bin/evaluate" a --data --tokens 5
expect 2 "^evaluate: --data: expected a value, found the end of the command line$" "$bin/evaluate" a --data
expect 2 "^evaluate: --tokens: 100000000000000000000000 is too large" \
  "$bin/evaluate" a --tokens 100000000000000000000000
expect 0 "^Usage: tinyllm quantize" "$bin/quantize" --threads 0 --help

# A file of options.
printf 'steps=5\nstepz=5\n' >"$work/misspelt.toml"
expect 2 "^pretrain: $work/misspelt.toml: line 2: stepz: unknown option; did you mean steps?$" \
  "$bin/pretrain" --config "$work/misspelt.toml"
printf 'steps=5\nsteps=6\n' >"$work/twice.toml"
expect 2 "^pretrain: $work/twice.toml: line 2: steps: given twice$" "$bin/pretrain" --config "$work/twice.toml"
printf 'steps=5\nseed=1\nsteps=6\n[more]\n' >"$work/apart.toml"
expect 2 "^pretrain: $work/apart.toml: line 3: steps: given twice$" "$bin/pretrain" --config "$work/apart.toml"
expect 2 "^pretrain: $work/apart.toml: line 4: \[more\]: unknown option$" "$bin/pretrain" --config "$work/apart.toml"
expect 2 "^pretrain: --config: $work/missing.toml cannot be read" "$bin/pretrain" --config "$work/missing.toml"
printf '# options\n\001\377\000=5\n' >"$work/bytes.toml"
expect 2 "^pretrain: $work/bytes.toml: line 2: not text" "$bin/pretrain" --config "$work/bytes.toml"
printf 'Some text, not options.\n' >"$work/text.toml"
expect 2 "^pretrain: $work/text.toml: .*unknown option" "$bin/pretrain" --config "$work/text.toml"

# The one command knows every program and starts it.
expect 0 "^Measure:" "$tinyllm" --help
cp "$work/said" "$work/listed"
for program in "$bin"/*; do
  [ -f "$program" ] && [ -x "$program" ] || continue
  grep -q "^  $(basename "$program") " "$work/listed" || fail "tinyllm --help does not list $(basename "$program")"
  # Every help is text to the last byte.
  if "$program" --help | LC_ALL=C tr -d '\n' | LC_ALL=C grep -q '[[:cntrl:]]'; then
    fail "$program --help prints bytes that are not text"
  fi
done
expect 0 "^tinyllm quantize [0-9]" "$tinyllm" quantize --version
expect 2 "^quantize: --output: missing$" "$tinyllm" quantize a
expect 2 "^tinyllm: quantise: unknown program; did you mean quantize?$" "$tinyllm" quantise
expect 2 "^Usage: tinyllm PROGRAM" "$tinyllm"
expect 1 "^tinyllm: the output cannot be written" sh -c "exec '$tinyllm' --help >/dev/full"

finish
