# What every script of this folder begins with: . "$(dirname "$0")/expect.sh", given the build folder as $1.
set -u
bin=$1/examples
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
failures=0

# expect <exit code> <pattern that the output must hold> <command...>
expect() {
  code=$1 pattern=$2
  shift 2
  "$@" >"$work/said" 2>&1 </dev/null
  got=$?
  if [ "$got" != "$code" ] || ! grep -q -e "$pattern" "$work/said"; then
    echo "FAILED: $*"
    echo "  exit code $got, expected $code; output, expected to hold '$pattern':"
    head -n 40 "$work/said" | sed 's/^/  | /'
    failures=$((failures + 1))
  fi
}

# fail <what is wrong>
fail() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}

# same <file> <file>: they hold the same bytes.
same() {
  cmp "$1" "$2" || failures=$((failures + 1))
}

# Stops the program $pid by two signals at once, as `timeout` sends them, and shows what it printed to $work/output.
stopped() {
  kill -INT $pid
  kill -INT $pid
  wait $pid
  status=$?
  cat "$work/output"
  return $status
}

# The last line of every script.
finish() {
  [ $failures = 0 ] && echo "all as expected"
  exit $failures
}

# A text, texts that are none, and the quickest model there is.
i=0
while [ $i -lt 400 ]; do echo "line $i: 今天学习第 $i 课。"; i=$((i + 1)); done >"$work/text.txt"
: >"$work/empty.txt"
printf 'good\nbad \377 byte\n' >"$work/latin.txt"
tiny_on_text="$bin/train_tiny --steps 3 --batch-size 2 --seq-len 32 --vocab-size 600"
tiny="$tiny_on_text --problems 2000"
make_model() {
  $tiny --output "$work/model" >/dev/null 2>&1 || failures=$((failures + 1))
}
