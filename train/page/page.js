// The page itself: shows a Log, which is in the page (a report) or is asked for again and again (live).

const kPoll = 2000;  // Milliseconds.
const $ = (id) => document.getElementById(id);
const log = new Log();
const view = {axis: "step", scale: "linear", at: null, isLive: $("metrics").textContent === "", age: 0, isGone: false};

function element(parent, name, text = "", kind = "") {
  const made = parent.appendChild(document.createElement(name));
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

const percent = (value) => Number.isFinite(value) ? (100 * value).toFixed(value < 0.1 ? 1 : 0) + "%" : "–";
const words = (value) => typeof value === "object" ? JSON.stringify(value) : String(value);

// ---- Curves

const line = (table, key, name, color, more = {}) =>
    ({name, color, get: () => [log.places(log[table].step, view.axis), log[table][key]], ...more});
const dots = {dots: true, width: 2};
const point = (x) => { view.at = x; drawSoon(); };
const chart = (lines, more = {}) => new Chart($("charts"), {lines, onHover: point, ...more});
const lossChart = chart([
  line("steps", "loss", "训练损失 · train loss", "--train", {width: 1, alpha: 0.3}),
  line("steps", "smooth", "平滑 · smoothed", "--train", {width: 2.2}),
  line("held", "held_out_loss", "验证损失 · validation loss", "--held", dots),
], {wide: true});
const charts = [
  lossChart,
  chart([line("held", "perplexity", "困惑度 · perplexity", "--held", dots)], {log: true}),
  chart([line("held", "bits_per_byte", "每字节比特 · bits per byte", "--held", dots)]),
  chart([line("steps", "rate", "学习率 · learning rate", "--other")]),
  chart([line("steps", "grad_norm", "梯度范数 · gradient norm", "--other", {width: 1})], {log: true}),
  chart([line("steps", "tokens_per_second", "速度 · tokens/s", "--other")]),
  chart([line("steps", "fraction_of_peak", "峰值占比 · of peak", "--other")], {format: percent}),
];

function drawCharts() {
  const mark = (line, color, text) => ({x: log.places([line.step], view.axis)[0], color, text});
  const marks = [
    ...log.stages.map((line) => mark(line, "--mark", words(line.stage))),
    ...log.events.slice(-200).map((line) => mark(line, "--alarm", "")),
  ];
  const isTime = view.axis === "time";
  const formatX = isTime ? clock : (value) => short(Math.round(value)), ticksX = isTime ? clockTicks : ticks;
  const range = [0, log.steps[view.axis].at(-1) || 1];
  const step = view.at === null ? "" : log.steps.step[indexAt(log.steps[view.axis], view.at)] ?? "";
  const place = view.axis === "step" ? `步 ${step}` : `步 ${step} · ${formatX(view.at ?? 0)}`;
  lossChart.log = view.scale === "log";
  for (const each of charts) each.draw({range, marks, at: view.at, place, formatX, ticksX});
}

let isDue = false;
function drawSoon() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => { isDue = false; drawCharts(); });
}

function makeSwitch(name) {
  const buttons = $(name).querySelectorAll("button");
  const choose = (value) => {
    view[name] = value;
    view.at = null;
    buttons.forEach((button) => button.classList.toggle("on", button.dataset.value === value));
    drawSoon();
  };
  buttons.forEach((button) => button.addEventListener("click", () => choose(button.dataset.value)));
  choose(view[name]);
}

// ---- Head

function state() {
  if (log.last.seconds_left === 0) return ["finished", "已完成 · finished"];
  if (view.isGone || !view.isLive) return ["stopped", "已停止 · stopped"];
  if (!log.steps.step.length) return ["running", "等待中 · waiting"];
  if (view.age > 120) return ["stopped", "无新数据 · silent for " + clock(view.age)];
  return ["running", "训练中 · running"];
}

function showHead() {
  const {last, run} = log, [kind, text] = state();
  const name = [run.name, run.out, run.output, run.folder].find((value) => typeof value === "string" && value) ?? "tinyllm";
  $("name").textContent = name;
  document.title = name + " · tinyllm";
  $("stage").textContent = "stage" in last ? words(last.stage) : "";
  $("state").textContent = text;
  $("state").className = kind;
  const spent = log.steps.time.at(-1) ?? 0, left = number(last.seconds_left);
  const done = Number.isFinite(left) && spent + left > 0 ? spent / (spent + left) : NaN;
  $("done").style.width = (Number.isFinite(done) ? 100 * done : 0) + "%";
  $("progress").textContent = percent(done) + " · 已用 " + clock(spent);
  $("left").textContent = Number.isFinite(left) ? "剩余 " + clock(left) + " left" : "";
}

