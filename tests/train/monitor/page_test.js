// The parts of the page of a run that compute: node page_test.js <folder of the page>
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");

const read = (name) => fs.readFileSync(path.join(process.argv[2], name + ".js"), "utf8");
const {Log, Chart, smoothed, short, clock, ticks, indexAt, limitsOf} = new Function(
    read("chart") + read("log") + "return {Log, Chart, smoothed, short, clock, ticks, indexAt, limitsOf};")();

// An element without a browser; a canvas has a pen that records what it draws, and wants numbers.
function fakeElement() {
  const drawn = [], calls = [];
  const pen = new Proxy({}, {get: (target, name) => target[name] ?? ((...given) => {
    const numbers = given.filter((value) => typeof value === "number");
    assert.ok(numbers.every(Number.isFinite), `${name}(${given})`);
    drawn.push(name);
    calls.push([name, ...given]);
  })});
  return {
    drawn, calls, style: {}, clientWidth: 600, clientHeight: 200, getContext: () => pen,
    appendChild: (child) => child, append() {}, replaceChildren() {}, addEventListener() {},
  };
}
globalThis.document = {createElement: fakeElement};
globalThis.devicePixelRatio = 1;
globalThis.getComputedStyle = () => ({getPropertyValue: () => "#000"});

function logOf(...lines) {
  const log = new Log();
  for (const line of lines) log.add(typeof line === "string" ? line : JSON.stringify(line));
  return log;
}
const step = (step, more = {}) => ({step, stage: "one", loss: 3, tokens: 100 * step, tokens_per_second: 50, ...more});

