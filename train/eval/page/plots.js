// The results of an evaluation as plots: SVG without libraries. A row is [value, low, high, questions].

const kNames = {
  greedy: "贪心 · greedy", greedy_strict: "贪心，有标记 · greedy, marked", template: "遵守格式 · keeps the template",
  equations: "等式全对 · no false equation", greedy_checked: "通过检查的答案 · pass the check",
  greedy_corrected: "改错之后 · after correction", forced: "强制计算器 · calculator forced",
  forced_strict: "强制计算器，有标记 · forced, marked", sampled: "单条采样 · one sampled chain",
  forced_sampled: "单条采样，强制 · one chain, forced",
  letter: "选项字母 · letter", letter_rotated: "字母，轮换选项 · letter, all rotations", text: "选项文字 · text",
  text_per_character: "文字，按字符 · per character", text_per_byte: "文字，按字节 · per byte", text_pmi: "文字，PMI · text, PMI",
};
const kVote = /^(forced_)?(vote|pass)_(\d+)(_checked|_corrected)?$/;
const kLines = [
  {name: "vote", label: "投票 · vote", color: "--one"},
  {name: "vote_checked", label: "投票，检查等式 · checked", color: "--two"},
  {name: "vote_corrected", label: "投票，改错 · corrected", color: "--three"},
  {name: "forced_vote", label: "投票，强制计算器 · forced", color: "--four"},
  {name: "pass", label: "任一正确 · any right (pass@k)", color: "--faint"},
  {name: "forced_pass", label: "任一正确，强制 · any right, forced", color: "--alarm"},
];

const percent = (value) => (100 * value).toFixed(1) + " %";
function nameOf(score) {
  const vote = kVote.exec(score);
  if (!vote) return kNames[score] ?? score;
  const line = kLines.find(({name}) => name === (vote[1] ?? "") + vote[2] + (vote[4] ?? ""));
  return line ? line.label.replace(" ·", ` ${vote[3]} ·`) : score;
}

