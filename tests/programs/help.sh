#!/bin/sh
. "$(dirname "$0")/expect.sh"

# Every help is text to the last byte.
for program in "$bin"/*; do
  [ -f "$program" ] && [ -x "$program" ] || continue
  if "$program" --help | LC_ALL=C tr -d '\n' | LC_ALL=C grep -q '[[:cntrl:]]'; then
    echo "FAILED: $program --help prints bytes that are no text"
    failures=$((failures + 1))
  fi
done

finish
