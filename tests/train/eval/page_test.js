// What the page of an evaluation draws: node page_test.js <folder of the page>
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");

// An element without a browser.
class Fake {
  constructor(name) {
    Object.assign(this, {name, attributes: {}, children: [], style: {}, textContent: "", listeners: []});
  }
  appendChild(child) {
    this.children.push(child);
    return child;
  }
  append(...texts) { this.textContent += texts.join(""); }
  replaceChildren() { this.children = []; }
  setAttribute(name, value) {
    assert.notEqual(String(value), "NaN", `${this.name}: ${name}`);
    assert.ok(!String(value).includes("NaN"), `${this.name}: ${name}: ${value}`);
    this.attributes[name] = value;
  }
  addEventListener(name, listener) { this.listeners.push(listener); }
  get value() { return this.chosen ?? this.children[0]?.ownValue; }
  set value(value) { this.ownValue = value; }
  all(name) { return this.children.flatMap((child) => [...(child.name === name ? [child] : []), ...child.all(name)]); }
  text() { return this.textContent + " " + this.children.map((child) => child.text()).join(" "); }
}

// The page with these results: its sets and its settings.
function shown(results) {
  const parts = {results: new Fake("script"), model: new Fake("h1"), sets: new Fake("div"), list: new Fake("dl")};
  parts.results.textContent = JSON.stringify(results);
  const fake = {
    getElementById: (id) => parts[id], querySelector: () => parts.list,
    createElement: (name) => new Fake(name), createElementNS: (_, name) => new Fake(name),
  };
  new Function("document", fs.readFileSync(path.join(process.argv[2], "plots.js"), "utf8"))(fake);
  return parts;
}

const problems = {
  name: "sums", task: "answer", questions: 10, answered: 9, seen: 2, chance: 0,
  scores: {
    greedy: [0.5, 0.2, 0.8, 9], sampled: [0.4, 0.3, 0.5, 9], vote_3: [0.6, 0.3, 0.8, 9], vote_5: [0.7, 0.4, 0.9, 9],
    vote_3_checked: [0.7, 0.4, 0.9, 9], vote_3_corrected: [0.8, 0.5, 1, 9], vote_5_corrected: [0.9, 0.6, 1, 9], pass_3: [0.8, 0.5, 1, 9], unknown: [1, 1, 1, 9],
  },
  kinds: {a: {greedy: [1, 0.5, 1, 4]}, b: {greedy: [0, 0, 0.4, 5], forced: [1, 0.4, 1, 5]}},
};
const choice = {
  name: "fruit", task: "choice", questions: 4, answered: 4, seen: 0, chance: 0.25,
  scores: {letter: [0.25, 0.05, 0.7, 4], text: [1, 0.5, 1, 4]}, kinds: {},
};
const text = {name: "corpus", task: "text", perplexity: 12.3456, bits_per_byte: 1.5, tokens: 100};

const tests = {
  "every score has its point at its value, and its name"() {
    const {sets, model, list} = shown({model: "my-model", settings: {shots: "5"}, sets: [problems]});
    assert.equal(model.textContent, "my-model");
    assert.match(list.text(), /shots\s+5/);
    const [scores, votes, kinds] = sets.all("svg");
    assert.equal(scores.all("circle").length, 9);
    const at = scores.all("circle").map((dot) => dot.attributes.cx);
    assert.ok(at[1] < at[0] && at[0] < at[2] && at[8] > at[7]);
    for (const name of ["贪心 · greedy", "投票 3 · vote", "投票，检查等式 3 · checked", "unknown", "50.0 %"]) {
      assert.ok(scores.text().includes(name), name);
    }
    assert.match(sets.text(), /9 \/ 10/);
    assert.match(sets.text(), /2 题在训练数据里/);
    // vote has 1, 3 and 5 chains; checked and any right 1 and 3; corrected 3 and 5, as one chain is not corrected.
    assert.deepEqual(votes.all("polyline").map((line) => line.attributes.points.split(" ").length), [3, 2, 2, 2]);
    const [checked, corrected] = votes.all("polyline").slice(1).map((line) => parseFloat(line.attributes.points));
    assert.ok(corrected > checked);
    // By kind, the lowest first; another score shows the kinds that have it.
    assert.deepEqual(kinds.all("text").map((one) => one.textContent).filter((one) => /^[ab]$/.test(one)), ["b", "a"]);
    const select = sets.all("select")[0];
    select.chosen = "forced";
    select.listeners[0]();
    assert.equal(sets.all("svg")[2].all("circle").length, 1);
  },
  "chance is a line, and a score at chance is faint"() {
    const {sets} = shown({model: "m", settings: {}, sets: [choice]});
    const [scores] = sets.all("svg");
    assert.equal(scores.all("line").filter((line) => line.attributes.class === "chance").length, 1);
    assert.deepEqual(scores.all("circle").map((dot) => dot.attributes.fill), ["var(--faint)", "var(--one)"]);
    assert.equal(sets.all("svg").length, 1);
    assert.match(sets.text(), /25\.0 %/);
  },
  "a text, and nothing"() {
    assert.match(shown({model: "m", settings: {}, sets: [text]}).sets.text(), /12\.346, 1\.5000 bits per byte, 100/);
    assert.equal(shown({model: "m", settings: {}, sets: []}).sets.children.length, 0);
    assert.equal(shown({model: "m", settings: {}, sets: [{...choice, scores: {}, answered: 0}]}).sets.all("circle").length, 0);
  },
};
for (const [name, test] of Object.entries(tests)) {
  test();
  console.log("ok", name);
}