function showTiles() {
  const {last, held} = log;
  const figures = [
    ["步 · step", last.step?.toLocaleString("en") ?? "–"],
    ["词元 · tokens", short(last.tokens)],
    ["训练损失 · train loss", short(log.steps.smooth.at(-1))],
    ["验证损失 · validation", short(held.held_out_loss.at(-1))],
    ["困惑度 · perplexity", short(held.perplexity.at(-1))],
    ["每字节比特 · bits/byte", short(held.bits_per_byte.at(-1))],
    ["学习率 · rate", short(number(last.rate))],
    ["速度 · tokens/s", short(number(last.tokens_per_second))],
    ["峰值占比 · of peak", percent(number(last.fraction_of_peak))],
    ["内存 · memory", Number.isFinite(last.resident_bytes) ? (last.resident_bytes / 1e9).toFixed(2) + " GB" : "–"],
  ];
  $("tiles").replaceChildren();
  for (const [name, value] of figures) {
    const tile = element($("tiles"), "div", "", "tile");
    element(tile, "span", name);
    element(tile, "b", value);
  }
}

// ---- Samples, events, data, configuration

function showSamples() {
  const steps = [...new Set(log.samples.map((line) => line.step))];
  $("samples").hidden = steps.length === 0;
  if (!steps.length) return;
  for (const [name, first] of [["a", 0], ["b", steps.length - 1]]) {
    const input = $("pick-" + name), follows = input.max === "" || input.value === input.max;
    input.max = steps.length - 1;
    if (input.dataset.set !== "1" || (name === "b" && follows)) input.value = first;
    input.dataset.set = "1";
  }
  showPairs(steps);
}

function showPairs(steps = [...new Set(log.samples.map((line) => line.step))]) {
  const [a, b] = ["a", "b"].map((name) => steps[$("pick-" + name).value]);
  $("step-a").textContent = a;
  $("step-b").textContent = b;
  const sample = (step, prompt) => log.samples.find((line) => line.step === step && line.prompt === prompt)?.sample ?? "–";
  $("pairs").replaceChildren();
  for (const prompt of new Set(log.samples.filter(({step}) => step === a || step === b).map((line) => line.prompt))) {
    const card = element($("pairs"), "div", "", "card");
    element(card, "h3", words(prompt ?? ""));
    const pair = element(card, "div", "", "pair");
    for (const step of a === b ? [a] : [a, b]) element(pair, "p", words(sample(step, prompt)));
  }
}

function showEvents() {
  const list = $("events").querySelector("ol");
  $("events").hidden = log.events.length === 0;
  list.replaceChildren();
  for (const line of log.events.slice(-200).reverse()) {
    const item = element(list, "li");
    element(item, "b", line.step);
    element(item, "span", words(line.event));
  }
}

function showData() {
  $("data").hidden = log.data.length === 0;
  $("mix").replaceChildren();
  for (const {name, documents, tokens, share} of log.data) {
    const part = element($("mix"), "div", "", "part"), text = element(part, "div");
    element(text, "span", words(name));
    element(text, "small", `${percent(share)} · ${short(documents)} 篇 · ${short(tokens)} 词元`);
    element(part, "div").style.width = Math.min(100, Math.max(0, 100 * number(share) || 0)) + "%";
  }
  const table = $("run").querySelector("table");
  $("run").hidden = Object.keys(log.run).length === 0;
  table.replaceChildren();
  for (const [name, value] of Object.entries(log.run)) {
    const row = element(table, "tr");
    element(row, "th", name);
    element(row, "td", words(value));
  }
}

// Made again only where there is something new: a reader may be selecting text in them.
const shown = {};
function showNew(name, value, show) {
  if (shown[name] === value) return;
  shown[name] = value;
  show();
}

function showAll() {
  log.smooth();
  showHead();
  showTiles();
  showNew("samples", log.samples.at(-1), showSamples);
  showNew("events", log.events.at(-1), showEvents);
  showNew("run", log.run, showData);
  drawSoon();
}

// ---- New lines

const source = {file: "", from: 0, rest: "", decoder: new TextDecoder()};

// Asks for what is new. Another file under the same name (the run was started again) is read from its beginning.
async function readMore() {
  const reply = await fetch(`metrics?file=${source.file}&from=${source.from}`, {cache: "no-store"});
  if (!reply.ok) throw new Error(reply.statusText);
  const file = reply.headers.get("Metrics-File"), from = +reply.headers.get("Metrics-From");
  view.age = +reply.headers.get("Metrics-Age");
  if (file !== source.file || from !== source.from) {
    Object.assign(source, {file, from, rest: "", decoder: new TextDecoder()});
    log.clear();
  }
  const bytes = await reply.arrayBuffer();
  const lines = (source.rest + source.decoder.decode(bytes, {stream: true})).split("\n");
  source.rest = lines.pop();
  source.from += bytes.byteLength;
  lines.forEach((text) => log.add(text));
  return bytes.byteLength;
}

async function poll() {
  if (!document.hidden) {
    try {
      const wasGone = view.isGone;
      let isNew = false;
      while (await readMore() > 0) isNew = true;
      view.isGone = false;
      if (isNew || wasGone) showAll(); else showHead();
    } catch {
      view.isGone = true;
      showHead();
    }
  }
  setTimeout(poll, kPoll);
}

makeSwitch("axis");
makeSwitch("scale");
for (const name of ["a", "b"]) $("pick-" + name).addEventListener("input", () => showPairs());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawSoon);
addEventListener("resize", drawSoon);
if (!view.isLive) $("metrics").textContent.split("\n").forEach((text) => log.add(text));
showAll();
if (view.isLive) poll();
