// Chromium over the DevTools protocol, through a pipe: no library is needed.
import {spawn} from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

export function findChromium() {
  const folders = (process.env.PATH ?? "").split(":");
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    const folder = folders.find((one) => fs.existsSync(path.join(one, name)));
    if (folder) return path.join(folder, name);
  }
  return null;
}

export class Browser {
  constructor(program) {
    this.profile = fs.mkdtempSync(path.join(os.tmpdir(), "tinyllm-page-"));
    const options = [
      "--headless", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage",
      "--user-data-dir=" + this.profile, ...(process.getuid() === 0 ? ["--no-sandbox"] : [])
    ];
    this.process = spawn(program, options, {stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"]});
    this.input = this.process.stdio[3];
    this.waiting = new Map();
    this.listeners = [];
    this.count = 0;
    this.process.once("exit", (code) => {
      for (const {reject} of this.waiting.values()) reject(new Error(`Chromium ended with exit code ${code}`));
    });
    for (const pipe of this.process.stdio.slice(3)) pipe.on("error", () => {});  // The exit code says more.
    let rest = "";
    this.process.stdio[4].setEncoding("utf8").on("data", (text) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop();
      for (const message of messages) this.take(JSON.parse(message));
    });
  }

  take(message) {
    if (message.id === undefined) return this.listeners.forEach((listener) => listener(message));
    const {resolve, reject} = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    return message.error ? reject(new Error(message.error.message)) : resolve(message.result);
  }

  send(method, params = {}, sessionId = undefined) {
    const id = ++this.count;
    this.input.write(JSON.stringify({id, method, params, sessionId}) + "\0");
    return new Promise((resolve, reject) => this.waiting.set(id, {resolve, reject}));
  }

  async newPage(url) {
    const {targetId} = await this.send("Target.createTarget", {url: "about:blank"});
    const {sessionId} = await this.send("Target.attachToTarget", {targetId, flatten: true});
    const page = new Page(this, sessionId);
    for (const domain of ["Page", "Runtime", "Log"]) await page.send(domain + ".enable");
    await page.send("Page.addScriptToEvaluateOnNewDocument", {
      source: `
      window.violations = [];
      addEventListener("securitypolicyviolation", ({violatedDirective, blockedURI}) =>
          violations.push(violatedDirective + " " + blockedURI));`
    });
    await page.go(url);
    return page;
  }

  async close() {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    await this.send("Browser.close").catch(() => {});
    await ended;
    fs.rmSync(this.profile, {recursive: true, force: true, maxRetries: 5});
  }
}

const kKeys = {Enter: 13, Escape: 27, ArrowUp: 38, Tab: 9, k: 75, n: 78, "/": 191};

export class Page {
  constructor(browser, sessionId) {
    Object.assign(this, {browser, sessionId});
    this.errors = [];
    browser.listeners.push((message) => {
      if (message.sessionId !== sessionId) return;
      if (message.method === "Runtime.exceptionThrown")
        this.errors.push(
            message.params.exceptionDetails.exception?.description ?? message.params.exceptionDetails.text);
    });
  }

  send(method, params) { return this.browser.send(method, params, this.sessionId); }

  once(method) {
    return new Promise((resolve) => {
      const listener = (message) => {
        if (message.method !== method || message.sessionId !== this.sessionId) return;
        this.browser.listeners.splice(this.browser.listeners.indexOf(listener), 1);
        resolve(message.params);
      };
      this.browser.listeners.push(listener);
    });
  }

  async go(url) {
    const loaded = this.once("Page.loadEventFired");
    await this.send("Page.navigate", {url});
    await loaded;
  }

  async reload() {
    const loaded = this.once("Page.loadEventFired");
    await this.send("Page.reload");
    await loaded;
  }

  // The value of an expression.
  async get(expression) {
    const {result, exceptionDetails} =
        await this.send("Runtime.evaluate", {expression, returnByValue: true, awaitPromise: true, userGesture: true});
    if (exceptionDetails)
      throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
    return result.value;
  }

  // Waits until an expression holds.
  async until(expression, seconds = 20) {
    for (const end = Date.now() + 1000 * seconds; Date.now() < end;) {
      if (await this.get(expression)) return;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    throw new Error(`never true: ${expression}\n` + await this.get("document.body.innerText.slice(-1500)"));
  }

  async type(text) {
    for (const letter of text) await this.send("Input.dispatchKeyEvent", {type: "char", text: letter});
  }

  async press(key, {alt = false, ctrl = false, shift = false} = {}) {
    const text = key === "Enter" ? "\r" : undefined, code = /^[a-z]$/.test(key) ? "Key" + key.toUpperCase() : key;
    const event = {key, code, modifiers: +alt + 2 * ctrl + 8 * shift, windowsVirtualKeyCode: kKeys[key], text};
    await this.send("Input.dispatchKeyEvent", {type: "keyDown", ...event});
    await this.send("Input.dispatchKeyEvent", {type: "keyUp", ...event, text: undefined});
  }

  // As an input method does while its candidates are open.
  compose(text) {
    return this.send("Input.imeSetComposition", {text, selectionStart: text.length, selectionEnd: text.length});
  }

  // The first of the elements that a person could click.
  async click(selector) {
    await this.until(`!!document.querySelector(${JSON.stringify(selector)})`);
    const [x, y] = await this.get(`(() => {
      const one = document.querySelector(${JSON.stringify(selector)});
      one.scrollIntoView({block: "nearest"});
      const box = one.getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
    })()`);
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.send("Input.dispatchMouseEvent", {type, x, y, button: "left", clickCount: 1});
    }
  }

  async screenshot(file) {
    const {data} = await this.send("Page.captureScreenshot", {format: "png"});
    fs.writeFileSync(file, Buffer.from(data, "base64"));
  }

  size(width, height, mobile = false) {
    return this.send("Emulation.setDeviceMetricsOverride", {width, height, deviceScaleFactor: mobile ? 2 : 1, mobile});
  }

  // "light" or "dark", and whether motion is wanted, as the system says.
  prefer(scheme, motion = "no-preference") {
    return this.send("Emulation.setEmulatedMedia", {features: [{name: "prefers-color-scheme", value: scheme},
                                                               {name: "prefers-reduced-motion", value: motion}]});
  }
}
