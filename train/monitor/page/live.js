// Shows the log of a report once; asks the server of a live page for new lines.

const kPoll = 2000;  // Milliseconds.

// Rebuilds a part only if its value has changed: a reader may be selecting text in it.
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
  showNew("losses", log.held.step.at(-1), showSamples);
  showNew("events", log.events.at(-1), showEvents);
  showNew("mix", log.mix, showMix);
  showNew("run", log.run, showRun);
  drawSoon();
}

const source = {file: "", from: 0, rest: "", decoder: new TextDecoder()};

// Asks for new lines. Another file of the same name (the run was started again) is read from its beginning.
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

for (const name of ["axis", "scale", "span"]) makeSwitch(name, () => drawSoon());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawSoon());
addEventListener("resize", () => drawSoon());
if (!view.isLive) $("metrics").textContent.split("\n").forEach((text) => log.add(text));
showAll();
if (view.isLive) poll();
