# What the scripts of this folder begin with: . "$(dirname "$0")/begin.sh", given the build folder as $1.
set -eu
. "$(dirname "$0")/../npm.sh"
here=$(cd "$(dirname "$0")" && pwd)
bin=$1/examples
modules=$1/tests/reference
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# quiet <command...>: shows the output only if the command fails, and ends the test.
quiet() {
  "$@" >"$work/said" 2>&1 || { cat "$work/said"; exit 1; }
}
