# Programs from npm that a test needs: . "$(dirname "$0")/../npm.sh"

# Ends the test; CTest knows 77 as skipped.
skip() {
  echo "skipped: $1"
  exit 77
}

# install_packages <source> <folder>: copies a folder of the tests and installs the packages that its package-lock.json
# names, once. Skips the test when npm or its registry cannot be reached. --omit=optional leaves out 650 MB for GPUs.
install_packages() {
  command -v npm >/dev/null || skip "npm is missing"
  mkdir -p "$2"
  exec 9>"$2/lock"
  flock 9
  find "$1" -maxdepth 1 '(' -name '*.json' -o -name '*.mjs' ')' -exec cp {} "$2" ';'
  if ! cmp -s "$1/package-lock.json" "$2/installed"; then
    (cd "$2" && timeout 300 npm ci --omit=optional --no-audit --no-fund --ignore-scripts >npm.log 2>&1) ||
      skip "npm ci: $(tail -n 1 "$2/npm.log")"
    cp "$1/package-lock.json" "$2/installed"
  fi
  exec 9>&-
}
