// The page: joins conversations, answers and what is shown of them.
import {Answering} from "./answering.js";
import {Composer} from "./composer.js";
import {Conversation, newRecord, titleOf} from "./conversation.js";
import {$, confirm, copyText, element, isTouched, saveFile} from "./elements.js";
import {exported, imported, kMostBytes} from "./exchange.js";
import {explain} from "./failures.js";
import {LogView} from "./log_view.js";
import {alarm, calm, note, status} from "./notices.js";
import {requestFields} from "./parameters.js";
import {listModels} from "./protocol.js";
import {Settings} from "./settings.js";
import {SettingsView} from "./settings_view.js";
import {SideView} from "./side_view.js";
import {openStore} from "./store.js";
import {countWords, preferred, say} from "./words.js";

class App {
  async start() {
    this.settings = new Settings({language: preferred(navigator.languages)});
    this.settingsView = new SettingsView(this.settings, (name) => this.settingChanged(name));
    this.store = await openStore();
    this.known = new Map((await this.store.records()).map((record) => [record.id, record]));
    this.opened = new Map();  // Conversations whose messages are in memory.
    this.answering = new Answering({
      store: this.store,
      changed: (conversation, message) => this.answerChanged(conversation, message),
      ended: (conversation, message, failure) => this.answerEnded(conversation, message, failure),
    });
    this.log = new LogView();
    this.side = new SideView({
      store: this.store,
      records: () => [...this.known.values()],
      open: (id, message) => this.open(id, message),
      remove: (id) => this.removeConversation(id)
    });
    this.composer = new Composer({send: (text) => this.send(text), stop: () => this.answering.stop(this.current.id),
                                  editLast: () => this.editLast()});
    this.listen();
    if (!this.store.isLasting) alarm(say("cannot_store"));
    await this.open(location.hash.slice(1));
    if (!isTouched()) $("box").focus();
    await this.loadModels();
  }

  listen() {
    $("new").addEventListener("click", () => this.begin());
    $("title").addEventListener("change", () => this.rename($("title").value.trim()));
    $("model").addEventListener("change", () => {
      this.settings.model = $("model").value;
      this.settings.save();
    });
    $("messages").addEventListener("click", (event) => this.onClick(event));
    $("import").addEventListener("click", () => $("file").click());
    $("file").addEventListener("change", () => this.importFile());
    $("export_one").addEventListener("click", () => this.exportThese([this.current.record]));
    $("export_all").addEventListener("click", () => this.exportThese([...this.known.values()]));
    addEventListener("hashchange", () => this.open(location.hash.slice(1)));
    addEventListener("keydown", (event) => this.onKey(event));
  }

  onKey(event) {
    if (event.isComposing || document.querySelector("dialog[open]")) return;
    const isCommand = event.ctrlKey || event.metaKey;
    if (event.key === "Escape" && this.answering.isRunning(this.current.id)) this.answering.stop(this.current.id);
    else if (event.altKey && event.code === "KeyN") this.begin();
    else if (event.altKey && event.code === "KeyR") this.again(this.current.path().at(-1));
    else if (isCommand && event.key.toLowerCase() === "k") this.focusSearch();
    else if (isCommand && event.key === "/") $("shortcuts").showModal();
    else return;
    event.preventDefault();
  }

  focusSearch() {
    if (getComputedStyle($("show_side")).display !== "none") this.side.unfold(true);
    $("search").focus();
    $("search").select();
  }

  settingChanged(name) {
    if (name === "key") this.loadModels();
    if (name === "system") this.changeRecord({system: this.settings.system});
    if (name === "language") {
      this.log.translate();
      this.side.show();
    }
  }

  async loadModels() {
    try {
      const models = await listModels(this.settings.key);
      $("model").replaceChildren();
      for (const id of models) element($("model"), "option", {value: id, text: id});
      if (models.includes(this.settings.model)) $("model").value = this.settings.model;
      if (this.hasAlarmOfModels) alarm("");
      this.hasAlarmOfModels = false;
    } catch (failure) {
      this.hasAlarmOfModels = true;
      this.fail(failure, ["retry", () => this.loadModels()]);
    }
  }

  fail(failure, ...buttons) {
    const {text, needsKey} = explain(failure);
    alarm(text, needsKey ? [["settings", () => this.settingsView.open("key")], ...buttons] : buttons);
  }

  // Conversations.

