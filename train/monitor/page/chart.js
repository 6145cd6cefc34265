// A chart: lines over a common x, thinned to the lowest and highest value of each pixel. The pointer is drawn on a second
// canvas above them, so that it follows at once even when the lines are long.

const kMiddle = 1000;  // Values that are looked at to find the range of a noisy line.
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

function short(value) {
  if (value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (size >= 1e4) {
    const power = size >= 1e9 ? [1e9, "B"] : size >= 1e6 ? [1e6, "M"] : [1e3, "k"];
    return String(+(value / power[0]).toPrecision(4)) + power[1];
  }
  if (size > 0 && size < 1e-3) return value.toExponential(2).replace(/\.?0+e/, "e");
  return String(+value.toPrecision(4));
}

function clock(seconds) {
  const whole = Math.round(seconds), two = (n) => String(n).padStart(2, "0");
  const start = whole >= 3600 ? Math.floor(whole / 3600) + ":" + two(Math.floor(whole / 60) % 60) : Math.floor(whole / 60);
  return start + ":" + two(whole % 60);
}

// Round numbers from low to high.
function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((n) => n * power >= rough);
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high + step * 1e-9; ++i) found.push(i * step);
  return found;
}

const wholeTicks = (low, high, count) => ticks(low, high, count).filter(Number.isInteger);

// The same for seconds, round in minutes and hours.
function clockTicks(low, high, count) {
  const rough = (high - low) / count;
  const unit = [1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400].find((n) => n >= rough) ?? 86400;
  return wholeTicks(low / unit, high / unit, count).map((value) => value * unit);
}

function logTicks(low, high) {
  const found = [];
  const stride = Math.max(1, Math.ceil((high - low) / 8));
  for (let power = Math.floor(low); power <= high; power += stride)
    for (const n of high - low < 1.2 ? [1, 2, 3, 5, 7] : high - low < 2.5 ? [1, 2, 5] : [1]) {
      const at = Math.log10(n) + power;
      if (at >= low && at <= high) found.push(10 ** at);
    }
  return found.length > 1 ? found : ticks(10 ** low, 10 ** high, 4);
}

// The index of the last of the sorted values that is at most `value`; 0 if there is none.
function indexAt(values, value) {
  let low = 0, high = values.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle; else high = middle;
  }
  return low;
}

