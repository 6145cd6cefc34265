#!/bin/sh
# tests/guide/run.sh <page> <program>: runs the program of a page of docs/guide/. It must print, in order, the lines that
# the page shows.
set -eu
page=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$program" >printed
awk '/^```$/ && !inside { inside = 1; next } /^```/ { inside = !inside && /^```[a-z]/ ? 2 : 0; next } inside == 1' "$page" >shown
awk 'FILENAME == "shown" { lines[NR] = $0; n = NR; next } at < n && $0 == lines[at + 1] { ++at }
     END { if (at < n) { print "not printed: " lines[at + 1]; exit 1 } }' shown printed
