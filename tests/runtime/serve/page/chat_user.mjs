// What a person does on the chat page and sees of it.
import assert from "node:assert/strict";
import {kMarkdown} from "./mock_server.mjs";

// Expressions: whether no answer is arriving; the last element of a kind.
export const isIdle = "!document.querySelector('.answering') && document.getElementById('stop').hidden";
export const last = (selector) => `[...document.querySelectorAll(${JSON.stringify(selector)})].at(-1)`;

export function userOf(page, url) {
  const lastText = (selector) => page.get(`${last(selector)}?.textContent ?? null`);
  const shown = () => page.get("[...document.querySelectorAll('.message .said')].map((one) => one.textContent)");

  async function ask(text) {
    await page.get("box.focus()");
    await page.type(text);
    await page.press("Enter");
  }
  async function askAndWait(text) {
    await ask(text);
    await page.until(isIdle);
  }
  const choose = (id, value) =>
      page.get(`${id}.value = ${JSON.stringify(value)}; ${id}.dispatchEvent(new Event("change"))`);
  // A button of the last message of a speaker.
  async function press(role, action) {
    await page.get(`${last(`.${role} [data-action="${action}"]`)}.click()`);
  }
  const stored = () => page.get(`new Promise((resolve) => {
    indexedDB.open("tinyllm").onsuccess = ({target}) => {
      target.result.transaction("messages").objectStore("messages").getAll().onsuccess = (event) => {
        target.result.close();
        resolve(event.target.result.map(({text}) => text));
      };
    };
  })`);
  async function begin() {
    await page.press("n", {alt: true});
    await page.until("document.querySelectorAll('.message').length === 0");
  }

  // Writes a conversation of so many messages into the browser's store, and opens it.
  async function makeLong(count) {
    await page.get(`new Promise((resolve) => {
      indexedDB.open("tinyllm").onsuccess = ({target}) => {
        const change = target.result.transaction(["conversations", "messages"], "readwrite");
        const record = {id: "long", title: "long", system: "", created: 1, updated: 1, chosen: {}};
        change.objectStore("conversations").put(record);
        const texts = ["question", ${JSON.stringify(kMarkdown.repeat(8))}];
        for (let i = 0; i < ${count}; ++i) {
          change.objectStore("messages").put({
            id: "m" + i, conversation: "long", parent: i ? "m" + (i - 1) : "", created: i, state: "done",
            role: i % 2 ? "assistant" : "user", text: texts[i % 2], reasoning: ""});
        }
        change.oncomplete = () => { target.result.close(); resolve(); };
      };
    })`);
    await page.go("about:blank");
    await page.go(url + "#long");
    await page.until(`document.querySelectorAll(".message").length === ${count}`);
  }

  // The processor time of the longest task of the page's main thread while `act` runs, in milliseconds. Processor time,
  // as other programs may hold up this one.
  async function longestTask(act) {
    const events = [];
    page.browser.listeners.push(({method, params}) => {
      if (method === "Tracing.dataCollected") events.push(...params.value);
    });
    await page.send(
        "Tracing.start", {categories: "toplevel,disabled-by-default-devtools.timeline", transferMode: "ReportEvents"});
    await act();
    const complete = page.once("Tracing.tracingComplete");
    await page.send("Tracing.end");
    await complete;
    const threads = new Set(
        events.filter(({name, args}) => name === "thread_name" && args.name === "CrRendererMain").map(({tid}) => tid));
    const tasks = events.filter(({ph, tid, tdur}) => ph === "X" && threads.has(tid) && tdur > 0);
    assert.ok(tasks.length > 0, "the trace has no task");
    return Math.max(...tasks.map(({tdur}) => tdur)) / 1000;
  }

  return {ask, askAndWait, begin, choose, lastText, longestTask, makeLong, press, shown, stored};
}
