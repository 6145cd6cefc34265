// A conversation: a tree of messages of which one path is shown. A message that was changed or answered again has
// siblings; each is a branch.

// Works on pages without HTTPS too, unlike crypto.randomUUID.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What is stored of a conversation besides its messages. chosen: for each message ("" before the first), which of its
// children is shown.
export const newRecord = (fields = {}) => {
  const now = Date.now();
  return {id: newId(), title: "", system: "", created: now, updated: now, chosen: {}, ...fields};
};

// A title from the first question.
export function titleOf(text) {
  const line = text.trim().split("\n")[0].trim();
  return [...line].length > 40 ? [...line].slice(0, 39).join("") + "…" : line;
}

export class Conversation {
  constructor(record, messages = []) {
    this.record = record;
    this.messages = new Map();
    this.children = new Map();
    for (const message of [...messages].sort((a, b) => a.created - b.created)) this.put(message);
  }

  get id() { return this.record.id; }

  put(message) {
    this.messages.set(message.id, message);
    const siblings = this.siblings(message);
    if (!siblings.includes(message)) siblings.push(message);
    siblings.sort((a, b) => a.created - b.created);
  }

  childrenOf(parent) {
    if (!this.children.has(parent)) this.children.set(parent, []);
    return this.children.get(parent);
  }

  // The versions of a message, oldest first, with itself.
  siblings(message) { return this.childrenOf(message.parent); }

  // A new message after `parent` ("" for the first). It is shown.
  add(parent, fields) {
    const last = this.childrenOf(parent).at(-1)?.created ?? 0;
    const message = {id: newId(), conversation: this.id, parent, created: Math.max(Date.now(), last + 1), text: "",
                     reasoning: "", state: "done", ...fields};
    this.put(message);
    this.choose(message);
    return message;
  }

  choose(message) {
    this.record.chosen[message.parent] = message.id;
    this.record.updated = Date.now();
  }

  // The messages that are shown, from the first one.
  path() {
    const shown = [];
    for (let parent = ""; ; parent = shown.at(-1).id) {
      const children = this.childrenOf(parent);
      const chosen = this.messages.get(this.record.chosen[parent]) ?? children.at(-1);
      if (!chosen) return shown;
      shown.push(chosen);
    }
  }

  // The messages from the first one to this one.
  pathTo(message) {
    const path = [];
    for (let one = message; one; one = this.messages.get(one.parent)) path.unshift(one);
    return path;
  }

  // Messages and all that came after them, on every branch. A parent comes before its children.
  withReplies(messages) {
    const all = [...messages];
    for (let i = 0; i < all.length; ++i) all.push(...this.childrenOf(all[i].id));
    return all;
  }

  // Takes out a message and all that came after it, on every branch; a sibling is shown instead. Returns them.
  remove(message) {
    const removed = this.withReplies([message]);
    const siblings = this.siblings(message), at = siblings.indexOf(message);
    siblings.splice(at, 1);
    for (const one of removed) {
      this.messages.delete(one.id);
      this.children.delete(one.id);
    }
    const neighbour = siblings[Math.min(at, siblings.length - 1)];
    if (neighbour) this.choose(neighbour);
    return removed;
  }

  // Puts back what was taken out.
  restore(removed) {
    for (const message of removed) this.put(message);
    this.choose(removed[0]);
  }
}

// The messages of a request for what comes after `last`: an answer if that is a question, else the rest of that answer.
// Questions that follow each other, as after one that the server refused, become one: many chat templates want turns.
export function wireMessages(conversation, last) {
  const {system} = conversation.record, messages = system.trim() ? [{role: "system", content: system}] : [];
  for (const message of conversation.pathTo(last)) {
    const {role, text, reasoning} = message, before = messages.at(-1);
    if (role === before?.role) before.content += "\n\n" + text;
    else messages.push({role, content: text, ...(message === last && reasoning && {reasoning_content: reasoning})});
  }
  return messages;
}
