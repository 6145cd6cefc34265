// Small helpers for elements of the page.
import {say} from "./words.js";

export const $ = (id) => document.getElementById(id);

export function element(parent, name, {text = "", kind = "", ...attributes} = {}) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (kind) made.className = kind;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
}

// A button whose text is a row of words.js, and whose name for screen readers may be another text.
export function button(parent, word, action, attributes = {}) {
  return element(
      parent, "button", {type: "button", text: say(word), "data-word": word, "data-action": action, ...attributes});
}

// Works on pages without HTTPS too, where browsers have no clipboard object.
export async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = element(document.body, "textarea", {kind: "unseen"}), focused = document.activeElement;
  area.value = text;
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  if (!isCopied) throw new Error("copying is not allowed");
}

// Says on a button for a moment that something was done.
export function confirm(one, word) {
  one.textContent = say(word);
  setTimeout(() => { one.textContent = say(one.dataset.word); }, 1500);
}

export function saveFile(name, text) {
  const link =
      element(null, "a", {download: name, href: URL.createObjectURL(new Blob([text], {type: "application/json"}))});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

// Whether the page is used by touch: there is no keyboard but the one on the screen.
export const isTouched = () => matchMedia("(pointer: coarse)").matches;

// Whether Enter in a box means that it is ready. Not while an input method composes, and not on a touch screen, where
// Enter is the only way to begin a line.
export function isSending(event) {
  const isComposing = event.isComposing || event.keyCode === 229;
  return event.key === "Enter" && !event.shiftKey && !isComposing && !isTouched();
}
