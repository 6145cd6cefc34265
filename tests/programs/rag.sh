#!/bin/sh
. "$(dirname "$0")/expect.sh"
here=$(dirname "$0")

# Answers from a folder, with what a folder and a question may hold.
if [ -x "$bin/rag" ]; then
  docs=$work/docs
  mkdir "$docs"
  printf '港珠澳大桥连接香港、珠海和澳门。大桥于2018年10月24日开通运营。\n' >"$docs/bridge.txt"
  printf 'Bees communicate the location of flowers by dancing.\n' >"$docs/bees.txt"
  printf '红茶是全发酵茶。绿茶不经过发酵。\n' >"$docs/tea.txt"
  printf '{"id": "silk", "title": "丝绸之路", "text": "它始于长安，通往地中海各国。"}\n' >"$docs/more.jsonl"
  printf '\000\001\002\377' >"$docs/binary.txt"
  db=$work/index.db
  rag="$bin/rag"

  expect 0 "4 added, 0 changed, 0 gone, 0 unchanged, 1 could not be read" "$rag" index "$docs" --index "$db"
  expect 0 "^binary.txt: is still unreadable: is not text" "$rag" sync --index "$db"
  expect 0 "0 added, 0 changed, 0 gone, 4 unchanged, 1 could not be read" "$rag" sync --index "$db"
  mkdir "$work/empty"
  printf 'a,b\n' >"$work/empty/table.csv"
  expect 1 "^1 file left out: of another kind, or a link" "$rag" index "$work/empty" --index "$work/empty.db"
  printf '{\\rtf1 Hello}' >"$work/empty/old.rtf"
  expect 1 "^old.rtf: is RTF, which is not read: save it as .docx" "$rag" index "$work/empty" --index "$work/empty.db"
  expect 2 "^rag: WHAT: is blank" "$rag" ask '' -i "$db"
  expect 0 "0 added, 0 changed, 0 gone, 4 unchanged" "$rag" sync --index "$db"
  expect 0 "^大桥于2018年10月24日开通运营。 \[1\]$" "$rag" ask '港珠澳大桥是什么时候开通的？' -i "$db"
  expect 0 "^\[1\] bridge.txt, bytes 48 to .* of its text" "$rag" ask '港珠澳大桥是什么时候开通的？' -i "$db"
  expect 0 '"found":true.*"document":"bees.txt".*"quote":"Bees communicate' \
    "$rag" ask 'How do bees communicate the location of flowers?' -i "$db" --json
  expect 0 "资料中没有找到" "$rag" ask '量子计算机使用什么冷却剂？' -i "$db"
  expect 0 "资料中没有找到" "$rag" ask "'; DROP TABLE chunks; --" -i "$db"
  expect 0 "^大桥于" sh -c "printf '港珠澳大桥是什么时候开通运营的？\n\n' | '$rag' ask -i '$db'"

  rm "$docs/bridge.txt"
  printf '红茶是全发酵茶。绿茶不经过发酵，所以叶子是绿色的。\n' >"$docs/tea.txt"
  expect 0 "0 added, 1 changed, 1 gone, 2 unchanged" "$rag" sync -i "$db"
  expect 0 "资料中没有找到" "$rag" ask '港珠澳大桥是什么时候开通的？' -i "$db"

  cat >"$work/questions.jsonl" <<END
{"id": "1", "question": "绿茶的叶子是什么颜色？", "answers": ["绿色"], "doc_id": "tea.txt"}
{"id": "2", "question": "丝绸之路始于哪里？", "answers": ["长安"], "doc_id": "silk"}
{"id": "3", "question": "What do bees communicate?", "answers": ["location"], "doc_id": "bees.txt"}
END
  expect 0 "^chunk with the answer first (R@1) .*1.0000 \[0.4385, 1.0000\]" "$rag" eval "$work/questions.jsonl" -i "$db"
  expect 0 "^3 questions" "$rag" eval "$work/questions.jsonl" -i "$db" --folds 2 --keep
  echo 2 >"$work/ids.txt"
  expect 0 "^1 questions" "$rag" eval "$work/questions.jsonl" -i "$db" --ids "$work/ids.txt"
  echo '{"question": "谁？", "doc_id": "bridge.txt"}' >>"$work/questions.jsonl"
  expect 1 "has no document bridge.txt, of which a question asks" "$rag" eval "$work/questions.jsonl" -i "$db"
  printf '{"id": "silk", "text": "丝绸是一种布料。"}\n' >"$docs/again.jsonl"
  expect 0 "1 added" "$rag" sync -i "$db"
  expect 1 "has several documents silk, of which a question asks" "$rag" eval "$work/questions.jsonl" -i "$db"

  expect 1 "index.db: has chunks of 256 characters, not of 64; build another index" \
    "$rag" index "$docs" -i "$db" --chunk 64
  expect 1 "text.txt: is not an index of documents" "$rag" ask x -i "$work/text.txt"
  expect 1 "none.db: does not exist" "$rag" ask x -i "$work/none.db"
  expect 1 "missing: is not a folder" "$rag" index "$work/missing" -i "$work/other.db"
  expect 2 "^rag: command: serch, expected index, sync, ask, eval" "$rag" serch -i "$db"
  expect 2 "^rag: --json: has no meaning for sync" "$rag" sync -i "$db" --json
  expect 2 "^rag: FOLDER: missing" "$rag" index -i "$db"
  expect 2 "^rag: --index: missing" "$rag" ask x
  expect 2 "^rag: --keep: needs --folds" "$rag" eval "$work/questions.jsonl" -i "$db" --keep

  # Questions in words of our own, about documents that are not in this tree.
  own=$here/../data/documents/own_words.jsonl shared=$here/../../../shared/data/rag_zh
  if [ -d "$shared/cloud_native_docs" ]; then
    mkdir "$work/glossary"
    cp -r "$shared/cloud_native_docs" "$work/glossary"
    "$rag" index "$work/glossary" --index "$work/glossary.db" >/dev/null 2>&1
    expect 0 "^30 questions" "$rag" eval "$own" -i "$work/glossary.db"
    sed 's/.*"answers": \["\(.*\)"\], "doc_id": "\(.*\)".*/\2 \1/' "$own" >"$work/answers.txt"
    while read -r document words; do
      grep -qF "$words" "$shared/$document" || fail "$document does not say: $words"
    done <"$work/answers.txt"
  else
    echo "$shared is missing: questions in words of our own are not tested"
  fi
fi

finish
