// What the page tells the reader: errors at once, notes and the state of an answer when there is a pause.
import {$, button, element} from "./elements.js";

// A line with buttons: [[word, action], ...]. Each button closes it, as does the last one, "close".
function fill(box, text, buttons) {
  box.replaceChildren();
  if (text === "") return;
  element(box, "span", {text});
  const close = () => {
    const hadFocus = box.contains(document.activeElement);
    box.replaceChildren();
    if (hadFocus) $("box").focus();
  };
  for (const [word, action] of [...buttons, ["close", () => {}]]) {
    button(box, word, "", {class: "quiet"}).addEventListener("click", () => {
      close();
      action();
    });
  }
}

export const alarm = (text, buttons = []) => fill($("alert"), text, buttons);
export const note = (text, buttons = []) => fill($("note"), text, buttons);
export const calm = () => {
  alarm("");
  note("");
};

// For screen readers.
export function status(text) { $("status").textContent = text; }
