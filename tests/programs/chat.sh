#!/bin/sh
. "$(dirname "$0")/expect.sh"
make_model

# Chat on a pipe, with its commands.
chat="$bin/chat $work/model -n 5"
says() {
  printf "$1" | $chat
}
expect 0 "^answer   [0-9]* tokens, .* tokens/s, first after" says '计算：1+2*3\n/stats\n'
expect 0 "^2 turns" says "one \\\\\n more\n\"\"\"two\n lines\"\"\"\n/retry\n/save $work/talk.json\n/reset\n/load $work/talk.json\n"
expect 0 '"one \\n more"},.*"two\\n lines"}' cat "$work/talk.json"
expect 0 "/retry  *Answer the last message again" says '/help\n'
expect 0 "/quit, /exit, /bye" says '/?\n'
expect 0 "^be brief" says '/system be brief\n/system\n/temp 0.5\n'
for command in /quit /exit /bye; do expect 0 "^2 turns" says "/load $work/talk.json\n$command\n/frob\n"; done
expect 0 "^1 turn$" says "/load $work/talk.json\n/undo\n"
expect 0 "^0 turns, [0-9]* tokens of a context of 256" says "/load $work/talk.json\n/clear\n/tokens\n"
expect 0 "^2 turns" says "one\r\n/retry\r\ntwo\r\n/save! $work/talk.json\r\n/load $work/talk.json\r\n"
grep -q '\\r' "$work/talk.json" && failures=$((failures + 1))
expect 1 "chat: /frob: unknown command; /help" says '/frob\n'
expect 1 "chat: /rset: unknown command; did you mean /reset?$" says '/rset\n'
expect 1 "^chat: /temp: -1, expected a number of at least 0" says '/temp -1\n'
expect 1 "^chat: /temp: warm, expected a number" says '/temp warm\n'
expect 1 "^chat: there is no message to answer again" says '/retry\n'
expect 1 "^chat: there is no message to remove" says '/undo\n'
expect 1 "is not UTF-8" says 'bad \377\n'
[ "$(printf 'one\n' | $chat --temp 0.7 --seed 3 -c 100 -t 1)" = "$(printf 'one\n' | $chat --temp 0.7 --seed 3 -j 2)" ] ||
  failures=$((failures + 1))

# A conversation is saved for its owner alone, and nothing is lost by saving it.
rm "$work/talk.json"
expect 0 "saved $work/talk.json: 1 turn, [0-9]* bytes" says "one\n/save $work/talk.json\n"
[ "$(stat -c %a "$work/talk.json")" = 600 ] || failures=$((failures + 1))
expect 1 "/save: $work/talk.json exists; /save! replaces it" says "two\n/save $work/talk.json\n"
expect 0 '"content":"one"' cat "$work/talk.json"
expect 0 "saved $work/talk.json: 0 turns" says "/save! $work/talk.json\n"
cp "$work/model/config.json" "$work/before.json"
for command in /save /save!; do
  for file in config.json model.safetensors; do
    expect 1 "$command: $work/model/$file exists and is not a saved conversation" says "$command $work/model/$file\n"
  done
done
same "$work/model/config.json" "$work/before.json"
expect 1 "cannot be written" says "1\n/save $work/nowhere/talk.json\n"

# Conversations that cannot be read.
expect 1 "chats.json: cannot be opened" says "/load $work/chats.json\n"
expect 1 "config.json: is not a saved conversation" says "/load $work/model/config.json\n"
loads() {
  printf '%s' "$1" >"$work/loaded.json"
  says "/load $work/loaded.json\n/tokens\n"
}
user='{"role": "user", "content": "u"}'
assistant='{"role": "assistant", "content": "a"}'
expect 0 "^1 turn" loads "{\"messages\": [$user, $assistant]}"
expect 1 "loaded.json: message 1: is the assistant's, expected the user's" loads "{\"messages\": [$assistant]}"
expect 1 "loaded.json: message 2: is the user's, expected the assistant's" loads "{\"messages\": [$user, $user]}"
expect 1 "loaded.json: message 2: is a number, expected a message" loads "{\"messages\": [$user, 7]}"
expect 0 "^0 turns" loads '{"messages": []}'
expect 0 "^1 turn" loads "{\"messages\": [$user, {\"role\": \"assistant\", \"content\": \"\"}]}"
expect 1 "message 2: role .robot., expected system" loads "{\"messages\": [$user, {\"role\": \"robot\", \"content\": \"\"}]}"
expect 1 "ends with a message of the user" loads "{\"messages\": [$user]}"
expect 1 "nested deeper than 64 levels" loads "{\"messages\": $(printf '[%.0s' $(seq 100000))"

# A context that is full.
printf 'one\ntwo\nthree\nfour\nfive\n' >"$work/messages.txt"
overflows() {
  "$bin/chat" "$work/model" "$@" <"$work/messages.txt"
}
expect 0 "the context of 64 tokens is full, and the oldest turns are no longer read; /reset" overflows -c 64 -n 20
expect 1 "the context of 64 tokens has no room for this message; /reset" overflows -c 64 -n 20 --overflow stop

# Output that cannot be written, and folders that are not models.
expect 1 "^chat: .*No space left on device$" sh -c "echo one | $chat >/dev/full"
expect 1 "^chat: a context of 1000 tokens, expected 1 to the model's 256" "$bin/chat" -m "$work/model" -c 1000
expect 1 "there is no such model folder" "$bin/chat" "$work/nothing"
expect 2 "^chat: --model: missing$" "$bin/chat"
expect 2 "temp: -1, expected a number of at least 0" $chat --temp -1
expect 2 "threads: 0, expected 1 to 256" $chat --threads 0
cp -r "$work/model" "$work/damaged"
truncate -s 5000 "$work/damaged/model.safetensors"
expect 1 "model.safetensors: .*cut short or damaged" "$bin/chat" "$work/damaged"
cp -r "$work/model" "$work/mute"
rm "$work/mute/tokenizer.model"
expect 1 "mute/tokenizer.model: cannot be opened" "$bin/chat" "$work/mute"

# On a terminal: the greeting, a pasted text as one message, control characters, and the question before replacing.
types() {
  printf "$1" | TERM=xterm script -qec "$bin/chat $work/model -n 5 --history $work/history" /dev/null
}
if command -v script >/dev/null; then
  expect 0 "^model: [0-9.]* M parameters, weights f32, context of 256 tokens. /help" types '/quit\r'
  rm -f "$work/pasted.json"
  expect 0 "saved .*pasted.json: 1 turn" types "\033[200~first\rsecond\033[201~\r/save $work/pasted.json\r/quit\r"
  expect 0 '"first\\nsecond"' cat "$work/pasted.json"
  [ "$(stat -c %a "$work/history")" = 600 ] || failures=$((failures + 1))
  expect 0 "exists; /save! replaces it" types "/save $work/pasted.json\rn\r/quit\r"
  expect 0 "saved .*pasted.json: 0 turns" types "/save $work/pasted.json\ry\r/quit\r"
  printf '{"messages": [{"role": "system", "content": "\\u001b]0;title\\u0007 \\u009b2J"}]}' >"$work/escape.json"
  expect 0 'x1b\]0;title.x07 .x9b2J' types "/load $work/escape.json\r/system\r/quit\r"
fi

finish
