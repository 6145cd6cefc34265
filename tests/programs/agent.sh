#!/bin/sh
# The file agent as a person meets it: plans that are shown, confirmed, carried out, undone and logged.
. "$(dirname "$0")/expect.sh"

root=$work/root
mkdir -p "$root/docs"
echo one >"$root/a.txt"
echo two >"$root/docs/b.md"
agent="$bin/agent --root $root --log $work/log/agent.jsonl"
delete='[{"operation":"delete","path":"docs","recursive":true}]'
move='[{"operation":"move","src":"a.txt","dst":"new/a.txt"}]'

# answer <what is typed> <exit code> <pattern> <command...>
answer() {
  typed=$1
  shift
  code=$1 pattern=$2
  shift 2
  got=0
  echo "$typed" | "$@" >"$work/said" 2>&1 || got=$?
  [ $got = "$code" ] || fail "$*: exit code $got, expected $code: $(cat "$work/said")"
  grep -q -e "$pattern" "$work/said" || fail "$*: no '$pattern' in $(cat "$work/said")"
}

expect 2 "^agent: --root: missing, or --config with a root$" "$bin/agent" --plan "$move"
expect 2 "^agent: expected a request" $agent
expect 1 "^agent: the plan" $agent --plan '[1'
expect 1 "^agent: root .*: No such file or directory$" "$bin/agent" --root "$work/none" --plan "$move"
expect 1 "cannot be written: No such file or directory; nothing is done without it$" \
  "$bin/agent" --root "$root" --log /proc/none/log --plan "$move"
expect 2 "^agent: --dry-run: not with --undo or --redo" $agent --undo 0 --dry-run
expect 2 "^agent: --dry-run: not with --undo or --redo" $agent --redo --dry-run
expect 1 "lies in the root" "$bin/agent" --root "$root" --log "$root/new/log" --plan "$move"
[ -e "$root/new" ] && fail "a log in the root was made"

# Only shown, and not at the end of the input.
expect 0 "^  move     a.txt → new/a.txt$" $agent --plan "$move"
[ -e "$root/.agent" ] && fail "a dry run leaves something in the root"
expect 1 "denied (not_confirmed)" $agent --plan "$move" --run
[ -e "$root/new" ] && fail "a plan that was not confirmed was carried out"
expect 1 "allow_unattended does not have every operation" $agent --plan "$move" --run --yes

answer yes 0 "done, run 1" $agent --plan "$move" --run
[ "$(cat "$root/new/a.txt")" = one ] || fail "the file has not moved"
# Deleting needs the number of files.
answer yes 1 "not_confirmed" $agent --plan "$delete" --run
answer 2 1 "not_confirmed" $agent --plan "$delete" --run
answer 1 0 "done, run 2" $agent --plan "$delete" --run
[ -e "$root/docs" ] && fail "the folder is still there"
expect 0 "^   2 .* in effect" $agent --runs
expect 0 "^done, run 3" $agent --undo 0
[ "$(cat "$root/docs/b.md")" = two ] || fail "the folder has not come back"
expect 0 "^done, run 4" $agent --redo
[ -e "$root/docs" ] && fail "redo did nothing"
expect 0 "^done" $agent --undo 2
expect 0 "^done" $agent --undo 1
expect 0 "^nothing to undo" $agent --undo 0
[ "$(cat "$root/a.txt")" = one ] || fail "the file has not come back"

# The log.
expect 0 "lines, each follows the one before$" $agent --verify-log
sed -i '1s/denied/Denied/' "$work/log/agent.jsonl"
expect 1 "line 1 altered$" $agent --verify-log

# A configuration, JSON, and what runs unattended.
cat >"$work/config.yaml" <<END
agent:
  root: $root
  allow_ops: [list, move]
  allow_unattended: [move]
  log_path: log/other.jsonl
END
agent="$bin/agent --config $work/config.yaml"
expect 1 "^agent: step 1: delete is not in allow_ops$" $agent --plan "$delete"
expect 0 '"end":"done"' $agent --plan "$move" --run --yes --json
expect 0 '"found":\["new/a.txt"\]' $agent --plan '[{"operation":"list","pattern":"**/*.txt"}]' --json
[ -s "$work/log/other.jsonl" ] || fail "the log is not where the configuration says"

# Requests.
agent="$bin/agent --root $root --log $work/log/words.jsonl"
mkdir -p "$root/words"
echo w >"$root/words/w.txt"
expect 0 "^  move     words/w.txt → sorted/w.txt$" $agent '把 words 里的 txt 移到 sorted'
answer yes 0 "done, run" $agent --run 'move words/w.txt to sorted'
[ -e "$root/sorted/w.txt" ] || fail "a request was not carried out"
# An undo in words is shown and confirmed as a plan is.
expect 0 "^To undo:$" $agent 'undo the last run'
expect 0 "^only [0-9]* runs* can be undone$" $agent 'undo the last 99 runs'
expect 0 "move words/w.txt to sorted" $agent --dry-run '撤销'
expect 1 "denied (not_confirmed)" $agent --run 'undo'
answer no 1 "denied (not_confirmed)" $agent --run 'undo'
expect 1 "an undo is confirmed by a person" $agent --run --yes 'undo'
[ -e "$root/sorted/w.txt" ] || fail "an undo that was not confirmed was carried out"
answer yes 0 "done, run" $agent --run 'undo the last run'
[ -e "$root/words/w.txt" ] || fail "a request was not undone"
expect 0 "I am not sure" $agent 'delete the useless files'
expect 1 '^agent: refused: "/etc/passwd": outside of the folder that the agent works in.$' $agent 'read /etc/passwd'
expect 1 '"code":"outside_root"' $agent --json 'read /etc/passwd'
expect 0 '"kind":"ask"' $agent --json 'delete the useless files'
expect 0 "^nothing to undo" $agent --run 'undo run 99'

# What one person began, another program does not touch.
mkfifo "$work/pipe"
$agent --plan '[{"operation":"move","src":"docs","dst":"docs2"}]' --run <"$work/pipe" >/dev/null 2>&1 &
pid=$!
exec 3>"$work/pipe"
sleep 1
expect 1 "busy since .*, process $pid$" $agent --plan "$delete"
exec 3>&-
wait $pid

finish
