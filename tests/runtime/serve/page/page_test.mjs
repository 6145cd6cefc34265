// The files of the chat page and its texts: node page_test.mjs <folder of the page>
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import {load, run, source} from "./harness.mjs";

const {kParameters} = await load("parameters");
const words = await load("words");
const files = fs.readdirSync(source);
const read = (name) => fs.readFileSync(path.join(source, name), "utf8");

await run({
  "every text is in both languages, with the same blanks to fill in, and is used"() {
    const blanks = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort().join();
    const used = files.filter((name) => name !== "words.js" && /\.(js|html)$/.test(name)).map(read).join("\n") +
                 read("words.js").split("};").slice(1).join();
    const say = (language, name) => {
      words.speak(language);
      return words.say(name, new Proxy({}, {get: (_, key) => `{${String(key)}}`}));
    };
    for (const name of words.kWordNames) {
      assert.equal(blanks(say("zh-CN", name)), blanks(say("en", name)), name);
      const isUsed = used.includes(`"${name}"`) || kParameters.some((one) => one.name === name) ||
          ["lost", "unreachable"].includes(name);
      assert.ok(isUsed, `${name} is not used`);
    }
    assert.throws(() => words.say("nothing of this name"));
  },

  "durations, words, languages"() {
    words.speak("zh-CN");
    assert.deepEqual([0.44, 3, 12.3, 61].map(words.duration), ["0.4 秒", "3 秒", "12 秒", "1 分 1 秒"]);
    assert.equal(words.countWords("你好 world, it's 3"), 5);
    assert.deepEqual(
        ["zh-CN", "zh", "en-GB", "fr"].map((one) => words.preferred([one])), ["zh-CN", "zh-CN", "en", "en"]);
    assert.deepEqual(["答案是 x", "the answer", "42"].map(words.languageOf), ["zh-CN", "en", ""]);
  },

  // WCAG 2, 1.4.3: 4.5 to 1.
  "text stands out from what is behind it, in both themes"() {
    const colours = [...read("style.css").matchAll(/--([\w-]+): light-dark\(#(\w{6}), #(\w{6})\)/g)];
    const table = Object.fromEntries(colours.map(([, name, light, dark]) => [name, [light, dark]]));
    const luminance = (hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
        .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const contrast = (a, b) => {
      const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
      return (high + 0.05) / (low + 0.05);
    };
    const pairs = [
      ["text", "back"], ["text", "card"], ["text", "mine"], ["text", "code"], ["faint", "back"], ["faint", "card"],
      ["faint", "code"], ["faint", "line"], ["accent", "back"], ["accent", "card"], ["on-accent", "accent"],
      ["alarm", "alarm-back"], ["alarm", "card"]
    ];
    for (const [front, back] of pairs) {
      for (const theme of [0, 1]) {
        const ratio = contrast(table[front][theme], table[back][theme]);
        assert.ok(ratio >= 4.5, `${front} on ${back}: ${ratio.toFixed(2)}`);
      }
    }
    for (const theme of [0, 1]) assert.ok(contrast(table.field[theme], table.card[theme]) >= 3);  // WCAG 2, 1.4.11.
  },

  "the page is small, asks nobody else, and makes no markup of text"() {
    const assets = files.filter((name) => name !== "README.md");
    const total = assets.reduce((sum, name) => sum + fs.statSync(path.join(source, name)).size, 0);
    assert.ok(total < 150_000, `${total} bytes`);
    for (const name of assets) {
      const text = read(name);
      assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, name);
      assert.doesNotMatch(text, /<script>|<style|\sstyle=|\son\w+="/, name);
      assert.ok([...text.matchAll(/https?:\/\/[\w.]+/g)].every(([address]) => address === "http://www.w3.org"), name);
    }
    const loaded =
        new Set(assets.flatMap((name) => [...read(name).matchAll(/(?:from |src=|href=)"(?:\.\/)?([\w.]+)"/g)])
                    .map(([, name]) => name));
    for (const name of assets) assert.ok(name === "index.html" || loaded.has(name), `${name} is not loaded`);
  },
});
