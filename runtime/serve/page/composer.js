// The box in which a message is written. Each conversation keeps what was begun in it.
import {$, isSending, isTouched} from "./elements.js";

export class Composer {
  // send(text), stop(), editLast()
  constructor({send, stop, editLast}) {
    this.drafts = new Map();
    this.id = "";
    this.send = send;
    const box = $("box"), mustMeasure = !CSS.supports("field-sizing", "content");
    box.enterKeyHint = isTouched() ? "enter" : "send";
    $("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    $("stop").addEventListener("click", () => {
      stop();
      box.focus();
    });
    box.addEventListener("input", () => { if (mustMeasure) this.measure(); });
    box.addEventListener("keydown", (event) => {
      const isEmptyUp = event.key === "ArrowUp" && box.value === "" && !event.isComposing;
      if (isSending(event)) this.submit();
      else if (isEmptyUp) editLast();
      else return;
      event.preventDefault();
    });
  }

  submit() {
    const box = $("box"), text = box.value;
    if (text.trim() === "" || $("send").hidden) return;
    this.fill("");
    box.focus();
    this.send(text);
  }

  fill(text) {
    $("box").value = text;
    if (!CSS.supports("field-sizing", "content")) this.measure();
  }

  measure() {
    const box = $("box");
    box.style.height = "auto";
    box.style.height = box.scrollHeight + 2 + "px";
  }

  // Another conversation is shown.
  change(id) {
    this.drafts.set(this.id, $("box").value);
    this.id = id;
    this.fill(this.drafts.get(id) ?? "");
  }

  showRunning(isRunning) {
    $("send").hidden = isRunning;
    $("stop").hidden = !isRunning;
  }
}