  async load(id) {
    if (!this.opened.has(id) && this.known.has(id)) {
      const messages = await this.store.messagesOf(id);
      // An answer of which the page did not see the end.
      for (const message of messages) if (message.state === "answering") message.state = "stopped";
      this.opened.set(id, new Conversation(this.known.get(id), messages));
    }
    return this.opened.get(id);
  }

  async open(id, message = "") {
    const conversation = await this.load(id);
    if (conversation && message) this.chooseBranch(conversation, conversation.messages.get(message));
    if (!conversation || conversation !== this.current || message) {
      this.show(conversation ?? new Conversation(newRecord({system: this.settings.system})), message);
    }
  }

  begin() {
    this.show(new Conversation(newRecord({system: this.settings.system})));
    this.side.unfold(false);
    $("box").focus();
  }

  show(conversation, message = "") {
    this.current = conversation;
    const {id, record} = conversation;
    history.replaceState(null, "", this.known.has(id) ? "#" + id : location.pathname);
    calm();
    $("title").value = record.title;
    $("system").value = record.system;
    document.title = record.title ? record.title + " · tinyllm" : "tinyllm";
    this.composer.change(id);
    this.side.current = id;
    this.side.news.delete(id);
    this.showRunning();
    const isShown = this.log.show(conversation);
    if (message) isShown.then(() => this.log.goTo(message));
  }

  showRunning() {
    this.composer.showRunning(this.answering.isRunning(this.current.id));
    this.side.running = new Set(this.answering.running.keys());
    this.side.show();
  }

  // Stores a conversation and messages of it.
  async keep(conversation, messages = []) {
    this.known.set(conversation.id, conversation.record);
    this.opened.set(conversation.id, conversation);
    await this.stored(this.store.put([conversation.record], messages));
  }

  async stored(promise) {
    try { await promise; } catch (error) { alarm(say("cannot_store") + " " + error.message); }
  }

  changeRecord(fields) {
    Object.assign(this.current.record, fields);
    if (this.known.has(this.current.id)) this.keep(this.current);
  }

  rename(title) {
    this.changeRecord({title});
    this.side.show();
  }

  async removeConversation(id) {
    await this.answering.stop(id);
    const conversation = await this.load(id), {record} = conversation, messages = [...conversation.messages.values()];
    await this.stored(this.store.remove([record], messages));
    this.known.delete(id);
    this.opened.delete(id);
    if (this.current.id === id) this.begin();
    this.side.show();
    note(say("removed_conversation", {title: record.title || say("untitled")}), [["undo", async () => {
      await this.keep(new Conversation(record, messages), messages);
      this.open(id);
    }]]);
    this.side.unfold(false);  // The note is below the list.
    $("note").querySelector("button").focus();
  }

  // Messages.

  request() {
    const model = $("model").value;
    return {...(model && {model}), ...requestFields(this.settings.parameters)};
  }

  send(text) {
    this.ask(this.current, this.current.path().at(-1)?.id ?? "", text);
  }

  async ask(conversation, parent, text) {
    const question = conversation.add(parent, {role: "user", text});
    conversation.record.title ||= titleOf(text);
    const isNew = !this.known.has(conversation.id);
    this.keep(conversation, [question]);
    if (isNew && conversation === this.current) {
      history.replaceState(null, "", "#" + conversation.id);
      $("title").value = conversation.record.title;
      document.title = conversation.record.title + " · tinyllm";
    }
    this.answer(conversation, question);
  }

  answer(conversation, question) {
    calm();
    this.log.isFollowing = true;
    status(say("answering"));
    this.answering.answer(conversation, question, this.request(), this.settings.key);
    this.side.found = null;
    this.afterChange(conversation);
  }

  afterChange(conversation) {
    if (conversation === this.current) this.log.sync();
    this.showRunning();
  }

  answerChanged(conversation, message) {
    if (conversation === this.current) this.log.textChanged(message);
  }

  answerEnded(conversation, message, failure) {
    const isShown = conversation === this.current, isEmpty = message.text === "" && message.reasoning === "";
    const question = conversation.messages.get(message.parent);
    if (isEmpty && message.state === "stopped") {
      this.stored(this.store.remove([], conversation.remove(message)));
      if (isShown) this.log.sync();
    }
    if (isShown) this.log.stateChanged(message);
    else if (this.known.has(conversation.id)) this.side.news.add(conversation.id);
    this.showRunning();
    if (!isShown) return;
    const end = message.state === "stopped" ? say("stopped") : say("answered", {count: countWords(message.text)});
    status(failure ? "" : end);
    if (!failure) return;
    this.fail(failure, isEmpty ? ["retry", () => this.answer(conversation, question)]
                               : ["go_on", () => this.goOn(message)]);
  }

