// A server that serves the page and answers as /v1/chat/completions does. The last paragraph of the last question
// decides what happens: see `answers` and `refusals`.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

const kTypes = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8"
};
// As runtime/serve/assets.h has it.
const kPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const kMarkdown = `## 求和

由 $\\sum_{k=1}^{n} k = \\frac{n(n+1)}{2}$ 得 **5050**。

1. 首尾相加
2. 共 $50$ 对

| 项 | 值 |
|---|---:|
| 和 | 5050 |

\`\`\`python
total = sum(range(101))  # <b>no markup</b>
print(total)
\`\`\`

<img src=x onerror="document.title='broken'"> is text, and so is [this](javascript:alert(1)).`;

// Pieces of an answer by what is asked; the rest gets an echo.
const answers = {
  markdown: () => kMarkdown.match(/[^]{1,7}/g),
  slow: () => Array.from({length: 500}, (_, i) => `word${i} `),
  long: () => Array.from({length: 40}, (_, i) => `Paragraph ${i} of a long answer.\n\n`),
};

const refusals = {
  busy: [429, {message: "12 requests wait", code: "rate_limit_exceeded"}, {"Retry-After": "7"}],
  full: [400, {message: "the prompt has 900 tokens, the context 512", code: "context_length_exceeded"}, {}],
};

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

function refuse(reply, [status, error, headers]) {
  reply.writeHead(status, {"Content-Type": "application/json", ...headers});
  reply.end(JSON.stringify({error: {type: "error", param: null, ...error}}));
}

export class MockServer {
  constructor(folder) {
    this.folder = folder;
    this.requests = [];     // The bodies of those for an answer.
    this.key = "";          // Asked for if it is not empty.
    this.gone = 0;          // Answers whose client went away.
    this.models = ["tiny-a", "tiny-b"];
    this.server = http.createServer((request, reply) => this.handle(request, reply));
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}/`;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  async handle(request, reply) {
    const {pathname} = new URL(request.url, "http://localhost");
    if (!pathname.startsWith("/v1/")) return this.serveFile(pathname, reply);
    if (this.key && request.headers.authorization !== "Bearer " + this.key) {
      return refuse(reply, [401, {message: "no key was sent", code: "invalid_api_key"}, {}]);
    }
    if (pathname === "/v1/models") {
      reply.writeHead(200, {"Content-Type": "application/json"});
      return reply.end(JSON.stringify({object: "list", data: this.models.map((id) => ({id, object: "model"}))}));
    }
    let text = "";
    for await (const piece of request) text += piece;
    const body = JSON.parse(text);
    this.requests.push(body);
    return this.answer(body, reply);
  }

  serveFile(pathname, reply) {
    const name = pathname === "/" ? "index.html" : path.basename(pathname), file = path.join(this.folder, name);
    const type = kTypes[path.extname(name)];
    if (!type || !fs.existsSync(file)) return refuse(reply, [404, {message: "nothing here"}, {}]);
    reply.writeHead(200, {"Content-Type": type, "Content-Security-Policy": kPolicy, "Cache-Control": "no-cache"});
    return reply.end(fs.readFileSync(file));
  }

  async answer(body, reply) {
    const asked = body.messages.findLast((message) => message.role === "user").content.trim().split("\n\n").at(-1);
    if (refusals[asked]) return refuse(reply, refusals[asked]);
    let isGone = false;
    reply.on("close", () => {
      if (reply.writableFinished) return;
      isGone = true;
      ++this.gone;
    });
    reply.writeHead(200, {"Content-Type": "text/event-stream; charset=utf-8", "X-Seed": "12345"});
    const send = (delta, reason = null) => reply.write("data: " + JSON.stringify({
      id: "chatcmpl-1", object: "chat.completion.chunk", model: body.model, usage: null,
      choices: [{index: 0, delta, finish_reason: reason}]}) + "\n\n");
    send({role: "assistant", content: ""});
    const isRest = body.messages.at(-1).role === "assistant";
    const thoughts = asked === "think" ? ["先算首尾，", "再乘对数。"] : [];
    const pieces = isRest ? ["and the rest."] : answers[asked]?.() ?? ["You said: ", asked, "."];
    for (const piece of thoughts) {
      send({reasoning_content: piece});
      await wait(150);
    }
    if (asked === "slow") await wait(1000);
    for (const piece of pieces) {
      if (isGone) return undefined;
      send({content: piece});
      await wait({slow: 30, drop: 500}[asked] ?? 2);
      if (asked === "drop") return reply.destroy();
    }
    send({}, asked === "cut" && !isRest ? "length" : "stop");
    const usage = {prompt_tokens: 11, completion_tokens: pieces.length + thoughts.length};
    reply.write("data: " + JSON.stringify({choices: [], usage}) + "\n\n");
    return reply.end("data: [DONE]\n\n");
  }
}
