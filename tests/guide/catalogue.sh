#!/bin/sh
# Every function of ops/*.h that users call is in the table of docs/guide/ops.md, and the table names no other.
set -eu
cd "$(dirname "$0")/../.."
headers=$(sed -n 's|.*<tinyllm/\(ops/[a-z_]*\.h\)>.*|\1|p' ops/ops.h)
# A declaration begins its line with the type of the result; operators have no name.
# shellcheck disable=SC2086
declared=$(sed -nE 's/^[A-Za-z:<>]+ ([a-z_0-9]+)\(.*/\1/p' $headers | sort -u)
listed=$(sed -n 's/^| \(`[^|]*\).*/\1/p' docs/guide/ops.md | grep -oE '`[a-z_0-9]+`' | tr -d '`' | sort -u)
failed=0
for name in $declared; do
  echo "$listed" | grep -qx "$name" || { echo "docs/guide/ops.md: \`$name\` is missing"; failed=1; }
done
for name in $listed; do
  echo "$declared" | grep -qx "$name" || { echo "docs/guide/ops.md: \`$name\` is not a function of ops/*.h"; failed=1; }
done
[ "$(echo "$declared" | wc -l)" -gt 100 ] || { echo "ops/*.h: found $(echo "$declared" | wc -l) functions, expected over 100"; failed=1; }
exit $failed