  // Another answer to the same question.
  async again(message) {
    const conversation = this.current;
    if (!message) return;
    await this.answering.stop(conversation.id);
    const question = message.role === "user" ? message : conversation.messages.get(message.parent);
    if (question) this.answer(conversation, question);
  }

  async goOn(message) {
    const conversation = this.current;
    await this.answering.stop(conversation.id);
    calm();
    status(say("answering"));
    this.answering.goOn(conversation, message, this.request(), this.settings.key);
    this.log.stateChanged(message);
    this.showRunning();
  }

  editLast() {
    const last = this.current.path().findLast((message) => message.role === "user");
    if (last) this.edit(last);
  }

  // A changed question is asked on a new branch; a changed answer is one.
  edit(message) {
    const conversation = this.current;
    this.log.viewOf(message)?.edit(async (text) => {
      if (text.trim() === "" || text === message.text) return;
      $("box").focus();
      await this.answering.stop(conversation.id);
      if (message.role === "user") return this.ask(conversation, message.parent, text);
      const changed = conversation.add(message.parent, {role: "assistant", model: message.model, text});
      this.keep(conversation, [changed]);
      this.afterChange(conversation);
    });
  }

  async removeMessage(message) {
    const conversation = this.current;
    await this.answering.stop(conversation.id);
    const removed = conversation.remove(message);
    await this.stored(this.store.remove([], removed));
    this.keep(conversation);
    this.afterChange(conversation);
    note(say("removed", {count: removed.length}), [["undo", () => {
      conversation.restore(removed);
      this.keep(conversation, removed);
      this.afterChange(conversation);
    }]]);
    $("box").focus();
  }

  // Another version of a message, `by` places away.
  turn(message, by, action) {
    const siblings = this.current.siblings(message), other = siblings[siblings.indexOf(message) + by];
    if (!other) return;
    this.current.choose(other);
    this.keep(this.current);
    this.afterChange(this.current);
    const {element: shown} = this.log.viewOf(other) ?? {};
    const button = shown?.querySelector(`[data-action="${action}"]:enabled`);
    (button ?? shown?.querySelector(".versions button:enabled"))?.focus();
  }

  // Shows the branch on which a message is.
  chooseBranch(conversation, message) {
    if (message) conversation.pathTo(message).forEach((one) => { conversation.record.chosen[one.parent] = one.id; });
  }

  onClick(event) {
    const clicked = event.target.closest("[data-action]"), action = clicked?.dataset.action;
    const message = this.current.messages.get(clicked?.closest(".message")?.dataset.id);
    if (!message || !action) return;
    const copy = (text) => copyText(text).then(() => confirm(clicked, "copied"), () => alarm(say("cannot_copy")));
    const actions = {
      copy: () => copy(message.text), copy_code: () => copy(clicked.parentElement.querySelector("code").textContent),
      edit: () => this.edit(message), again: () => this.again(message), go_on: () => this.goOn(message),
      remove: () => this.removeMessage(message), earlier: () => this.turn(message, -1, action),
      later: () => this.turn(message, 1, action),
    };
    actions[action]();
  }

  // Files.

  async exportThese(records) {
    const conversations = await Promise.all(records.map(async (record) =>
        ({record, messages: [...((await this.load(record.id))?.messages.values() ?? [])]})));
    saveFile(`tinyllm-${new Date().toISOString().slice(0, 10)}.json`, exported(conversations));
    note(say("exported"));
  }

  async importFile() {
    const [file] = $("file").files;
    $("file").value = "";
    if (!file) return;
    try {
      if (file.size > kMostBytes) throw new Error(`${file.size} bytes, expected at most ${kMostBytes}`);
      const made = imported(await file.text());
      await this.store.put(made.map(({record}) => record), made.flatMap(({messages}) => messages));
      for (const {record} of made) this.known.set(record.id, record);
      await this.open(made[0]?.record.id ?? "");
      note(say("imported", {count: made.length}));
    } catch (error) {
      alarm(say("bad_import", {reason: error.message}));
    }
  }
}

new App().start();
