#!/bin/sh
# sh bench/documents.sh BUILD DATA [IDS]: how well `rag` finds answers, beside what SQLite's full-text index reached over the
# same grams. BUILD is a build folder. DATA is a folder with CMRC 2018 dev (documents.jsonl, questions.jsonl) and the Chinese
# glossary of the CNCF (cloud_native_docs/, cloud_native_questions.jsonl). IDS is a file with the ids of the questions of CMRC
# that share least with their passage. Takes some minutes.
set -eu
[ $# -ge 2 ] || { echo "Usage: sh bench/documents.sh BUILD DATA [IDS]" >&2; exit 2; }
rag=$1/examples/rag data=$2 ids=${3:-}
questions=$(dirname "$0")/../tests/data/documents/own_words.jsonl
for file in "$rag" "$data/documents.jsonl" "$data/questions.jsonl" "$data/cloud_native_docs" "$data/cloud_native_questions.jsonl"; do
  [ -e "$file" ] || { echo "bench/documents.sh: $file is missing" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/cmrc" "$work/glossary"
cp "$data/documents.jsonl" "$work/cmrc"
cp -rL "$data/cloud_native_docs" "$work/glossary"

# Runs `rag`; shows what it said if it fails.
run() { "$rag" "$@" >"$work/said" 2>"$work/notes" || { cat "$work/notes" >&2; exit 1; }; }
# index FOLDER NAME CHARACTERS
index() { run index "$work/$1" --index "$work/$2.db" --chunk "$3"; }
# evaluate NAME QUESTIONS [OPTION...]: the last evaluation, as `rag eval` prints it.
evaluate() {
  db=$work/$1.db asked=$2
  shift 2
  run eval "$asked" --index "$db" "$@"
}
# row TITLE LINE FTS5: a line of the last evaluation, its rates without their intervals.
row() {
  awk -v title="$1" -v line="$2" -v fts5="$3" '
    index($0, line) == 1 {
      rest = substr($0, length(line) + 1)
      gsub(/\[[^]]*\]/, "", rest)
      split(rest, value, " ")
      printf "%-62s%8s%8s%8s\n", title, fts5, value[1], value[2]
    }' "$work/said"
}

printf '%-62s%8s%8s%8s\n' "" "FTS5" "BM25" "ranked"
index cmrc passages 4000
evaluate passages "$data/questions.jsonl" --folds 5
row "CMRC, passages: R@1" "chunk with the answer first (R@1)" 0.9820
row "  R@5" "chunk with the answer among 5 (R@5)" 0.9978
row "  MRR@10" "MRR@10" 0.9889
row "  sentence with the answer first" "sentence with the answer first" 0.605
row "  sentence with the answer among three" "sentence with the answer among 3" 0.84
row "  answerable or not, AUC" "answerable or not (AUC)" 0.959
row "  answered at 5 % false answers" "answered at 5 % false answers" 0.78
if [ -n "$ids" ]; then
  evaluate passages "$data/questions.jsonl" --folds 5 --ids "$ids"
  row "  the questions that share least with their passage: R@1" "chunk with the answer first (R@1)" 0.916
fi
index cmrc chunks 128
evaluate chunks "$data/questions.jsonl" --folds 5
row "CMRC, chunks of 128 characters: R@1" "chunk with the answer first (R@1)" 0.851
row "  R@5" "chunk with the answer among 5 (R@5)" 0.988
index glossary glossary 256
evaluate glossary "$data/cloud_native_questions.jsonl"
row "CNCF, 58 questions for definitions: document first" "document first" 0.966
evaluate glossary "$questions"
row "CNCF, 30 questions in words of our own: document first" "document first" ""
row "  R@1" "chunk with the answer first (R@1)" ""
row "  R@10" "chunk with the answer among 10 (R@10)" ""
row "  answered at the threshold" "answered at the threshold" ""
