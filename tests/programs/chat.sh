#!/bin/sh
. "$(dirname "$0")/expect.sh"
make_model

# Chat: on a pipe, with its commands, and with a folder that is none or is damaged.
chat="$bin/chat $work/model --max-tokens 5"
says() {
  printf "$1" | $chat
}
expect 0 "^answer   [0-9]* tokens, .* tokens/s, first after" says '计算：1+2*3\n/stats\n'
expect 0 "^2 turns" says "one \\\\\n more\n\"\"\"two\n lines\"\"\"\n/retry\n/save $work/talk.json\n/reset\n/load $work/talk.json\n"
expect 0 '"one \\n more"},.*"two\\n lines"}' cat "$work/talk.json"
expect 0 "/retry  *answers the last message" says '/help\n'
expect 0 "^be brief" says '/system be brief\n/system\n/temp 0.5\n'
expect 0 "^2 turns" says "/load $work/talk.json\n/quit\n/frob\n"
expect 1 "chat: /frob: is no command" says '/frob\n'
expect 1 "chat: sampling: temperature -1, expected 0 or more" says '/temp -1\n'
expect 1 'chat: /temp: "warm" is no number' says '/temp warm\n'
expect 1 "chat: there is no message to answer once more" says '/retry\n'
expect 1 "chats.json: cannot be opened" says "/load $work/chats.json\n"
expect 1 "config.json: is no conversation" says "/load $work/model/config.json\n"
expect 1 "is not UTF-8" says 'bad \377\n'
expect 1 "cannot be written" says "1\n/save $work/nowhere/talk.json\n"
expect 1 "there is no such model folder" "$bin/chat" "$work/nothing"
expect 2 "model" "$bin/chat"
cp -r "$work/model" "$work/damaged"
truncate -s 5000 "$work/damaged/model.safetensors"
expect 1 "model.safetensors: .*cut short or damaged" "$bin/chat" "$work/damaged"
cp -r "$work/model" "$work/mute"
rm "$work/mute/tokenizer.model"
expect 1 "mute/tokenizer.model: cannot be opened" "$bin/chat" "$work/mute"

finish
