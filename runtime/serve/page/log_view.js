// The messages of the conversation that is shown. What has arrived is drawn at most once a frame; the end is followed
// as long as the reader is there.
import {$} from "./elements.js";
import {MessageView} from "./message_view.js";

const kSlice = 12;      // Milliseconds of building before the browser may draw.
const kNearEnd = 60;    // Pixels.

const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));

export class LogView {
  constructor() {
    this.list = $("messages");
    this.views = [];         // As the path of the conversation; those that are not built yet are missing.
    this.changed = new Set();
    this.turn = 0;
    this.isFollowing = true;
    this.lastTop = 0;
    addEventListener("scroll", () => this.onScroll(), {capture: true, passive: true});
    new ResizeObserver(() => this.follow()).observe(this.list);
    new ResizeObserver(() => this.follow()).observe($("log"));
    $("new_text").addEventListener("click", () => this.goToEnd());
  }

  // The log, or the whole page where there is little height.
  get scroller() { return getComputedStyle($("log")).overflowY === "visible" ? document.scrollingElement : $("log"); }

  show(conversation) {
    if (conversation !== this.conversation) this.isFollowing = true;
    this.conversation = conversation;
    return this.sync();
  }

  // Shows the path of the conversation: messages that stay keep their elements. The newest ones are built first.
  async sync() {
    const path = this.conversation.path(), turn = ++this.turn;
    let same = 0;
    while (same < path.length && this.views[same]?.message === path[same]) ++same;
    for (const view of this.views.splice(same)) view?.element.remove();
    $("welcome").hidden = path.length > 0;
    this.views[same - 1]?.showFoot();  // What may be done with a message depends on what comes after it.
    let begin = performance.now();
    for (let i = path.length - 1; i >= same; --i) {
      this.views[i] = new MessageView(this.conversation, path[i]);
      this.list.insertBefore(this.views[i].element, this.views[i + 1]?.element ?? null);
      if (i === same || performance.now() - begin < kSlice) continue;
      this.follow();
      await nextFrame();
      if (turn !== this.turn) return;
      begin = performance.now();
    }
    this.follow();
  }

  viewOf(message) { return this.views.find((view) => view?.message === message); }

  // A part of an answer has arrived.
  textChanged(message) {
    if (this.changed.size === 0) requestAnimationFrame(() => this.draw());
    this.changed.add(message);
  }

  draw() {
    for (const message of this.changed) this.viewOf(message)?.showText();
    this.changed.clear();
    if (this.isFollowing) this.follow();
    else $("new_text").hidden = false;
  }

  stateChanged(message) {
    const view = this.viewOf(message);
    view?.showText();
    view?.showState();
    this.follow();
  }

  // Another language.
  translate() { this.views.forEach((view) => view?.showState()); }

  onScroll() {
    const {scrollTop, scrollHeight, clientHeight} = this.scroller;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < kNearEnd;
    if (isAtEnd) this.isFollowing = true;
    else if (scrollTop < this.lastTop - 1) this.isFollowing = false;  // The reader went up.
    this.lastTop = scrollTop;
    if (isAtEnd) $("new_text").hidden = true;
  }

  follow() {
    if (!this.isFollowing) return;
    const {scroller} = this;
    scroller.scrollTop = scroller.scrollHeight;
    this.lastTop = scroller.scrollTop;
  }

  goToEnd() {
    this.isFollowing = true;
    $("new_text").hidden = true;
    this.follow();
  }

  // Shows one message, such as what a search has found.
  async goTo(id) {
    await nextFrame();
    const view = this.views.find((one) => one?.message.id === id);
    if (!view) return;
    this.isFollowing = false;
    view.element.scrollIntoView({block: "center"});
  }
}
