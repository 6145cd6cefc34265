// Conversations in the browser's IndexedDB; where that is closed (some private windows), in memory.

const kName = "tinyllm", kVersion = 1;

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

const committed = (transaction) => new Promise((resolve, reject) => {
  transaction.oncomplete = () => resolve();
  transaction.onabort = transaction.onerror = () => reject(transaction.error);
});

class DatabaseStore {
  constructor(database) {
    this.database = database;
    this.isLasting = true;
  }

  begin(mode = "readonly") {
    const transaction = this.database.transaction(["conversations", "messages"], mode);
    return {transaction, records: transaction.objectStore("conversations"),
            messages: transaction.objectStore("messages")};
  }

  records() { return done(this.begin().records.getAll()); }

  messagesOf(id) { return done(this.begin().messages.index("conversation").getAll(id)); }

  allMessages() { return done(this.begin().messages.getAll()); }

  // Both at once, or neither.
  async put(records, messages) {
    const {transaction, ...stores} = this.begin("readwrite");
    for (const record of records) stores.records.put(record);
    for (const message of messages) stores.messages.put(message);
    await committed(transaction);
  }

  async remove(records, messages) {
    const {transaction, ...stores} = this.begin("readwrite");
    for (const {id} of records) stores.records.delete(id);
    for (const {id} of messages) stores.messages.delete(id);
    await committed(transaction);
  }
}

class MemoryStore {
  constructor() {
    this.isLasting = false;
    this.kept = {records: new Map(), messages: new Map()};
  }

  async records() { return [...this.kept.records.values()]; }
  async allMessages() { return [...this.kept.messages.values()]; }
  async messagesOf(id) { return (await this.allMessages()).filter((message) => message.conversation === id); }

  async put(records, messages) {
    for (const record of records) this.kept.records.set(record.id, record);
    for (const message of messages) this.kept.messages.set(message.id, message);
  }

  async remove(records, messages) {
    for (const {id} of records) this.kept.records.delete(id);
    for (const {id} of messages) this.kept.messages.delete(id);
  }
}

export async function openStore() {
  try {
    const request = indexedDB.open(kName, kVersion);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("conversations", {keyPath: "id"});
      request.result.createObjectStore("messages", {keyPath: "id"}).createIndex("conversation", "conversation");
    };
    return new DatabaseStore(await done(request));
  } catch {
    return new MemoryStore();
  }
}

// The conversations that have all words of a text in their title or in one message, with the message (null: the title).
export function search(text, records, messages) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const hasAll = (where) => words.every((word) => where.includes(word));
  const found = new Map();
  for (const message of messages) {
    if (!found.has(message.conversation) && hasAll(message.text.toLowerCase())) {
      found.set(message.conversation, message);
    }
  }
  return records.filter((record) => hasAll(record.title.toLowerCase()) || found.has(record.id))
      .map((record) => ({record, message: found.get(record.id) ?? null}));
}

// The part of a text around the first of some words.
export function excerpt(text, words, length = 60) {
  const lower = text.toLowerCase();
  const places = words.toLowerCase().split(/\s+/).filter(Boolean).map((word) => lower.indexOf(word));
  const at = Math.max(0, Math.min(...places.filter((place) => place >= 0), text.length) - Math.floor(length / 3));
  const part = text.slice(at, at + length).replaceAll("\n", " ");
  return (at > 0 ? "…" : "") + part + (at + length < text.length ? "…" : "");
}
