// What the parts of the page share, and its head. The log is in the page itself (a report) or comes from a server (live).

const $ = (id) => document.getElementById(id);
const log = new Log();
const view = {
  axis: "step", scale: "linear", span: "all", at: null,  // Of the curves; at: the x under the pointer.
  prompt: null,  // The prompt whose samples are shown; null: all.
  isLive: $("metrics").textContent === "", age: 0, isGone: false,
};

function element(parent, name, text = "", kind = "") {
  const made = parent.appendChild(document.createElement(name));
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

const percent = (value) => Number.isFinite(value) ? (100 * value).toFixed(value < 0.1 ? 1 : 0) + "%" : "–";
const words = (value) => typeof value === "object" ? JSON.stringify(value) : String(value);
const grouped = (value) => Number.isFinite(value) ? value.toLocaleString("en") : "–";

function state() {
  if (log.progress() >= 1) return ["finished", "已完成 · finished"];
  if (view.isGone || !view.isLive) return ["stopped", "已停止 · stopped"];
  if (!log.steps.step.length) return ["running", "等待中 · waiting"];
  if (view.age > 120) return ["stopped", "无新数据 · no data for " + clock(view.age)];
  return ["running", "训练中 · running"];
}

function showHead() {
  const {last, run} = log, [kind, text] = state();
  const name = [run.name, run.output, run.folder].find((value) => typeof value === "string" && value) ?? "tinyllm";
  $("name").textContent = name;
  document.title = name + " · tinyllm";
  $("stage").textContent = "stage" in last ? words(last.stage) : "";
  $("state").textContent = text;
  $("state").className = kind;
  const spent = log.steps.time.at(-1) ?? 0, left = number(last.seconds_left);
  const done = log.progress();
  $("done").style.width = (Number.isFinite(done) ? Math.min(100, 100 * done) : 0) + "%";
  $("progress").textContent = `${percent(done)} · 已用 ${clock(spent)} spent`;
  $("left").textContent = left > 0 ? `剩余 ${clock(left)} left` : "";
}

// [name, value, note]
function figures() {
  const {last, held} = log, best = log.bestHeldOut(), peak = number(last.fraction_of_peak);
  const memory = number(last.resident_bytes);
  return [
    ["训练损失 · train loss", short(log.smoothed.loss.at(-1)), "平滑 smoothed"],
    ["验证损失 · validation loss", short(held.validation_loss.at(-1)),
     best < 0 ? "" : `最佳 best ${short(held.validation_loss[best])} · 步 ${grouped(held.step[best])}`],
    ["困惑度 · perplexity", short(held.perplexity.at(-1)), best < 0 ? "" : `最佳 best ${short(held.perplexity[best])}`],
    ["每字节比特 · bits per byte", short(held.bits_per_byte.at(-1)),
     best < 0 || Number.isNaN(held.bits_per_byte[best]) ? "" : `最佳 best ${short(held.bits_per_byte[best])}`],
    ["步 · step", grouped(last.step), "stage" in last ? words(last.stage) : ""],
    ["词元 · tokens", short(last.tokens), "seq_len" in last ? `每行 ${grouped(last.seq_len)} a row` : ""],
    ["速度 · tokens/s", short(number(last.tokens_per_second)),
     Number.isFinite(peak) ? `峰值的 ${percent(peak)} of peak` : ""],
    ["内存 · memory", Number.isFinite(memory) ? (memory / 1e9).toFixed(2) + " GB" : "–", ""],
  ];
}

function showTiles() {
  $("tiles").replaceChildren();
  for (const [name, value, more] of figures()) {
    const tile = element($("tiles"), "div", "", "tile");
    element(tile, "span", name);
    element(tile, "b", value);
    element(tile, "small", more);
  }
}

// Buttons of which one is on.
function makeSwitch(name, changed) {
  const buttons = $(name).querySelectorAll("button");
  const choose = (value) => {
    view[name] = value;
    view.at = null;
    buttons.forEach((button) => button.classList.toggle("on", button.dataset.value === value));
    changed();
  };
  buttons.forEach((button) => button.addEventListener("click", () => choose(button.dataset.value)));
  choose(view[name]);
}
