// The server's API: which models there are, and an answer as it is written.

// Milliseconds without a byte after which a stream is lost. The server says something every 10 s.
const kSilence = 60_000;

// Why there is no answer. kind: "refused" (the server said so), "lost" (a stream that ended early), "unreachable".
export class Failure extends Error {
  constructor(kind, message = "", {status = 0, code = "", retryAfter = 0} = {}) {
    super(message);
    Object.assign(this, {kind, status, code, retryAfter});
  }
}

// The bytes of a stream of server-sent events → their data.
export class EventReader {
  constructor() {
    this.decoder = new TextDecoder();
    this.rest = "";
    this.data = [];
  }

  // The data of each event that these bytes complete.
  push(bytes) {
    const text = this.rest + this.decoder.decode(bytes, {stream: true});
    const lines = text.split(/\r\n|\n|\r(?=[^])/);  // A last \r may be half of \r\n.
    this.rest = lines.pop();
    const events = [];
    for (const line of lines) {
      if (line.startsWith("data:")) this.data.push(line.slice(line[5] === " " ? 6 : 5));
      if (line !== "" || this.data.length === 0) continue;
      events.push(this.data.join("\n"));
      this.data = [];
    }
    return events;
  }
}

const headersOf = (key) => key ? {Authorization: "Bearer " + key} : {};

function parsed(text) {
  try { return JSON.parse(text); } catch { return null; }
}

function failureOf(error, status = 0, retryAfter = 0) {
  const message = typeof error?.message === "string" ? error.message : "";
  return new Failure("refused", message, {status, retryAfter, code: String(error?.code ?? error?.type ?? "")});
}

async function ask(fetcher, path, options) {
  let reply;
  try {
    reply = await fetcher(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("unreachable", error.message);
  }
  if (reply.ok) return reply;
  const body = parsed(await reply.text().catch(() => ""));
  throw failureOf(body?.error, reply.status, Number(reply.headers.get("Retry-After")) || 0);
}

// The names of the models, the default one first.
export async function listModels(key, fetcher = fetch) {
  const reply = await ask(fetcher, "v1/models", {headers: headersOf(key), cache: "no-store"});
  const list = parsed(await reply.text())?.data;
  if (!Array.isArray(list)) throw new Failure("refused", "v1/models: not a list", {status: reply.status});
  return list.map((model) => model?.id).filter((id) => typeof id === "string");
}

const kMostVotes = 5, kLongestAnswer = 20;

// The votes of chains of thought, in short: 74 × 4, 11 × 1; those without an answer as –.
function votesText({votes = [], unparsed = 0}) {
  const cut = (answer) => answer.length > kLongestAnswer ? answer.slice(0, kLongestAnswer) + "…" : answer;
  const all = votes.slice(0, kMostVotes).map(({answer, count}) => `${cut(String(answer))} × ${count}`);
  if (votes.length > kMostVotes) all.push("…");
  if (unparsed) all.push(`– × ${unparsed}`);
  return all.join(", ");
}

function* partsOf(json) {
  if (json.error) throw failureOf(json.error, 500);
  const choice = json.choices?.[0], delta = choice?.delta ?? {};
  const reasoning = delta.reasoning_content ?? delta.reasoning ?? "", text = delta.content ?? "";
  if (reasoning) yield {kind: "reasoning", text: reasoning};
  if (text) yield {kind: "text", text};
  if (json.self_consistency) yield {kind: "votes", text: votesText(json.self_consistency)};
  if (choice?.finish_reason) yield {kind: "end", reason: choice.finish_reason};
  if (json.usage) yield {kind: "usage", prompt: json.usage.prompt_tokens, answer: json.usage.completion_tokens};
}

// The next bytes of a stream; a stream that stays silent is lost.
async function next(reader, silence) {
  let timer;
  const tooLong = new Promise((_, fail) => { timer = setTimeout(() => fail(new Failure("lost")), silence); });
  try {
    return await Promise.race([reader.read(), tooLong]);
  } catch (error) {
    if (error instanceof Failure || error.name === "AbortError") throw error;
    throw new Failure("lost", error.message);
  } finally {
    clearTimeout(timer);
  }
}

// An answer to a request of /v1/chat/completions, part by part: {kind: "seed", text}, {kind: "reasoning" or "text",
// text}, {kind: "votes", text}, {kind: "end", reason}, {kind: "usage", prompt, answer} (tokens). Throws Failure; when the signal is given,
// AbortError.
export async function* streamAnswer(request, {key = "", signal, silence = kSilence, fetcher = fetch} = {}) {
  const reply = await ask(fetcher, "v1/chat/completions", {
    method: "POST", signal, headers: {"Content-Type": "application/json", ...headersOf(key)},
    body: JSON.stringify({...request, stream: true, stream_options: {include_usage: true}}),
  });
  const seed = reply.headers.get("X-Seed");
  if (seed) yield {kind: "seed", text: seed};
  const reader = reply.body.getReader(), events = new EventReader();
  try {
    for (;;) {
      const {done, value} = await next(reader, silence);
      if (done) throw new Failure("lost");
      for (const data of events.push(value)) {
        if (data === "[DONE]") return;
        const json = parsed(data);
        if (json === null) throw new Failure("lost", "an event is not JSON");
        yield* partsOf(json);
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
