// The lines of a metrics.jsonl as columns.

const number = (value) => typeof value === "number" ? value
    : value === "inf" ? Infinity : value === "-inf" ? -Infinity : NaN;
const isObject = (value) => typeof value === "object" && value !== null;

// A moving average over a hundredth of the run, and over less where a stage begins and the loss falls fast. A peak
// counts as twice the average at most. starts: the indices where a new stage begins.
function smoothed(values, starts = []) {
  const most = Math.max(20, values.length / 100), isStart = new Set(starts);
  let mean = NaN, weight = 0, start = 0;
  return values.map((value, i) => {
    if (isStart.has(i)) [mean, weight, start] = [NaN, 0, i];
    if (!Number.isFinite(value)) return mean;
    const keep = 1 - 1 / Math.max(2, Math.min((i - start) / 10, most));
    weight = keep * weight + 1;
    mean = weight === 1 ? value : mean + (Math.min(value, 2 * Math.abs(mean)) - mean) / weight;
    return mean;
  });
}

class Log {
  constructor() { this.clear(); }

  clear() {
    this.steps = {step: [], tokens: [], time: [], loss: [], grad_norm: [], lr: [], tokens_per_second: [],
                  fraction_of_peak: [], seq_len: []};
    this.means = {step: [], tokens: [], time: [], loss: [], grad_norm: []};  // Of buckets of steps, in a report.
    this.smoothed = this.steps;
    this.held = {step: [], validation_loss: [], perplexity: [], bits_per_byte: []};
    this.best = [];     // The steps of the lowest validation loss so far.
    this.samples = [];
    this.events = [];
    this.stages = [];   // The first step of each stage,
    this.lengths = [];  // the first of each row length except the first length,
    this.resumes = [];  // the last before each stop after which the run continued.
    this.run = {};
    this.mix = [];
    this.last = {};
  }

  // Takes a line. One that is cut off or not an object is ignored.
  add(text) {
    let line;
    try { line = JSON.parse(text); } catch { return; }
    if (!isObject(line) || typeof line.step !== "number") return;
    if (isObject(line.run)) this.addRun(line.run);
    if (Array.isArray(line.mix)) this.mix = line.mix.filter(isObject);
    if ("loss" in line) this.addStep(line);
    if ("validation_loss" in line) this.addHeldOut(line);
    if ("prompt" in line && "sample" in line) this.samples.push(line);
    if ("event" in line) this.events.push(line);
  }

  addRun(run) {
    if (this.steps.step.length) this.resumes.push({step: this.steps.step.at(-1)});
    this.run = run;
  }

  addStep(line) {
    const {steps} = this, count = steps.step.length;
    if (count && line.step <= steps.step[count - 1]) { this.forget(line.step - 1); return this.addStep(line); }
    if ("stage" in line && line.stage !== this.stages.at(-1)?.stage) this.stages.push(line);
    const length = steps.seq_len.at(-1);
    if (length > 0 && line.seq_len > 0 && line.seq_len !== length) this.lengths.push(line);
    const before = count ? steps.tokens[count - 1] : 0;
    const tokens = typeof line.tokens === "number" ? line.tokens : before;
    const speed = number(line.tokens_per_second);
    const took = speed > 0 && tokens > before ? (tokens - before) / speed : 0;
    for (const name in steps) steps[name].push(number(line[name]));
    steps.tokens[count] = tokens;
    steps.time[count] = took + (count ? steps.time[count - 1] : 0);
    if (isObject(line.mean)) this.addMean(line.mean);
    this.last = line;
  }

  // The mean of the bucket that the last step ends.
  addMean(mean) {
    for (const name of ["step", "tokens", "time"]) this.means[name].push(this.steps[name].at(-1));
    for (const name of ["loss", "grad_norm"]) this.means[name].push(number(mean[name]));
  }

  // A run that was stopped right after a validation may have made it twice.
  addHeldOut(line) {
    const {held} = this, isAgain = held.step.at(-1) === line.step;
    for (const name in held) {
      if (isAgain) held[name].pop();
      held[name].push(number(line[name]));
    }
    if (line.best === true) this.best.push(line);
  }

  // Drops what comes after a step: a run that continues from there writes it again.
  forget(step) {
    for (const table of [this.steps, this.means, this.held]) {
      const keep = table.step.filter((at) => at <= step).length;
      for (const name in table) table[name].length = keep;
    }
    for (const name of ["best", "samples", "events", "stages", "lengths", "resumes"])
      this[name] = this[name].filter((line) => line.step <= step);
  }

  smooth() {
    const table = this.means.step.length ? this.means : this.steps, starts = this.starts(table);
    this.smoothed = {...table};
    for (const name of ["loss", "grad_norm"]) this.smoothed[name] = smoothed(table[name], starts);
  }

  // The indices in a table where a stage after the first begins: curves have a gap there.
  starts(table) {
    return this.stages.slice(1).map((stage) => table.step.findIndex((step) => step >= stage.step)).filter((i) => i > 0);
  }

  // The steps that are done as a fraction of those of all stages; NaN if they are not known.
  progress() { return number(this.last.step) / Number(this.run.steps); }

  // Where the steps of a table are on an axis: "step", "tokens" or "time".
  places(table, axis) {
    if (axis in table) return table[axis];
    return table.step.map((step) => this.place(step, axis));
  }

  place(step, axis) {
    return axis === "step" ? step : this.steps[axis][indexAt(this.steps.step, step)] ?? 0;
  }

  // The index of the best validation, or -1 where none is known.
  bestHeldOut() { return this.held.step.indexOf(this.best.at(-1)?.step); }

  prompts() { return [...new Set(this.samples.map((line) => line.prompt))]; }

  // For each step with samples, newest first: the answer to each prompt, null if the prompt was not asked.
  samplesByStep(prompts) {
    const rows = new Map();
    for (const {step, prompt, sample} of this.samples) {
      if (!rows.has(step)) rows.set(step, new Map());
      rows.get(step).set(prompt, sample);
    }
    return [...rows].sort((a, b) => b[0] - a[0])
        .map(([step, said]) => ({step, samples: prompts.map((prompt) => said.get(prompt) ?? null)}));
  }
}
