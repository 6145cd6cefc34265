// One message on the page.
import {speedOf} from "./answering.js";
import {button, element, isSending} from "./elements.js";
import {GrowingMarkdown} from "./markdown.js";
import {patchChildren} from "./tree.js";
import {duration, languageOf, number, say} from "./words.js";

// Markdown that grows on the page: blocks that are closed are never touched again.
class Prose {
  constructor(element) {
    this.element = element;
    this.clear();
  }

  clear() {
    this.element.replaceChildren();
    this.growing = new GrowingMarkdown();
    this.text = "";
    this.open = [];
    this.closed = 0;
  }

  show(text) {
    if (text === this.text) return;
    if (!text.startsWith(this.text)) this.clear();
    this.text = text;
    const closed = this.growing.update(text), {open} = this.growing;
    patchChildren(this.element, this.open, [...closed, ...open], this.closed);
    this.closed += closed.length;
    this.open = open;
  }
}

const kNotices = {stopped: "is_stopped", length: "is_cut", content_filter: "is_filtered"};

export class MessageView {
  constructor(conversation, message) {
    Object.assign(this, {conversation, message});
    this.element = element(null, "article", {kind: "message " + message.role, "data-id": message.id});
    this.speaker = element(this.element, "h2", {id: "by-" + message.id});
    this.element.setAttribute("aria-labelledby", this.speaker.id);
    if (message.role === "assistant") this.addReasoning();
    this.said = element(this.element, "div", {kind: "said" + (message.role === "assistant" ? " prose" : "")});
    this.prose = message.role === "assistant" ? new Prose(this.said) : null;
    this.notice = element(this.element, "p", {kind: "notice", hidden: ""});
    this.foot = element(this.element, "div", {kind: "foot"});
    this.showText();
    this.showState();
  }

  addReasoning() {
    this.details = element(this.element, "details", {kind: "reasoning", hidden: ""});
    this.summary = element(this.details, "summary");
    this.thought = new Prose(element(this.details, "div", {kind: "prose"}));
    this.details.addEventListener("toggle", () => this.showReasoning());
  }

  // What has changed while the answer arrives.
  showText() {
    const {message} = this;
    if (!this.prose) {
      this.said.textContent = message.text;
      return;
    }
    this.prose.show(message.text);
    this.showReasoning();
  }

  // The reasoning is built when it is opened.
  showReasoning() {
    const {reasoning, text, thought = 0, state} = this.message;
    this.details.hidden = reasoning === "";
    const summary = state === "answering" && text === "" ? say("thinking") + " " + duration(Math.floor(thought))
        : thought > 0 ? say("thought_for", {time: duration(thought)}) : say("thought");
    if (this.summary.textContent !== summary) this.summary.textContent = summary;
    if (this.details.open) this.thought.show(reasoning);
  }

  // What changes when an answer begins or ends, or another language is chosen.
  showState() {
    const {message} = this, isAnswering = message.state === "answering";
    this.speaker.textContent = message.role === "user" ? say("you") : message.model || say("assistant");
    this.element.classList.toggle("answering", isAnswering);
    this.said.lang = languageOf(message.text);
    const isEmpty = !isAnswering && message.state === "done" && !message.text && !message.reasoning;
    const word = isEmpty && message.role === "assistant" ? "is_empty" : kNotices[message.state];
    this.notice.hidden = !word;
    this.notice.textContent = word ? say(word) : "";
    if (this.details) this.showReasoning();
    this.showFoot();
  }

  showFoot() {
    const {message, foot} = this, isAnswer = message.role === "assistant";
    foot.replaceChildren();
    this.addVersions();
    if (message.state === "answering") return;
    const add = (word) => button(foot, word, word, {class: "quiet"});
    add("copy");
    const isUnanswered = !isAnswer && this.conversation.childrenOf(message.id).length === 0;
    if (isAnswer || isUnanswered) add("again");
    if (["stopped", "length"].includes(message.state)) add("go_on");
    add("edit");
    add("remove");
    if (isAnswer && message.tokens) element(foot, "span", {kind: "figures", text: figuresOf(message)});
  }

  addVersions() {
    const siblings = this.conversation.siblings(this.message), at = siblings.indexOf(this.message);
    if (siblings.length < 2) return;
    const box = element(this.foot, "span", {kind: "versions"});
    const arrow = (text, word, isEnd) => {
      const made =
          element(box, "button", {type: "button", kind: "quiet", text, "data-action": word, "aria-label": say(word)});
      made.disabled = isEnd;
    };
    arrow("‹", "earlier", at === 0);
    const words = say("version", {number: at + 1, count: siblings.length});
    element(box, "span", {text: `${at + 1}/${siblings.length}`, role: "img", "aria-label": words});
    arrow("›", "later", at === siblings.length - 1);
  }

  // A box in the place of the text. changed(text) is called when it is sent.
  edit(changed) {
    if (this.element.querySelector(".change")) return;
    const box = element(null, "div", {kind: "change"});
    const area = element(box, "textarea", {"aria-label": say("edited_text")});
    area.value = this.message.text;
    const close = () => {
      box.remove();
      this.said.hidden = this.foot.hidden = false;
      this.foot.querySelector('[data-action="edit"]')?.focus();
    };
    const finish = () => {
      close();
      changed(area.value);
    };
    button(box, "cancel", "").addEventListener("click", close);
    const word = this.message.role === "user" ? "send_edited" : "save";
    button(box, word, "", {class: "main"}).addEventListener("click", finish);
    area.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) close();
      else if (this.message.role === "user" && isSending(event)) finish();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    this.said.hidden = this.foot.hidden = true;
    this.said.before(box);
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }
}

function figuresOf(message) {
  const about = message.isAbout ? "≈ " : "", speed = speedOf(message);
  const parts = [about + say("counts", {tokens: number(message.tokens)})];
  if (speed > 0) parts.push(say("speed", {speed: number(speed, speed < 10 ? 1 : 0)}));
  if (message.wait > 0.05) parts.push(say("first_token", {time: duration(message.wait)}));
  if (message.promptTokens) parts.push(say("prompt_counts", {tokens: number(message.promptTokens)}));
  if (message.votes) parts.push(say("votes", {votes: message.votes}));
  if (message.seed) parts.push(say("seed_of", {seed: message.seed}));
  return parts.map((part) => part.replaceAll(" ", "\u00a0")).join(" · ");
}
