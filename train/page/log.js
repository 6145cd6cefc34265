// What the lines of a metrics.jsonl say, in columns.

const number = (value) => typeof value === "number" ? value
    : value === "inf" ? Infinity : value === "-inf" ? -Infinity : NaN;

class Log {
  constructor() { this.clear(); }

  clear() {
    this.steps = {step: [], tokens: [], time: [], loss: [], smooth: [], grad_norm: [], rate: [], tokens_per_second: [],
                  fraction_of_peak: []};
    this.held = {step: [], held_out_loss: [], perplexity: [], bits_per_byte: []};
    this.samples = [];
    this.events = [];
    this.stages = [];
    this.run = {};
    this.data = [];
    this.last = {};
  }

  // Takes a line; one that is cut off or no object says nothing.
  add(text) {
    let line;
    try { line = JSON.parse(text); } catch { return; }
    if (line === null || typeof line !== "object" || typeof line.step !== "number") return;
    if (typeof line.run === "object" && line.run) {
      this.forget(line.step);
      this.run = line.run;
      this.data = Array.isArray(line.data) ? line.data.filter((part) => part && typeof part === "object") : [];
    }
    if ("loss" in line) this.addStep(line);
    if ("held_out_loss" in line || "perplexity" in line || "bits_per_byte" in line) {
      for (const name in this.held) this.held[name].push(number(line[name]));
    }
    if ("sample" in line) this.samples.push(line);
    if ("event" in line) this.events.push(line);
  }

  addStep(line) {
    const {steps} = this, count = steps.step.length;
    if (count && line.step <= steps.step[count - 1]) { this.forget(line.step - 1); return this.addStep(line); }
    if ("stage" in line && line.stage !== this.stages.at(-1)?.stage) this.stages.push(line);
    const before = count ? steps.tokens[count - 1] : 0;
    const tokens = typeof line.tokens === "number" ? line.tokens : before;
    const speed = number(line.tokens_per_second);
    const took = speed > 0 && tokens > before ? (tokens - before) / speed : 0;
    for (const name in steps) steps[name].push(number(line[name]));
    steps.tokens[count] = tokens;
    steps.time[count] = took + (count ? steps.time[count - 1] : 0);
    this.last = line;
  }

  // Drops what comes after a step: a run that goes on from there writes it again.
  forget(step) {
    for (const table of [this.steps, this.held]) {
      const keep = table.step.filter((at) => at <= step).length;
      for (const name in table) table[name].length = keep;
    }
    for (const name of ["samples", "events", "stages"]) this[name] = this[name].filter((line) => line.step <= step);
  }

  // A mean that forgets: over a hundredth of the run, and over less at its start, where the loss falls fast.
  smooth() {
    const {loss, smooth} = this.steps;
    let sum = 0, weight = 0;
    loss.forEach((value, i) => {
      const keep = 1 - 1 / Math.max(4, Math.min(i / 10, loss.length / 100));
      if (Number.isFinite(value)) { sum = keep * sum + value; weight = keep * weight + 1; }
      smooth[i] = weight ? sum / weight : NaN;
    });
  }

  // Where steps are on an axis: "step", "tokens" or "time".
  places(at, axis) {
    if (axis === "step") return at;
    return at.map((step) => this.steps[axis][indexAt(this.steps.step, step)] ?? 0);
  }
}