// The lowest and highest of values[from..to), without the outermost hundredth where `isNoisy`.
function limitsOf(values, from, to, isNoisy, fits) {
  const found = [], stride = isNoisy ? Math.ceil((to - from) / kMiddle) : 1;
  let low = Infinity, high = -Infinity;
  for (let i = from; i < to; i += stride) {
    if (!fits(values[i])) continue;
    if (isNoisy) found.push(values[i]);
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  if (found.length < 100) return [low, high];
  found.sort((a, b) => a - b);
  const cut = Math.floor(found.length / 100);
  return [found[cut], found[found.length - 1 - cut]];
}

class Chart {
  // lines: [{name, color, get() -> [xs, ys, starts]}]. A line without a name is not in the legend; it has a gap before
  //   each index in starts. Optional:
  //   width, dots: how it is drawn; isNoisy: single peaks may leave the chart
  //   best() -> the index of a point to put a ring around, or -1
  //   isWords: only in the legend; format: how its values are written there
  // onHover(x or null) is called with the x under the pointer.
  constructor(parent, {lines, wide, log, format = short, onHover}) {
    Object.assign(this, {lines, wide, log, format});
    const box = parent.appendChild(document.createElement("div"));
    box.className = wide ? "chart wide" : "chart";
    this.legend = box.appendChild(document.createElement("div"));
    this.legend.className = "legend";
    const layers = box.appendChild(document.createElement("div"));
    layers.className = "layers";
    [this.canvas, this.overlay] = [0, 1].map(() => layers.appendChild(document.createElement("canvas")));
    const hover = (event) => {
      const at = (event.offsetX - this.left) / (this.width - this.left - this.right);
      onHover(this.range && at >= 0 && at <= 1 ? this.range[0] + at * (this.range[1] - this.range[0]) : null);
    };
    this.overlay.addEventListener("pointermove", hover);
    this.overlay.addEventListener("pointerdown", hover);
    this.overlay.addEventListener("pointerleave", () => onHover(null));
  }

  // range: of x; marks: [{x, color, text, row}], row: the line of text below the chart's top.
  draw({range, marks, formatX, ticksX}) {
    Object.assign(this, {range, width: this.canvas.clientWidth, height: this.canvas.clientHeight});
    Object.assign(this, {left: 46, right: 10, top: 12, bottom: 22});
    this.pen = this.penOf(this.canvas);
    this.data = this.lines.map((line) => line.get());
    this.limits = this.findLimits();
    this.drawGrid(formatX, ticksX);
    this.pen.beginPath();
    // With the margin on the right: the dot or ring of the last point reaches into it.
    this.pen.rect(this.left, this.top - 3, this.width - this.left, this.height - this.top - this.bottom + 6);
    this.pen.clip();
    this.drawMarks(marks);
    this.lines.forEach((line, i) => { if (!line.isWords) this.drawLine(line, ...this.data[i]); });
    this.lines.forEach((line, i) => { if (line.best) this.drawBest(line, ...this.data[i]); });
  }

  // at: the x under the pointer, or null; place: its name. To be called after draw().
  point(at, place) {
    this.pen = this.penOf(this.overlay);
    this.drawPointer(at);
    this.drawLegend(at, place);
  }

  // Clears a canvas and returns its pen, in CSS pixels.
  penOf(canvas) {
    const ratio = devicePixelRatio || 1, pen = canvas.getContext("2d");
    canvas.width = this.width * ratio;
    canvas.height = this.height * ratio;
    pen.scale(ratio, ratio);
    pen.font = "11px system-ui, sans-serif";
    return pen;
  }

  x(value) {
    const [first, last] = this.range;
    return this.left + (value - first) / (last - first) * (this.width - this.left - this.right);
  }

  y(value) {
    const [low, high] = this.limits, at = this.log ? Math.log10(value) : value;
    return this.height - this.bottom - (at - low) / (high - low) * (this.height - this.top - this.bottom);
  }

  fits(value) { return Number.isFinite(value) && (!this.log || value > 0); }

  findLimits() {
    let low = Infinity, high = -Infinity;
    this.lines.forEach(({isWords, isNoisy}, i) => {
      if (isWords) return;
      const [xs, ys] = this.data[i], to = Math.min(indexAt(xs, this.range[1]) + 1, ys.length);
      const limits = limitsOf(ys, indexAt(xs, this.range[0]), to, isNoisy, (value) => this.fits(value));
      low = Math.min(low, limits[0]);
      high = Math.max(high, limits[1]);
    });
    this.isEmpty = low > high;
    if (low > high) return [0, 1];
    if (this.log) [low, high] = [Math.log10(low), Math.log10(high)];
    const margin = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1;
    return [low >= 0 && low < margin && !this.log ? 0 : low - margin, high + margin];
  }

  drawGrid(formatX, ticksX) {
    const {pen} = this, [low, high] = this.limits;
    pen.strokeStyle = css("--line");
    pen.fillStyle = css("--faint");
    if (this.isEmpty) {
      pen.textAlign = "center";
      pen.fillText("还没有数据 · no data yet", this.width / 2, this.height / 2);
      return;
    }
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const value of this.log ? logTicks(low, high) : ticks(low, high, this.wide ? 6 : 5)) {
      const y = Math.round(this.y(value)) + 0.5;
      pen.beginPath();
      pen.moveTo(this.left, y);
      pen.lineTo(this.width - this.right, y);
      pen.stroke();
      pen.fillText(this.format(value), this.left - 6, y);
    }
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    for (const value of ticksX(...this.range, Math.max(4, this.width / 90)))
      if (this.x(value) < this.width - 20) pen.fillText(formatX(value), this.x(value), this.height - 6);
  }

  drawMarks(marks) {
    const {pen} = this;
    pen.textAlign = "left";
    for (const {x, color, text, row = 0} of marks) {
      if (x < this.range[0]) continue;
      pen.strokeStyle = pen.fillStyle = css(color);
      pen.globalAlpha = 0.6;
      pen.setLineDash([3, 3]);
      pen.beginPath();
      pen.moveTo(this.x(x), this.top);
      pen.lineTo(this.x(x), this.height - this.bottom);
      pen.stroke();
      pen.setLineDash([]);
      pen.globalAlpha = 1;
      if (this.wide && text) pen.fillText(text, this.x(x) + 4, this.top + 9 + 14 * row);
    }
  }

  drawLine({color, width = 1, dots}, xs, ys, starts = []) {
    const {pen} = this, isStart = new Set(starts);
    pen.strokeStyle = pen.fillStyle = css(color);
    pen.lineWidth = width;
    pen.lineJoin = pen.lineCap = "round";
    pen.beginPath();
    let pixel = -1, low = 0, high = 0, last = 0, open = false;  // open: a curve has begun.
    const flush = () => {
      if (high !== low) { pen.lineTo(pixel, low); pen.lineTo(pixel, high); }
      pen.lineTo(pixel, last);
    };
    for (let i = 0; i < xs.length; ++i) {
      if (isStart.has(i) && open) { flush(); open = false; }
      if (!this.fits(ys[i])) continue;
      const x = dots ? this.x(xs[i]) : Math.round(this.x(xs[i]) * 2) / 2, y = this.y(ys[i]);
      if (open && x === pixel) {
        low = Math.min(low, y); high = Math.max(high, y); last = y;
        continue;
      }
      if (open) flush(); else pen.moveTo(x, y);
      open = true;
      pixel = x;
      low = high = last = y;
    }
    if (open) flush();
    pen.stroke();
    if (!dots || xs.length * 6 > this.width) return;
    xs.forEach((x, i) => this.fits(ys[i]) && this.drawDot(x, ys[i], 2.5));
  }

  drawDot(x, y, radius) {
    this.pen.beginPath();
    this.pen.arc(this.x(x), this.y(y), radius, 0, 7);
    this.pen.fill();
  }

  drawBest({color, best}, xs, ys) {
    const {pen} = this, i = best();
    if (i < 0 || !this.fits(ys[i])) return;
    pen.strokeStyle = css(color);
    pen.lineWidth = 1.6;
    pen.beginPath();
    pen.arc(this.x(xs[i]), this.y(ys[i]), 6, 0, 7);
    pen.stroke();
  }

  drawPointer(at) {
    if (at === null) return;
    const {pen} = this;
    pen.strokeStyle = css("--faint");
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(this.x(at), this.top);
    pen.lineTo(this.x(at), this.height - this.bottom);
    pen.stroke();
    this.data.forEach(([xs, ys], i) => {
      const near = indexAt(xs, at);
      pen.fillStyle = css(this.lines[i].color);
      if (!this.lines[i].isWords && this.fits(ys[near])) this.drawDot(xs[near], ys[near], 3.5);
    });
  }

  // The names of the lines with their values at the pointer, or their last values.
  drawLegend(at, text) {
    this.legend.replaceChildren();
    this.lines.forEach(({name, color, isWords, format = this.format}, i) => {
      if (!name) return;
      const [xs, ys] = this.data[i], value = ys[at === null ? ys.length - 1 : indexAt(xs, at)];
      if (isWords && !this.fits(value)) return;
      const item = this.legend.appendChild(document.createElement("span"));
      if (!isWords) {
        const key = item.appendChild(document.createElement("i"));
        key.style.background = css(color);
      }
      const [chinese, english] = name.split(" · ");
      item.append(chinese + " ");
      item.appendChild(document.createElement("small")).textContent = english;
      item.append(" ");
      item.appendChild(document.createElement("b")).textContent = format(value);
    });
    if (at === null || !this.wide) return;
    const place = this.legend.appendChild(document.createElement("span"));
    place.className = "at";
    place.textContent = text;
  }
}