const tests = {
  "lines that are cut off or no objects say nothing"() {
    const log = logOf('{"step":1,"lo', "[1]", "null", "7", "", {loss: 1}, {step: "1", loss: 1});
    assert.deepEqual(log.steps.step, []);
    assert.deepEqual(log.last, {});
  },

  "steps become columns, with NaN for what is missing"() {
    const log = logOf(step(1, {loss: "inf"}), step(2, {fraction_of_peak: 0.5}), step(3, {loss: "nan"}));
    assert.deepEqual(log.steps.loss, [Infinity, 3, NaN]);
    assert.deepEqual(log.steps.fraction_of_peak, [NaN, 0.5, NaN]);
    assert.deepEqual(log.steps.time, [2, 4, 6]);
  },

  "a run that continues keeps what came before, and shows where it continued"() {
    const log = logOf({step: 0, run: {a: "1"}}, step(1), step(2), {step: 0, run: {a: "2"}}, step(3));
    assert.deepEqual(log.steps.step, [1, 2, 3]);
    assert.deepEqual(log.resumes, [{step: 2}]);
    assert.deepEqual(log.run, {a: "2"});
  },

  "steps that are written again replace those from there on"() {
    const log = logOf(step(1), step(2), {step: 2, validation_loss: 3, best: true}, {step: 2, event: "e"}, step(3),
                      step(2, {loss: 9}));
    assert.deepEqual(log.steps.step, [1, 2]);
    assert.deepEqual(log.steps.loss, [3, 9]);
    assert.deepEqual([log.held.step, log.best, log.events], [[], [], []]);
  },

  "a validation that is made again replaces the one of its step"() {
    const log = logOf({step: 5, validation_loss: 4}, {step: 9, validation_loss: 3}, {step: 9, validation_loss: 2});
    assert.deepEqual(log.held.step, [5, 9]);
    assert.deepEqual(log.held.validation_loss, [4, 2]);
    assert.deepEqual(log.held.bits_per_byte, [NaN, NaN]);
  },

  "the best validation is the last that was the lowest so far"() {
    assert.equal(logOf().bestHeldOut(), -1);
    assert.equal(logOf({step: 5, validation_loss: 4}).bestHeldOut(), -1);
    const log = logOf({step: 5, validation_loss: 4, best: true}, {step: 9, validation_loss: 3, best: true},
                      {step: 12, validation_loss: 3.5});
    assert.equal(log.bestHeldOut(), 1);
  },

  "stages and changes of length are marked where they begin"() {
    const log = logOf(step(1, {seq_len: 8}), step(2, {seq_len: 8}), step(3, {seq_len: 16}),
                      step(4, {stage: "two", seq_len: 16}));
    assert.deepEqual(log.stages.map((line) => line.step), [1, 4]);
    assert.deepEqual(log.lengths.map((line) => line.step), [3]);
    assert.deepEqual(logOf(step(1), step(2)).lengths, []);
  },

  "progress is steps of all stages, and unknown without their number"() {
    const run = {step: 0, run: {steps: "8"}};
    assert.equal(logOf(run, step(2)).progress(), 0.25);
    assert.equal(logOf(run, step(2), step(8, {stage: "two", tokens_per_second: 1e-3})).progress(), 1);
    assert.deepEqual(logOf(step(2)).progress(), NaN);
    assert.deepEqual(logOf(run).progress(), NaN);
  },

  "curves have a gap where a stage begins, also those of validations"() {
    const log = logOf(step(1), step(2), {step: 2, validation_loss: 3}, step(3, {stage: "two"}), step(4, {stage: "two"}),
                      {step: 4, validation_loss: 3}, step(5, {stage: "three"}));
    assert.deepEqual(log.starts(log.steps), [2, 4]);
    assert.deepEqual(log.starts(log.held), [1]);
  },

  "the smoothed line of a report follows the means of its buckets"() {
    const mean = (loss) => ({mean: {loss, grad_norm: 1}});
    const log = logOf(step(1), step(10, mean(2)), step(11), step(20, mean(2)), step(21, {stage: "two"}),
                      step(30, {stage: "two", ...mean(7)}));
    log.smooth();
    assert.deepEqual(log.smoothed.step, [10, 20, 30]);
    assert.deepEqual(log.smoothed.tokens, [1000, 2000, 3000]);
    assert.deepEqual(log.smoothed.loss, [2, 2, 7]);
    log.forget(20);
    assert.deepEqual(log.means.step, [10, 20]);
  },

  "samples are a table, newest first, with the last word on each prompt"() {
    const said = (step, prompt, sample) => ({step, prompt, sample});
    const log = logOf(said(5, "a", "1"), said(5, "b", "2"), said(9, "a", "3"), said(9, "a", ""),
                      {step: 9, sample: "?"});
    assert.deepEqual(log.prompts(), ["a", "b"]);
    assert.deepEqual(log.samplesByStep(["a", "b"]), [{step: 9, samples: ["", null]}, {step: 5, samples: ["1", "2"]}]);
    assert.deepEqual(log.samplesByStep(["b"]), [{step: 9, samples: [null]}, {step: 5, samples: ["2"]}]);
  },

  "the mix is a list of objects or nothing"() {
    assert.deepEqual(logOf({step: 0, mix: [{name: "a"}, null, 7]}).mix, [{name: "a"}]);
    assert.deepEqual(logOf({step: 0, mix: "a"}).mix, []);
  },

  "places on the axes follow the steps, also of validations"() {
    const log = logOf(step(1), step(2), {step: 2, validation_loss: 3}, step(3));
    assert.deepEqual(log.places(log.steps, "tokens"), [100, 200, 300]);
    assert.deepEqual(log.places(log.held, "step"), [2]);
    assert.deepEqual(log.places(log.held, "time"), [4]);
    assert.equal(logOf({step: 0, validation_loss: 3}).place(0, "tokens"), 0);
  },

  "the smoothed line is a constant's own, follows a change, and hardly a peak or a gap"() {
    const line = (at) => smoothed(Array.from({length: 2000}, (_, i) => at(i)));
    assert.ok(line(() => 3).every((value) => Math.abs(value - 3) < 1e-9));
    assert.ok(Math.abs(line((i) => i < 1000 ? 4 : 2).at(-1) - 2) < 1e-3);
    const peak = line((i) => i === 1000 ? 1e9 : 3);
    assert.ok(peak.every((value) => value >= 3 - 1e-9 && value <= 3.2));
    assert.equal(line((i) => i === 1000 ? NaN : 3)[1000], line(() => 3)[999]);
    assert.deepEqual(smoothed([NaN, 2]), [NaN, 2]);
    assert.deepEqual(smoothed([4, 4, 1, 1], [2]), [4, 4, 1, 1]);
    assert.deepEqual(smoothed([]), []);
  },

  "the limits of a noisy line leave out its outermost hundredth"() {
    const fits = Number.isFinite, values = Array.from({length: 500}, (_, i) => i === 250 ? 1e6 : i % 10);
    assert.deepEqual(limitsOf(values, 0, 500, false, fits), [0, 1e6]);
    assert.deepEqual(limitsOf(values, 0, 500, true, fits), [0, 9]);
    assert.deepEqual(limitsOf(values, 0, 5, true, fits), [0, 4]);
    assert.deepEqual(limitsOf([NaN, Infinity], 0, 2, true, fits), [Infinity, -Infinity]);
  },

  "a chart draws whatever its lines hold, at places that are numbers"() {
    const many = Array.from({length: 5000}, (_, i) => i + 1);
    for (const [xs, ys] of [[[], []], [[1], [3]], [[1, 2, 3], [NaN, Infinity, 0]], [[1, 2], [-1, 0]], [[1, 2], [5, 5]],
                            [many, many.map(Math.sin)], [[1, 2], [1e-30, 1e30]]]) {
      for (const log of [false, true]) {
        const line = {name: "a · b", color: "--a", get: () => [xs, ys], dots: true, isNoisy: true, best: () => 0};
        const chart = new Chart(fakeElement(), {lines: [line], wide: true, log, onHover() {}});
        const marks = [{x: 1, color: "--a", text: "a"}, {x: 1, color: "--a", text: ""}];
        chart.draw({range: [0, xs.at(-1) ?? 1], marks, formatX: short, ticksX: ticks});
        for (const at of [null, 0, 1]) chart.point(at, "");
        assert.ok(chart.canvas.drawn.includes("fillText"));
        assert.ok(chart.canvas.drawn.filter((name) => name === "lineTo").length < 10000);
      }
    }
  },

  "a line has a gap before each of its starts"() {
    const moves = (starts, dots) => {
      const xs = Array.from({length: 100}, (_, i) => i);
      const line = {name: "", color: "--a", dots, get: () => [xs, xs.map((x) => x === 50 ? NaN : x), starts]};
      const chart = new Chart(fakeElement(), {lines: [line], onHover() {}});
      chart.draw({range: [0, 99], marks: [], formatX: short, ticksX: () => []});
      const calls = chart.canvas.calls, from = calls.findIndex(([name]) => name === "clip");
      return calls.slice(from).filter(([name]) => name === "moveTo").map(([, x]) => Math.round((x - 46) / 544 * 99));
    };
    for (const dots of [true, false]) {
      assert.deepEqual(moves([], dots), [0]);
      assert.deepEqual(moves([30, 50], dots), [0, 30, 51]);
    }
  },

  "the last point is drawn whole"() {
    const line = {name: "", color: "--a", dots: true, best: () => 1, get: () => [[1, 2], [3, 4]]};
    const chart = new Chart(fakeElement(), {lines: [line], onHover() {}});
    chart.draw({range: [0, 2], marks: [], formatX: short, ticksX: ticks});
    const {calls} = chart.canvas, [, left, top, width, height] = calls.find(([name]) => name === "rect");
    for (const [, x, y, radius] of calls.filter(([name]) => name === "arc")) {
      assert.ok(x - radius >= left && x + radius + 1 <= left + width, `${x} of ${left} + ${width}`);
      assert.ok(y - radius >= top && y + radius + 1 <= top + height, `${y} of ${top} + ${height}`);
    }
    assert.ok(calls.filter(([name]) => name === "arc").length === 3);
  },

  "numbers and times are short"() {
    const numbers = [[undefined, "–"], [NaN, "–"], [Infinity, "∞"], [0, "0"], [3.14159, "3.142"], [12345, "12.35k"],
                     [2.5e9, "2.5B"], [0.0001, "1e-4"]];
    for (const [value, text] of numbers) assert.equal(short(value), text);
    for (const [seconds, text] of [[5, "0:05"], [65, "1:05"], [3600, "1:00:00"]]) assert.equal(clock(seconds), text);
  },

  "ticks are round and within"() {
    assert.deepEqual(ticks(0, 10, 5), [0, 2, 4, 6, 8, 10]);
    assert.deepEqual(ticks(3, 11, 4), [4, 6, 8, 10]);
  },

  "the index of a value is that of the last one not above it"() {
    assert.deepEqual([0, 1, 1.5, 3, 9].map((value) => indexAt([1, 2, 3], value)), [0, 0, 0, 2, 2]);
  },
};

for (const [name, test] of Object.entries(tests)) {
  try {
    test();
  } catch (error) {
    console.error(`${name}:\n${error.stack}`);
    process.exitCode = 1;
  }
}
