// The chat page in Chromium, as a person uses it: node browser_test.mjs <folder of the page>
import assert from "node:assert/strict";
import {isIdle, last, userOf} from "./chat_user.mjs";
import {Browser, findChromium} from "./devtools.mjs";
import {run, source} from "./harness.mjs";
import {MockServer} from "./mock_server.mjs";

const kMaxFrame = 50;  // Milliseconds.

const program = findChromium();
if (!program) {
  console.log("SKIPPED: Chromium is missing");
  process.exit();
}

const server = new MockServer(source);
await server.start();
const browser = new Browser(program), page = await browser.newPage(server.url);
await page.size(1200, 800);
const {ask, askAndWait, begin, choose, lastText, longestTask, makeLong, press, shown, stored} =
    userOf(page, server.url);

const tests = {
  async "models are listed, and the box is ready"() {
    await page.until("model.options.length === 2");
    assert.deepEqual(await page.get("[...model.options].map((one) => one.value)"), ["tiny-a", "tiny-b"]);
    assert.equal(await page.get("welcome.hidden"), false);
  },

  async "Enter sends, Shift with Enter begins a line, and the answer streams"() {
    await choose("model", "tiny-b");
    await page.get("box.focus()");
    await page.type("one");
    await page.press("Enter", {shift: true});
    await page.type("two");
    await page.press("Enter");
    await page.until(isIdle);
    assert.deepEqual(await shown(), ["one\ntwo", "You said: onetwo."]);
    assert.equal(server.requests.at(-1).model, "tiny-b");
    assert.equal(await lastText(".assistant h2"), "tiny-b");
    assert.match(await lastText(".figures"), /3.tokens.*prompt.11.*seed.12345/);
    assert.match(await page.get("document.getElementById('status').textContent"), /Answer complete, 4 words/);
  },

  async "Enter within an input method does not send"() {
    const before = server.requests.length;
    await page.get("box.focus()");
    await page.compose("ni");
    await page.press("Enter");
    await page.get(`box.dispatchEvent(
        new KeyboardEvent("keydown", {key: "Enter", isComposing: true, bubbles: true, cancelable: true}))`);
    assert.equal(server.requests.length, before);
    assert.equal(await page.get("box.value.trim()"), "ni");
    await page.get("box.value = ''");
  },

  async "Markdown and formulas are elements, and markup in an answer stays text"() {
    await askAndWait("markdown");
    const counts = await page.get(
        `Object.fromEntries(["h4", "ol li", "table", "math mfrac", "pre code", "strong", "img", "script", "a"]
        .map((name) => [name, ${last(".assistant")}.querySelectorAll(name).length]))`);
    assert.deepEqual(
        counts, {h4: 1, "ol li": 2, table: 1, "math mfrac": 1, "pre code": 1, strong: 1, img: 0, script: 0, a: 0});
    assert.notEqual(await page.get("document.title"), "broken");
    await page.get(`Object.defineProperty(
        navigator, "clipboard", {value: {writeText: async (text) => { window.copied = text; }}})`);
    await page.click(".code button");
    await page.until("window.copied");
    assert.equal(await page.get("copied"), "total = sum(range(101))  # <b>no markup</b>\nprint(total)");
  },

  async "reasoning is folded, with the time it took"() {
    await askAndWait("think");
    assert.match(await lastText(".reasoning summary"), /Thought for 0\.\d s/);
    assert.equal(await page.get(`${last(".reasoning")}.open`), false);
    await page.get(`${last(".reasoning summary")}.click()`);
    await page.until(`${last(".reasoning")}.open && ${last(".reasoning .prose")}.textContent === "先算首尾，再乘对数。"`);
    assert.equal(await page.get(`${last(".said")}.lang`), "en");
  },

  async "Escape stops an answer: the server sees it, what came is stored, and it goes on from there"() {
    await begin();
    await ask("slow");
    await page.until(`${last(".said")}.textContent.includes("word5 ")`);
    assert.equal(await page.get("document.activeElement.id"), "box");
    const gone = server.gone;
    await page.press("Escape");
    await page.until(isIdle);
    for (let i = 0; i < 100 && server.gone === gone; ++i) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(server.gone, gone + 1);
    assert.equal(await lastText(".notice"), "Stopped");
    const begun = (await shown()).at(-1);
    assert.ok((await stored()).some((text) => text.trim() === begun.trim()));
    await press("assistant", "go_on");
    await page.until(isIdle);
    assert.equal((await shown()).at(-1), begun.trimEnd() + " and the rest.");
    assert.equal(server.requests.at(-1).messages.at(-1).role, "assistant");
  },

  async "a changed question is a branch, another answer too, and all survive a reload"() {
    await begin();
    await askAndWait("first");
    await page.press("ArrowUp");
    await page.until("document.querySelector('.change textarea')");
    await page.get("document.querySelector('.change textarea').value = ''");
    await page.type("second");
    await page.press("Enter");
    await page.until(isIdle + " && document.querySelectorAll('.message').length === 2");
    assert.deepEqual(await shown(), ["second", "You said: second."]);
    assert.equal(await lastText(".user .versions span"), "2/2");
    assert.equal(await page.get("document.activeElement.id"), "box");
    await press("assistant", "again");
    await page.until(isIdle + ` && ${last(".assistant .versions span")}?.textContent === "2/2"`);
    await press("user", "earlier");
    assert.deepEqual(await shown(), ["first", "You said: first."]);
    await page.reload();
    await page.until("document.querySelectorAll('.message').length === 2");
    assert.deepEqual(await shown(), ["first", "You said: first."]);
    await press("user", "later");
    assert.deepEqual(await shown(), ["second", "You said: second."]);
    assert.equal(await lastText(".assistant .versions span"), "2/2");
  },

  async "a message is deleted with what comes after it, and comes back"() {
    await begin();
    await askAndWait("keep");
    await askAndWait("drop this");
    await press("user", "remove");
    await page.until("document.querySelectorAll('.message').length === 2");
    assert.ok(!(await stored()).includes("drop this"));
    assert.equal(await page.get("document.activeElement.id"), "box");
    await page.get("note.querySelector('button').click()");
    await page.until("document.querySelectorAll('.message').length === 4");
    assert.ok((await stored()).includes("drop this"));
  },

  async "a conversation is deleted, and comes back"() {
    const count = await page.get("document.querySelectorAll('#list .open').length");
    await page.click("#list .on .remove");
    await page.until(
        `document.querySelectorAll('#list .open').length === ${count - 1} && document.activeElement.closest("#note")`);
    assert.deepEqual([await shown(), (await stored()).includes("keep")], [[], false]);
    await page.press("Enter");
    await page.until("document.querySelectorAll('.message').length === 4");
    assert.ok((await stored()).includes("keep"));
  },

  async "what the server refuses is said at once and in words, and can be tried again"() {
    await begin();
    await ask("busy");
    await page.until("document.getElementById('alert').textContent.includes('try again in 7 s')");
    assert.deepEqual(await shown(), ["busy"]);
    assert.equal(await page.get("document.getElementById('alert').getAttribute('role')"), "alert");
    const before = server.requests.length;
    await page.get("document.querySelector('#alert button').click()");
    await page.until("document.getElementById('alert').textContent.includes('try again in 7 s')");
    assert.equal(server.requests.length, before + 1);
    await ask("full");
    await page.until("document.getElementById('alert').textContent.includes('longer than the model')");
    await begin();
    await ask("drop");
    await page.until("document.getElementById('alert').textContent.includes('connection to the server was lost')");
    assert.deepEqual(await shown(), ["drop", "You said:"]);
    assert.equal(await lastText(".notice"), "Stopped");
  },

  async "a key is asked for, sent, and kept for the tab alone"() {
    server.key = "secret";
    await page.reload();
    await page.until("document.getElementById('alert').textContent.includes('needs an API key')");
    await page.get("document.querySelector('#alert button').click()");
    await page.until("settings.open && document.activeElement.id === 'key'");
    await page.type("secret");
    await page.press("Enter");
    await page.until(
        "!settings.open && model.options.length === 2 && document.getElementById('alert').textContent === ''");
    assert.equal(await page.get("sessionStorage.getItem('tinyllm-key')"), "secret");
    assert.ok(!(await page.get("JSON.stringify(localStorage)")).includes("secret"));
    await begin();
    await askAndWait("with a key");
    assert.deepEqual(await shown(), ["with a key", "You said: with a key."]);
    server.key = "";
  },

  async "parameters are sent when they are set, and not after they are reset"() {
    await page.get("open_settings.click()");
    await page.get(`const field = document.querySelector("#parameters input");
        field.value = "0.25";
        field.dispatchEvent(new Event("input"))`);
    await choose("system", "be brief");
    await page.press("Escape");
    await page.until("!settings.open");
    await begin();
    await askAndWait("set");
    const {temperature, messages} = server.requests.at(-1);
    assert.deepEqual([temperature, messages[0]], [0.25, {role: "system", content: "be brief"}]);
    await page.get("open_settings.click(); reset.click(); settings.close()");
    await choose("system", "");
    await askAndWait("reset");
    assert.deepEqual(Object.keys(server.requests.at(-1)).sort(), ["messages", "model", "stream", "stream_options"]);
    assert.equal(server.requests.at(-1).messages[0].role, "user");
  },

  async "several conversations answer at once"() {
    await begin();
    await ask("slow");
    await page.until(`${last(".said")}.textContent.includes("word2 ")`);
    await begin();
    await askAndWait("markdown");
    assert.equal(await page.get("document.querySelectorAll('#list .news').length"), 1);
    await page.click("#list .news .open");
    await page.until(`${last(".said")}?.textContent.includes("word9 ")`);
    await page.click("#stop");
    await page.until(isIdle);
  },

  async "a search finds a message on another branch and shows it"() {
    await page.press("k", {ctrl: true});
    await page.until("document.activeElement.id === 'search'");
    await page.type("said second");
    await page.until("document.querySelectorAll('#list .open').length === 1");
    await page.click("#list .open");
    await page.until(`${last(".said")}.textContent === "You said: second."`);
    await page.get("search.value = ''; search.dispatchEvent(new Event('input'))");
    await page.until("document.querySelectorAll('#list .open').length > 1");
  },

  async "what is exported can be imported"() {
    await page.get(`window.saved = []; URL.createObjectURL = (blob) => { saved.push(blob); return "blob:none"; };
        HTMLAnchorElement.prototype.click = () => {}`);
    await page.get("export_one.click()");
    await page.until("saved.length === 1");
    const before = await page.get("document.querySelectorAll('#list .open').length");
    await page.get(`saved[0].text().then((text) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], "saved.json"));
      file.files = transfer.files;
      file.dispatchEvent(new Event("change"));
    })`);
    await page.until(`document.querySelectorAll('#list .open').length === ${before + 1}`);
    await page.until("document.getElementById('note').textContent.includes('imported: 1')");
    assert.deepEqual(await shown(), ["second", "You said: second."]);
    assert.equal(await lastText(".user .versions span"), "2/2");
  },

  async "the language and the theme change at once and stay"() {
    await choose("language", "zh-CN");
    assert.deepEqual(await page.get("[document.documentElement.lang, send.textContent, box.placeholder]"),
                     ["zh-CN", "发送", "输入消息…"]);
    assert.equal(await lastText(".user h2"), "你");
    const back = () => page.get("getComputedStyle(document.body).backgroundColor");
    await page.prefer("light");
    const light = await back();
    await page.prefer("dark");
    const dark = await back();
    assert.notEqual(light, dark);
    await choose("theme", "light");
    assert.equal(await back(), light);
    await page.reload();
    await page.until("model.options.length === 2");
    assert.equal(await back(), light);
    assert.equal(await page.get("send.textContent"), "发送");
    await choose("language", "en");
    await choose("theme", "auto");
  },

  async "everything can be reached and named by keyboard and screen reader"() {
    const unnamed =
        await page.get(`[...document.querySelectorAll("button, input:not([hidden]), select, textarea")].filter((one) =>
        !(one.textContent.trim() || one.getAttribute("aria-label") || one.labels?.length))
        .map((one) => one.outerHTML)`);
    assert.deepEqual(unnamed, []);
    const {nodes} = await page.send("Accessibility.getFullAXTree");
    const log = nodes.find((node) => node.role?.value === "log");
    assert.equal(log.name.value, "Messages");
    assert.equal(log.properties.find(({name}) => name === "live")?.value.value ?? "off", "off");
    assert.ok(nodes.some((node) => node.role?.value === "article" && node.name.value === "You"));
    assert.equal(
        await page.get("document.querySelector('a, button, input, select, textarea, [tabindex]').className"), "skip");
    await page.get("document.querySelector('.skip').focus()");
    assert.ok(await page.get("document.activeElement.getBoundingClientRect().top >= 0"));
    await page.press("Enter");
    await page.until("document.activeElement.id === 'box'");
    await page.press("/", {ctrl: true});
    await page.until("shortcuts.open");
    await page.press("Escape");
    await page.until("!shortcuts.open && document.activeElement.id === 'box'");
  },

  async "at 320 pixels nothing is wider than the screen, and targets are 44 pixels"() {
    await page.size(320, 640, true);
    await askAndWait("markdown");
    assert.ok(await page.get("document.documentElement.scrollWidth <= 320"));
    const wide = await page.get(
        `[...document.querySelectorAll(".message *")].filter((one) => !one.closest(".table, pre, math") &&
        one.getBoundingClientRect().right > 321).map((one) => one.tagName + "." + one.className)`);
    assert.deepEqual(wide, []);
    const small =
        await page.get(`[...document.querySelectorAll("button, select, summary, input:not([hidden])")].filter((one) => {
      const {width, height} = one.getBoundingClientRect();
      return width > 0 && (width < 43.9 || height < 43.9);
    }).map((one) => one.outerHTML)`);
    assert.deepEqual(small, []);
    await page.click("#show_side");
    await page.until("document.activeElement.id === 'new'");
    await page.press("Escape");
    await page.until("document.activeElement.id === 'show_side'");
    // As 1280 by 720 pixels at 200 %, and a phone held sideways.
    for (const [width, height] of [[640, 360], [568, 320]]) {
      await page.size(width, height, true);
      assert.ok(await page.get(`document.documentElement.scrollWidth <= ${width}`));
      assert.ok(await page.get("send.getBoundingClientRect().bottom <= innerHeight + 1"));
    }
    await page.size(1200, 800);
  },

  async "nothing moves where motion is not wanted"() {
    await begin();
    await ask("slow");
    await page.until("document.querySelector('.answering .said:empty')");
    assert.ok(await page.get("document.getAnimations().length > 0"));
    await page.prefer("light", "reduce");
    await page.until("document.getAnimations().length === 0");
    assert.equal(await page.get("document.querySelectorAll('.answering .said:empty').length"), 1);
    await page.press("Escape");
    await page.until(isIdle);
    await page.prefer("light");
  },

  async "the reader's place is kept while an answer grows"() {
    await begin();
    await askAndWait("long");
    const bottom = "log.scrollHeight - log.scrollTop - log.clientHeight";
    assert.ok(await page.get(`${bottom} < 5`));
    await ask("slow");
    await page.until(`${last(".said")}.textContent.includes("word9 ")`);
    await page.get("log.scrollTop = 100");
    await page.until("!new_text.hidden");
    assert.equal(await page.get("log.scrollTop"), 100);
    await page.click("#new_text");
    await page.until(`${bottom} < 5 && new_text.hidden`);
    await page.press("Escape");
    await page.until(isIdle);
  },

  async "with 200 messages no key takes the page more than a frame"() {
    await makeLong(200);
    await page.get("box.focus()");
    const longest = await longestTask(async () => {
      for (let i = 0; i < 40; ++i) await page.type(i % 10 === 9 ? "\n" : "字");
    });
    assert.ok((await page.get("box.value.length")) >= 36);
    console.log(`200 messages: the longest task while typing took ${longest.toFixed(1)} ms of processor time`);
    assert.ok(longest < kMaxFrame, `${longest} ms`);
  },

  async "the page stays within its policy, and no script fails"() {
    assert.deepEqual(await page.get("violations"), []);
    assert.deepEqual(page.errors, []);
  },
};

await run(tests, () => page.press("Escape"));
await browser.close();
server.stop();
