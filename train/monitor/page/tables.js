// Samples, events, data and configuration. All text of a run is set with textContent, so that it never becomes markup.

// The model's answers: one row for each validation, the newest first, and one column for each prompt.
function showSamples() {
  const prompts = log.prompts(), shown = prompts.includes(view.prompt) ? [view.prompt] : prompts;
  $("samples").hidden = !prompts.length;
  showPrompts(prompts);
  const [head, body] = ["thead", "tbody"].map((name) => $("said").querySelector(name));
  head.replaceChildren();
  body.replaceChildren();
  const titles = element(head, "tr");
  element(titles, "th", "步 step");
  for (const prompt of shown) element(titles, "th", words(prompt));
  for (const {step, samples} of log.samplesByStep(shown)) {
    const row = element(body, "tr");
    showStep(element(row, "th"), step);
    samples.forEach((sample, i) => {
      const cell = element(row, "td");
      cell.dataset.prompt = words(shown[i]);
      element(cell, "div", sample === null ? "–" : words(sample) || "∅");
    });
  }
}

function showStep(cell, step) {
  const {held} = log, at = held.step.indexOf(step), best = log.bestHeldOut();
  element(cell, "b", grouped(step));
  if (at >= 0) element(cell, "small", "损失 loss " + short(held.validation_loss[at]));
  if (at >= 0 && at === best) element(cell, "small", "最佳 best", "best");
}

function showPrompts(prompts) {
  $("prompt").hidden = prompts.length < 2;
  $("prompt").replaceChildren();
  for (const prompt of [null, ...prompts]) {
    const isOn = prompt === view.prompt || (prompt === null && !prompts.includes(view.prompt));
    const button = element($("prompt"), "button", prompt === null ? "全部 all" : words(prompt), isOn ? "on" : "");
    button.addEventListener("click", () => { view.prompt = prompt; showSamples(); });
  }
}

function showEvents() {
  const list = $("events").querySelector("ol");
  $("events").hidden = log.events.length === 0;
  list.replaceChildren();
  for (const line of log.events.slice(-kMarks).reverse()) {
    const item = element(list, "li");
    element(item, "b", grouped(line.step));
    element(item, "span", words(line.event));
  }
}

function showMix() {
  $("mix").hidden = log.mix.length === 0;
  const card = $("mix").querySelector(".card");
  card.replaceChildren();
  for (const {name, weight, share, samples, tokens} of log.mix) {
    const width = Math.min(100, Math.max(0, 100 * number(share) || 0));
    const part = element(card, "div", "", "part"), text = element(part, "div");
    element(text, "span", words(name));
    element(text, "b", percent(share));
    element(element(part, "div", "", "share"), "div").style.width = width + "%";
    element(part, "small", `权重 weight ${short(weight)} · ${grouped(samples)} 条 samples · ${short(tokens)} 词元 tokens`);
  }
}

function showRun() {
  const list = $("run").querySelector("dl");
  $("run").hidden = Object.keys(log.run).length === 0;
  list.replaceChildren();
  for (const [name, value] of Object.entries(log.run)) {
    const row = element(list, "div");
    element(row, "dt", name);
    element(row, "dd", words(value));
  }
}
