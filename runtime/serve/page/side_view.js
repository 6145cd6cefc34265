// The list of conversations, with search; on a narrow screen it lies over the page when it is asked for.
import {$, element} from "./elements.js";
import {excerpt, search} from "./store.js";
import {say} from "./words.js";

const kSearchDelay = 200;  // Milliseconds after the last key.

export class SideView {
  // open(id, message id or ""), remove(id)
  constructor({store, records, open, remove}) {
    Object.assign(this, {store, records, open, remove});
    this.current = "";
    this.running = new Set();
    this.news = new Set();
    this.found = null;  // Of a search; null: all are shown.
    $("search").addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.search(), kSearchDelay);
    });
    $("list").addEventListener("click", (event) => this.onClick(event));
    $("show_side").addEventListener("click", () => this.unfold(true));
    $("hide_side").addEventListener("click", () => this.unfold(false));
    $("cover").addEventListener("click", () => this.unfold(false));
    $("side").addEventListener("keydown", (event) => {
      if (event.key === "Escape" && $("side").classList.contains("on")) this.unfold(false);
    });
  }

  unfold(isOn) {
    $("side").classList.toggle("on", isOn);
    $("cover").hidden = !isOn;
    $("show_side").setAttribute("aria-expanded", String(isOn));
    if (isOn) $("new").focus();
    else if ($("side").contains(document.activeElement)) $("show_side").focus();
  }

  async search() {
    const text = $("search").value.trim();
    this.found = text === "" ? null : search(text, this.records(), await this.store.allMessages());
    if (text === $("search").value.trim()) this.show();
  }

  show() {
    const rows = this.found ?? this.records().map((record) => ({record, message: null}));
    const list = $("list"), focused = document.activeElement?.closest?.("#list li")?.dataset.id;
    list.replaceChildren();
    rows.sort((a, b) => b.record.updated - a.record.updated);
    for (const row of rows) this.addRow(row);
    if (rows.length === 0) {
      element(element(list, "li"), "p", {text: say(this.found ? "found_none" : "no_conversations")});
    }
    if (focused) list.querySelector(`[data-id="${focused}"] .open`)?.focus();
  }

  addRow({record, message}) {
    const isOn = record.id === this.current, title = record.title || say("untitled");
    const item = element($("list"), "li", {"data-id": record.id, kind: isOn ? "on" : ""});
    const open = element(item, "button", {type: "button", kind: "open", "data-message": message?.id ?? ""});
    if (isOn) open.setAttribute("aria-current", "true");
    element(open, "span", {text: title});
    const state = this.running.has(record.id) ? say("is_answering") : this.news.has(record.id) ? say("has_news") : "";
    item.classList.toggle("news", state !== "");
    const more = message ? excerpt(message.text, $("search").value) : state;
    if (more) element(open, "small", {text: more});
    element(item, "button", {type: "button", kind: "remove", text: "✕", "aria-label": say("remove") + " " + title});
  }

  onClick(event) {
    const clicked = event.target.closest("button"), id = clicked?.closest("li").dataset.id;
    if (!clicked) return;
    if (clicked.classList.contains("remove")) return this.remove(id);
    this.open(id, clicked.dataset.message);
    this.unfold(false);
  }
}
