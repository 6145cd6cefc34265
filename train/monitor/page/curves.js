// The curves of a run, over steps, tokens or time.

const kMarks = 200;  // The newest events are marked.
const kSpans = {all: 0, half: 0.5, tenth: 0.9};  // Where the shown part of the run begins.

const line = (table, key, name, color, more = {}) =>
    ({name, color, ...more,
      get: () => [log.places(log[table], view.axis), log[table][key], log.starts(log[table])]});
const point = (x) => { view.at = x; drawSoon(false); };
const chart = (lines, more = {}) => new Chart($("charts"), {lines, onHover: point, ...more});

const lossChart = chart([
  line("steps", "loss", "训练损失 · train loss", "--train-noise", {isNoisy: true}),
  line("smoothed", "loss", "平滑 · smoothed", "--train", {width: 2}),
  line("held", "validation_loss", "验证损失 · validation loss", "--held",
       {dots: true, width: 1.8, best: () => log.bestHeldOut()}),
  {name: "◎ 最佳 · best", isWords: true, get: () => [[0], [log.held.validation_loss[log.bestHeldOut()]]]},
], {wide: true});
const charts = [
  lossChart,
  chart([line("steps", "lr", "学习率 · learning rate", "--other", {width: 1.6})]),
  chart([
    line("steps", "grad_norm", "梯度范数 · gradient norm", "--other-noise"),
    line("smoothed", "grad_norm", "", "--other", {width: 1.6}),
  ], {log: true}),
  chart([
    line("steps", "tokens_per_second", "速度 · tokens/s", "--other", {width: 1.2}),
    line("steps", "fraction_of_peak", "峰值的 · of peak", "--other", {isWords: true, format: percent}),
  ]),
];

function marks() {
  const mark = (color, text, row) => (line) => ({x: log.place(line.step, view.axis), color, text: text(line), row});
  return [
    ...log.stages.map(mark("--mark", (line) => words(line.stage), 0)),
    ...log.lengths.map(mark("--faint", (line) => `每行 ${words(line.seq_len)} a row`, 1)),
    ...log.resumes.map(mark("--faint", () => "继续 resumed", 2)),
    ...log.events.slice(-kMarks).map(mark("--alarm", () => "", 0)),
  ];
}

const formatX = (value) => view.axis === "time" ? clock(value) : short(Math.round(value));

function drawCharts() {
  const ticksX = view.axis === "time" ? clockTicks : wholeTicks;
  const lasts = [log.steps, log.held].map((table) => log.places(table, view.axis).at(-1) ?? 0);
  const end = Math.max(...lasts) || 1, range = [kSpans[view.span] * end, end];
  lossChart.log = view.scale === "log";
  for (const each of charts) each.draw({range, marks: marks(), formatX, ticksX});
}

function pointAll() {
  const step = view.at === null ? NaN : log.steps.step[indexAt(log.steps[view.axis], view.at)];
  const place = `步 ${grouped(step)}` + (view.axis === "step" ? "" : ` · ${formatX(view.at ?? 0)}`);
  for (const each of charts) each.point(view.at, place);
}

// Draws with the next frame: the lines if they have changed, otherwise only the pointer.
const due = {isAsked: false, hasChanged: false};
function drawSoon(hasChanged = true) {
  due.hasChanged ||= hasChanged;
  if (due.isAsked) return;
  due.isAsked = true;
  requestAnimationFrame(() => {
    if (due.hasChanged) drawCharts();
    pointAll();
    due.isAsked = due.hasChanged = false;
  });
}
