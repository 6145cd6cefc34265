// Conversations as a file, out and in. In come ours, and lists of {role, content} as other programs write them.
import {Conversation, newId, newRecord, titleOf} from "./conversation.js";

const kFormat = "tinyllm-chat", kVersion = 1;
const kMostMessages = 100_000;

export const kMostBytes = 1 << 26;

// Conversations as {record, messages} → JSON. A parent comes before its children.
export function exported(conversations) {
  const plain = conversations.map(({record, messages}) => {
    const {id: _, ...fields} = record;
    const tree = new Conversation(record, messages), ordered = tree.withReplies(tree.childrenOf(""));
    return {...fields, messages: ordered.map(({conversation, ...message}) => message)};
  });
  return JSON.stringify({format: kFormat, version: kVersion, conversations: plain}, null, 1);
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const textIn = (value) => typeof value === "string" ? value : "";
const numberIn = (value) => Number.isFinite(value) && value >= 0 ? value : undefined;

function check(is, text) {
  if (!is) throw new Error(text);
}

// Ids are made anew: a file may be imported twice.
function ours(given, where) {
  check(isObject(given) && Array.isArray(given.messages), `${where}: expected an object with messages`);
  const record = newRecord({title: textIn(given.title), system: textIn(given.system)});
  record.created = numberIn(given.created) ?? record.created;
  record.updated = numberIn(given.updated) ?? record.updated;
  const ids = new Map([["", ""]]);
  const messages = given.messages.map((message, i) => {
    const place = `${where}, message ${i + 1}`;
    check(isObject(message) && typeof message.id === "string", `${place}: expected an object with an id`);
    check(["user", "assistant"].includes(message.role), `${place}: role ${message.role}, expected user or assistant`);
    check(ids.has(message.parent), `${place}: its parent is not before it`);
    check(!ids.has(message.id), `${place}: its id is there twice`);
    const id = newId();
    ids.set(message.id, id);
    return messageOf(message, {id, conversation: record.id, parent: ids.get(message.parent), order: i});
  });
  const chosen = isObject(given.chosen) ? Object.entries(given.chosen) : [];
  const known = chosen.filter(([parent, child]) => ids.has(parent) && ids.has(child));
  record.chosen = Object.fromEntries(known.map(([parent, child]) => [ids.get(parent), ids.get(child)]));
  return {record, messages};
}

function messageOf(given, {id, conversation, parent, order}) {
  const message = {id, conversation, parent, role: given.role, text: textIn(given.text), created: order,
                   reasoning: textIn(given.reasoning), state: "done"};
  if (["stopped", "length", "content_filter"].includes(given.state)) message.state = given.state;
  if (given.state === "answering") message.state = "stopped";
  if (typeof given.model === "string") message.model = given.model;
  for (const name of ["promptTokens", "tokens", "seconds", "wait", "thought"]) {
    const value = numberIn(given[name]);
    if (value !== undefined) message[name] = value;
  }
  if (typeof given.votes === "string") message.votes = given.votes;
  if (/^-?\d{1,20}$/.test(given.seed)) message.seed = String(given.seed);
  message.isAbout = given.isAbout === true;
  return message;
}

const partsText = (content) =>
    Array.isArray(content) ? content.map((part) => textIn(part?.text)).join("") : textIn(content);

function others(given, where) {
  const list = Array.isArray(given) ? given : given?.messages;
  check(Array.isArray(list) && list.length > 0, `${where}: expected a list of messages`);
  const record = newRecord(), messages = [];
  let parent = "";
  list.forEach((one, i) => {
    const role = one?.role === "developer" ? "system" : one?.role;
    check(["system", "user", "assistant"].includes(role),
          `${where}, message ${i + 1}: role ${role}, expected system, user or assistant`);
    const text = partsText(one.content);
    if (role === "system") {
      record.system += (record.system && "\n\n") + text;
      return;
    }
    const id = newId(), reasoning = one.reasoning_content ?? one.reasoning;
    messages.push(messageOf({role, text, reasoning}, {id, conversation: record.id, parent, order: messages.length}));
    parent = id;
  });
  record.title = titleOf(messages[0]?.text ?? "");
  return {record, messages};
}

function json(text, where) {
  try { return JSON.parse(text); } catch (error) { throw new Error(`${where}: ${error.message}`); }
}

// The conversations of a file: ours, one conversation, or one a line. Throws Error that says what was found.
export function imported(text) {
  const trimmed = text.trim(), lines = trimmed.split("\n");
  const isLines = lines.length > 1 && lines.every((line) => /^\s*([{[].*[}\]]\s*)?$/.test(line));
  const file = isLines ? lines.filter((line) => line.trim()).map((line, i) => json(line, `line ${i + 1}`))
                       : json(trimmed, "file");
  let made;
  if (isLines) {
    made = file.map((one, i) => others(one, `line ${i + 1}`));
  } else if (file?.format === kFormat) {
    check(file.version === kVersion, `version ${file.version}, expected ${kVersion}`);
    check(Array.isArray(file.conversations), "conversations: expected a list");
    made = file.conversations.map((one, i) => ours(one, `conversation ${i + 1}`));
  } else {
    made = [others(file, "file")];
  }
  const count = made.reduce((sum, {messages}) => sum + messages.length, 0);
  check(count <= kMostMessages, `${count} messages, expected at most ${kMostMessages}`);
  return made;
}