function element(parent, name, text = "", kind = "") {
  const made = parent.appendChild(document.createElement(name));
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

// "中文 · english": the second part is smaller.
function title(parent, name, text) {
  const made = element(parent, name), [chinese, english] = text.split(" · ");
  made.append(chinese + " ");
  if (english) element(made, "small", english);
  return made;
}

function shape(parent, name, attributes, text = "") {
  const made = parent.appendChild(document.createElementNS("http://www.w3.org/2000/svg", name));
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

// Points with their intervals, one below the other. rows: [[name, row]]
function intervals(parent, rows, chance) {
  const width = 560, left = 236, right = 62, line = 22, height = rows.length * line + 26;
  const svg = shape(parent, "svg", {viewBox: `0 0 ${width} ${height}`, role: "img"});
  const x = (value) => left + value * (width - left - right), bottom = height - 20;
  for (const at of [0, 0.25, 0.5, 0.75, 1]) {
    shape(svg, "line", {x1: x(at), x2: x(at), y1: 4, y2: bottom, class: "axis"});
    shape(svg, "text", {x: x(at), y: height - 5, "text-anchor": "middle", class: "faint"}, 100 * at);
  }
  if (chance > 0) shape(svg, "line", {x1: x(chance), x2: x(chance), y1: 4, y2: bottom, class: "chance"});
  rows.forEach(([name, [value, low, high, count]], i) => {
    const y = 4 + line * i + line / 2;
    const color = chance > 0 && low <= chance && chance <= high ? "var(--faint)" : "var(--one)";
    shape(svg, "text", {x: left - 10, y: y + 4, "text-anchor": "end"}, name.length > 34 ? name.slice(0, 33) + "…" : name);
    shape(svg, "line", {x1: x(low), x2: x(high), y1: y, y2: y, stroke: color, "stroke-width": 3, "stroke-opacity": 0.4});
    const dot = shape(svg, "circle", {cx: x(value), cy: y, r: 4, fill: color});
    shape(dot, "title", {}, `${name}: ${percent(value)}, ${percent(low)} – ${percent(high)}, n = ${count}`);
    shape(svg, "text", {x: width, y: y + 4, "text-anchor": "end"}, percent(value));
  });
}

// The points of a line of votes. One chain is a vote too, unless it would be corrected first.
function points(scores, name) {
  const one = scores[name.startsWith("forced") ? "forced_sampled" : "sampled"];
  const found = one && name !== "vote_corrected" ? [[1, one]] : [];
  for (const [score, row] of Object.entries(scores)) {
    const vote = kVote.exec(score);
    if (vote && (vote[1] ?? "") + vote[2] + (vote[4] ?? "") === name) found.push([+vote[3], row]);
  }
  return found.sort((a, b) => a[0] - b[0]);
}

function votes(parent, scores) {
  const lines = kLines.map((line) => ({...line, points: points(scores, line.name)})).filter((line) => line.points.length > 1);
  if (lines.length === 0) return;
  const box = element(parent, "div", "", "card");
  title(box, "h3", "投票与条数 · votes by the number of chains");
  const all = lines.flatMap((line) => line.points.map(([, row]) => row[0]));
  const low = Math.max(0, Math.min(...all) - 0.05), high = Math.min(1, Math.max(...all) + 0.05);
  const most = Math.max(...lines.flatMap((line) => line.points.map(([k]) => k)));
  const width = 560, height = 260, left = 44, bottom = height - 24;
  const svg = shape(box, "svg", {viewBox: `0 0 ${width} ${height}`, role: "img"});
  const x = (k) => left + (k - 1) / (most - 1) * (width - left - 14), y = (value) => 8 + (high - value) / (high - low) * (bottom - 8);
  for (let i = 0; i <= 4; ++i) {
    const value = low + (high - low) * i / 4;
    shape(svg, "line", {x1: left, x2: width - 14, y1: y(value), y2: y(value), class: "axis"});
    shape(svg, "text", {x: left - 6, y: y(value) + 4, "text-anchor": "end", class: "faint"}, (100 * value).toFixed(1));
  }
  for (const k of new Set(lines.flatMap((line) => line.points.map(([each]) => each))))
    shape(svg, "text", {x: x(k), y: height - 6, "text-anchor": "middle", class: "faint"}, k);
  const legend = element(box, "div", "", "legend");
  for (const {label, color, points: at} of lines) {
    const stroke = `var(${color})`;
    shape(svg, "polyline", {points: at.map(([k, row]) => `${x(k)},${y(row[0])}`).join(" "), fill: "none", stroke, "stroke-width": 2});
    for (const [k, row] of at) {
      const dot = shape(svg, "circle", {cx: x(k), cy: y(row[0]), r: 3.5, fill: stroke});
      shape(dot, "title", {}, `${label}, ${k}: ${percent(row[0])}, ${percent(row[1])} – ${percent(row[2])}`);
    }
    const item = element(legend, "span");
    element(item, "i").style.background = stroke;
    item.append(label);
  }
}

function byKind(parent, kinds, chance) {
  const names = [...new Set(Object.values(kinds).flatMap((scores) => Object.keys(scores)))];
  if (names.length === 0) return;
  const box = element(parent, "div", "", "card"), head = title(box, "h3", "按类别 · by kind");
  const choice = element(head, "select"), plot = element(box, "div");
  for (const name of names) element(choice, "option", nameOf(name)).value = name;
  const show = () => {
    plot.replaceChildren();
    const rows = Object.entries(kinds).filter(([, scores]) => scores[choice.value]);
    rows.sort((a, b) => a[1][choice.value][0] - b[1][choice.value][0]);
    intervals(plot, rows.map(([kind, scores]) => [kind || "–", scores[choice.value]]), chance);
  };
  choice.addEventListener("change", show);
  show();
}

function showSet(parent, set) {
  const box = element(parent, "section");
  element(box, "h2", set.name);
  if (set.task === "text") {
    element(box, "p", `困惑度 perplexity ${(+set.perplexity).toFixed(3)}, ${(+set.bits_per_byte).toFixed(4)} bits per byte, ${set.tokens} tokens`, "facts");
    return;
  }
  const chance = set.chance > 0 ? `；随机 chance ${percent(set.chance)}` : "";
  element(box, "p", `${set.answered} / ${set.questions} 题 questions${chance}`, "facts");
  if (set.seen > 0) element(box, "p", `其中 ${set.seen} 题在训练数据里 of them are in the training data`, "alarm");
  const plots = element(box, "div", "", "plots");
  const scores = element(plots, "div", "", "card");
  title(scores, "h3", "得分与 95% 区间 · scores with 95 % intervals");
  intervals(scores, Object.entries(set.scores).map(([score, row]) => [nameOf(score), row]), set.chance);
  votes(plots, set.scores);
  byKind(plots, set.kinds, set.chance);
}

function showAll() {
  const results = JSON.parse(document.getElementById("results").textContent);
  document.getElementById("model").textContent = results.model;
  document.title = results.model + " – evaluation";
  for (const set of results.sets) showSet(document.getElementById("sets"), set);
  const list = document.querySelector("#run dl");
  for (const [name, value] of Object.entries(results.settings)) {
    const row = element(list, "div");
    element(row, "dt", name);
    element(row, "dd", value);
  }
}
showAll();
