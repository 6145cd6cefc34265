// The parts of the chat page that work without a browser: node page_test.mjs <folder of the page>
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import {pathToFileURL} from "node:url";

// Node takes a .js for a module only where a package.json says so; browsers do not need one.
const source = process.argv[2], folder = fs.mkdtempSync(path.join(os.tmpdir(), "tinyllm-page-"));
process.on("exit", () => fs.rmSync(folder, {recursive: true}));
fs.cpSync(source, folder, {recursive: true});
fs.writeFileSync(path.join(folder, "package.json"), '{"type": "module"}');
const load = (name) => import(pathToFileURL(path.join(folder, name + ".js")));
const files = fs.readdirSync(source);
const read = (name) => fs.readFileSync(path.join(source, name), "utf8");

const {GrowingMarkdown, parseMarkdown} = await load("markdown");
const {formula} = await load("formulas");
const {textOf} = await load("tree");
const {EventReader, Failure, listModels, streamAnswer} = await load("protocol");
const {Conversation, newRecord, titleOf, wireMessages} = await load("conversation");
const {exported, imported} = await load("exchange");
const {explain} = await load("failures");
const {Answering, speedOf} = await load("answering");
const {fits, kParameters, requestFields} = await load("parameters");
const {excerpt, search} = await load("store");
const words = await load("words");

// A tree as markup, to compare and to read. The copy button of code is left out.
function markup(tree) {
  if (Array.isArray(tree)) return tree.map(markup).join("");
  if (typeof tree === "string") return tree.replaceAll("<", "&lt;");
  if (tree.tag === "button") return "";
  const given = Object.entries(tree.attributes).filter(([name]) => ["href", "start", "class", "display"].includes(name));
  const attributes = given.map(([name, value]) => ` ${name}=${value}`).join("");
  return `<${tree.tag}${attributes}>${markup(tree.children)}</${tree.tag}>`;
}
const html = (text) => markup(parseMarkdown(text));
const mathOf = (text, isDisplay = false) => {
  const made = formula(text, isDisplay, "$" + text + "$");
  return made.tag === "math" ? markup(made.children[0].children) : "source";
};

const bytes = (text) => new TextEncoder().encode(text);
const chunk = (delta, reason = null) => `data: ${JSON.stringify({choices: [{delta, finish_reason: reason}]})}\n\n`;

// A fetch that replies with pieces of a stream; the signal ends it as it ends a true one.
function fetcherOf(pieces, {status = 200, headers = {}} = {}) {
  return async (url, {signal} = {}) => {
    const body = new ReadableStream({
      async pull(controller) {
        if (signal?.aborted) return controller.error(signal.reason);
        if (pieces.length === 0) return controller.close();
        const piece = pieces.shift();
        return piece === null ? new Promise(() => {}) : controller.enqueue(bytes(piece));
      },
    });
    return new Response(body, {status, headers});
  };
}
async function partsOf(fetcher, options = {}) {
  const parts = [];
  for await (const part of streamAnswer({}, {fetcher, ...options})) parts.push(part);
  return parts;
}

// A conversation of questions and answers q1 a1 q2 a2 …
function talk(turns) {
  const conversation = new Conversation(newRecord());
  let parent = "";
  for (let i = 1; i <= turns; ++i) {
    for (const role of ["user", "assistant"]) {
      parent = conversation.add(parent, {role, text: (role === "user" ? "q" : "a") + i}).id;
    }
  }
  return conversation;
}
const texts = (conversation) => conversation.path().map((message) => message.text).join(" ");
const find = (conversation, text) => [...conversation.messages.values()].find((message) => message.text === text);

class MemoryStore {
  constructor() { this.puts = []; }
  async put(records, messages) { this.puts.push(structuredClone({records, messages})); }
}

const tests = {
  "paragraphs, headings, rules"() {
    assert.equal(html("one\ntwo\n\nthree"), "<p>one<br></br>two</p><p>three</p>");
    assert.equal(html("# Title #\ntext\n---\nmore"), "<h3>Title</h3><p>text</p><hr></hr><p>more</p>");
    assert.equal(html("#no heading"), "<p>#no heading</p>");
    assert.equal(html(""), "");
  },

  "emphasis needs no blanks in Chinese, and leaves names and products alone"() {
    assert.equal(html("这是**“重点”**和*斜体*。"), "<p>这是<strong>“重点”</strong>和<em>斜体</em>。</p>");
    assert.equal(html("***both*** ~~gone~~ **a *b***"),
                 "<p><strong><em>both</em></strong> <del>gone</del> <strong>a <em>b</em></strong></p>");
    for (const text of ["2*3*4 = 24", "2**10**2", "(1+2)*(3+4)*5", "snake_case_name", "5 * 6 * 7", "**open", "a ** b ** c"]) {
      assert.equal(html(text), `<p>${text}</p>`);
    }
  },

  "code keeps what is in it"() {
    assert.equal(html("`a*b*` and `` x`y ``"), "<p><code>a*b*</code> and <code>x`y</code></p>");
    assert.equal(html("```python\nif a < b:\n    **c**\n```\nafter"),
                 "<div class=code><span>python</span><pre><code class=language-python>if a &lt; b:\n    **c**</code></pre></div>" +
                 "<p>after</p>");
    assert.match(html("~~~\nopen"), /<pre><code>open<\/code>/);
  },

  "lists within lists, numbers that begin elsewhere, tasks"() {
    assert.equal(html("- a\n- b\n  - c\n\ntext"), "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul><p>text</p>");
    assert.equal(html("3. a\n4. b"), "<ol start=3><li>a</li><li>b</li></ol>");
    assert.equal(html("1. a\n\n   more\n\n2. b"), "<ol><li><p>a</p><p>more</p></li><li><p>b</p></li></ol>");
    assert.equal(html("- [x] done\n- [ ] open"), "<ul><li class=task>☑ done</li><li class=task>☐ open</li></ul>");
    assert.equal(html("1. a\n  - b"), "<ol><li>a<ul><li>b</li></ul></li></ol>");
  },

  "tables and quotes"() {
    assert.equal(html("|a|b|\n|-|:-:|\n|1|2\\|3|\n|4|"),
                 "<div class=table><table><thead><tr><th>a</th><th class=center>b</th></tr></thead><tbody>" +
                 "<tr><td>1</td><td class=center>2|3</td></tr><tr><td>4</td><td class=center></td></tr></tbody></table></div>");
    assert.equal(html("> a\n> > b\nc"), "<blockquote><p>a</p><blockquote><p>b<br></br>c</p></blockquote></blockquote>");
  },

  "only links to pages and mail become links; markup and images stay text"() {
    assert.equal(html("[a](https://x.org/b_(c))"), "<p><a href=https://x.org/b_(c)>a</a></p>");
    assert.equal(html("见https://x.org/a。好"), "<p>见<a href=https://x.org/a>https://x.org/a</a>。好</p>");
    assert.equal(html("![cat](https://x.org/cat.png)"), "<p><a href=https://x.org/cat.png>cat</a></p>");
    for (const address of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "/local", "vbscript:x"]) {
      assert.equal(html(`[a](${address})`), `<p>[a](${address})</p>`);
    }
    assert.equal(html("<script>alert(1)</script>"), "<p>&lt;script>alert(1)&lt;/script></p>");
  },

  "formulas are found by their marks; prices are text"() {
    assert.equal(html("$x$"), "<p><math><mrow><mi>x</mi></mrow></math></p>");
    assert.equal(html("\\(x\\) and \\[x\\]"), "<p><math><mrow><mi>x</mi></mrow></math> and " +
                 "<math display=block><mrow><mi>x</mi></mrow></math></p>");
    assert.equal(html("$$\nx\n$$\nafter"), "<p><math display=block><mrow><mi>x</mi></mrow></math></p><p>after</p>");
    assert.equal(html("it costs $5 or $6"), "<p>it costs $5 or $6</p>");
    assert.equal(html("$ x $ and \\$1"), "<p>$ x $ and $1</p>");
  },

  "formulas become MathML"() {
    assert.equal(mathOf("\\frac{1}{2}"), "<mfrac><mn>1</mn><mn>2</mn></mfrac>");
    assert.equal(mathOf("x_1^2"), "<msubsup><mi>x</mi><mn>1</mn><mn>2</mn></msubsup>");
    assert.equal(mathOf("x^12"), "<msup><mi>x</mi><mn>1</mn></msup><mn>2</mn>");
    assert.equal(mathOf("\\sqrt[3]{x}-1"), "<mroot><mi>x</mi><mn>3</mn></mroot><mo>−</mo><mn>1</mn>");
    assert.equal(mathOf("\\sum_{i=1}^n", true), "<munderover><mo class=limits>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn>" +
                 "</mrow><mi>n</mi></munderover>");
    assert.equal(mathOf("\\sum_i"), "<msub><mo>∑</mo><mi>i</mi></msub>");
    assert.equal(mathOf("\\mathbb{R}\\mathbf{x}"), "<mi>ℝ</mi><mi>𝐱</mi>");
    assert.equal(mathOf("f''(x)"), "<msup><mi>f</mi><mo>′′</mo></msup><mo>(</mo><mi>x</mi><mo>)</mo>");
    assert.equal(mathOf("\\text{若 } 面积"), "<mtext>若\u00a0</mtext><mtext>面积</mtext>");
    assert.match(mathOf("\\begin{cases} 1 & x>0 \\\\ 0 & x\\le 0 \\end{cases}"),
                 /^<mrow><mo>\{<\/mo><mtable class=left><mtr><mtd><mn>1<\/mn><\/mtd>.*<\/mtr><mtr>.*<\/mtr><\/mtable><\/mrow>$/);
    assert.match(mathOf("\\left(\\frac{a}{b}\\right]"), /^<mrow><mo>\(<\/mo><mfrac>.*<\/mfrac><mo>\]<\/mo><\/mrow>$/);
  },

  "a formula that is not understood is shown as its source"() {
    for (const text of ["\\unknown", "{x", "x}", "\\frac{1}", "\\begin{what}x\\end{what}", "\\left(x", "a & b", "x^^2",
                        "\\text{\\bf x}", "\\constructor", "\\toString", "{".repeat(100) + "}".repeat(100),
                        "\\hat".repeat(200) + "x", "x".repeat(5000)]) {
      assert.equal(mathOf(text), "source", text);
    }
    assert.equal(html("$\\unknown$"), "<p><code class=formula>$\\unknown$</code></p>");
  },

  // Cut anywhere, in pieces of any length: what was closed stays, and the end is as if it had come at once.
  "Markdown that grows is the same as Markdown that is whole"() {
    const pieces = ["text ", "**b**", "\n", "\n\n", "- item\n", "  - sub\n", "1. one\n", "```\n", "code\n", "|a|b|\n", "|-|-|\n",
                    "|1|2|\n", "# head\n", "> quote\n", "$$x$$\n", "$$\n", "---\n", "-", "=", "    deep\n", "\t", "\r\n", "\\[", "\\]"];
    let state = 7;
    const random = (below) => { state = (state * 48271) % 2147483647; return state % below; };
    for (let round = 0; round < 400; ++round) {
      const text = Array.from({length: 1 + random(25)}, () => pieces[random(pieces.length)]).join("");
      const growing = new GrowingMarkdown(), closed = [];
      for (let end = 0; end < text.length;) {
        end = Math.min(text.length, end + 1 + random(9));
        closed.push(...growing.update(text.slice(0, end)));
      }
      assert.equal(markup([...closed, ...growing.open]), html(text), JSON.stringify(text));
    }
  },

  "only the end of a long answer is parsed again"() {
    const growing = new GrowingMarkdown();
    growing.update("paragraph\n\n".repeat(1000) + "the last");
    assert.equal(growing.read, "paragraph\n\n".repeat(999).length);
    assert.equal(markup(growing.open), "<p>paragraph</p><p>the last</p>");
  },

  "long and bad text ends"() {
    for (const one of ["*", "_a", "`", "[", "](", "$", "\\(", "> ", "- ", "**a ", "|", "|-", "http://", "![", "~~", "$a "]) {
      for (const text of [one.repeat(20_000), (one + "\n").repeat(5_000)]) {
        assert.ok(textOf({children: parseMarkdown(text)}).length <= text.length + 1e6);
      }
    }
  },

  "events are the same however the bytes are cut"() {
    const stream = bytes(": ping\n\ndata: {\"a\":\"数\"}\r\n\r\ndata:two\ndata: lines\n\nevent: x\nid: 1\n\ndata: [DONE]\n\n");
    for (let size = 1; size <= stream.length; ++size) {
      const reader = new EventReader(), events = [];
      for (let at = 0; at < stream.length; at += size) events.push(...reader.push(stream.slice(at, at + size)));
      assert.deepEqual(events, ['{"a":"数"}', "two\nlines", "[DONE]"], `pieces of ${size} bytes`);
    }
  },

  async "an answer comes as parts"() {
    const parts = await partsOf(fetcherOf([
      chunk({role: "assistant", content: ""}), ": ping\n\n", chunk({reasoning_content: "hm"}), chunk({content: "yes"}),
      chunk({}, "stop"), 'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\ndata: [DONE]\n\n']));
    assert.deepEqual(parts, [{kind: "reasoning", text: "hm"}, {kind: "text", text: "yes"}, {kind: "end", reason: "stop"},
                             {kind: "usage", prompt: 3, answer: 2}]);
  },

  async "what the server refuses says why"() {
    const body = JSON.stringify({error: {message: "wait", type: "rate_limit_error", code: "rate_limit_exceeded"}});
    const busy = partsOf(fetcherOf([body], {status: 429, headers: {"Retry-After": "7"}}));
    await assert.rejects(busy, {kind: "refused", status: 429, retryAfter: 7, code: "rate_limit_exceeded", message: "wait"});
    await assert.rejects(partsOf(fetcherOf(["<html>"], {status: 502})), {kind: "refused", status: 502, message: ""});
    const late = partsOf(fetcherOf([chunk({content: "a"}), 'data: {"error":{"message":"gone","code":"internal_error"}}\n\n']));
    await assert.rejects(late, {kind: "refused", message: "gone", code: "internal_error"});
    await assert.rejects(listModels("", fetcherOf(["{}"])), {kind: "refused"});
  },

  async "a stream that ends early, stays silent or is no stream is lost; one that is stopped is not"() {
    await assert.rejects(partsOf(fetcherOf([chunk({content: "a"})])), {kind: "lost"});
    await assert.rejects(partsOf(fetcherOf([chunk({content: "a"}), null]), {silence: 5}), {kind: "lost"});
    await assert.rejects(partsOf(fetcherOf(["data: <html>\n\n"])), {kind: "lost"});
    await assert.rejects(partsOf(async () => { throw new TypeError("fetch failed"); }), {kind: "unreachable"});
    const controller = new AbortController();
    const stopped = partsOf(fetcherOf([chunk({content: "a"}), chunk({content: "b"})]), {signal: controller.signal});
    controller.abort();
    await assert.rejects(stopped, {name: "AbortError"});
  },

  async "models in the order of the server, with the key"() {
    let sent;
    const fetcher = async (url, {headers}) => {
      sent = headers.Authorization;
      return new Response('{"data":[{"id":"b"},{"id":"a"},{}]}');
    };
    assert.deepEqual(await listModels("secret", fetcher), ["b", "a"]);
    assert.equal(sent, "Bearer secret");
  },

  "a changed question is a branch with its own answers"() {
    const conversation = talk(2), q2 = find(conversation, "q2");
    const changed = conversation.add(q2.parent, {role: "user", text: "q2 changed"});
    assert.equal(texts(conversation), "q1 a1 q2 changed");
    conversation.add(changed.id, {role: "assistant", text: "other"});
    assert.deepEqual(conversation.siblings(changed).map(({text}) => text), ["q2", "q2 changed"]);
    conversation.choose(q2);
    assert.equal(texts(conversation), "q1 a1 q2 a2");
    assert.equal(conversation.pathTo(find(conversation, "other")).map(({text}) => text).join(), "q1,a1,q2 changed,other");
    const again = new Conversation(structuredClone(conversation.record), structuredClone([...conversation.messages.values()]));
    assert.equal(texts(again), "q1 a1 q2 a2");
  },

  "what is removed takes all after it along, shows a sibling, and comes back whole"() {
    const conversation = talk(3), q2 = find(conversation, "q2");
    conversation.add(q2.parent, {role: "user", text: "other"});
    conversation.choose(q2);
    const removed = conversation.remove(q2);
    assert.deepEqual(removed.map(({text}) => text), ["q2", "a2", "q3", "a3"]);
    assert.equal(texts(conversation), "q1 a1 other");
    conversation.restore(removed);
    assert.equal(texts(conversation), "q1 a1 q2 a2 q3 a3");
    conversation.remove(find(conversation, "q1"));
    assert.equal(texts(conversation), "");
  },

  "a request has the system's message first, and the reasoning only of an answer that goes on"() {
    const conversation = talk(2), [, a1, q2, a2] = conversation.path();
    conversation.record.system = "be brief";
    a1.reasoning = a2.reasoning = "hm";
    assert.deepEqual(wireMessages(conversation, q2), [
      {role: "system", content: "be brief"}, {role: "user", content: "q1"}, {role: "assistant", content: "a1"},
      {role: "user", content: "q2"}]);
    assert.deepEqual(wireMessages(conversation, a2).at(-1), {role: "assistant", content: "a2", reasoning_content: "hm"});
  },

  "titles are the first line, cut between characters"() {
    assert.equal(titleOf("  你好\nworld"), "你好");
    assert.equal(titleOf("😀".repeat(50)), "😀".repeat(39) + "…");
  },

  "what is exported comes back, with its branches and under new ids"() {
    const conversation = talk(2), q2 = find(conversation, "q2");
    Object.assign(conversation.record, {title: "T", system: "S"});
    Object.assign(find(conversation, "a1"), {reasoning: "hm", tokens: 5, seconds: 2, thought: 1, model: "m", state: "length"});
    conversation.add(q2.parent, {role: "user", text: "other"});
    conversation.choose(q2);
    const [{record, messages}] = imported(exported([{record: conversation.record, messages: [...conversation.messages.values()]}]));
    const again = new Conversation(record, messages);
    assert.equal(texts(again), "q1 a1 q2 a2");
    assert.deepEqual([record.title, record.system], ["T", "S"]);
    assert.notEqual(record.id, conversation.id);
    assert.ok(messages.every(({id, conversation: owner}) => owner === record.id && !conversation.messages.has(id)));
    const {reasoning, tokens, seconds, thought, model, state} = find(again, "a1");
    assert.deepEqual({reasoning, tokens, seconds, thought, model, state},
                     {reasoning: "hm", tokens: 5, seconds: 2, thought: 1, model: "m", state: "length"});
  },

  "lists of messages of other programs come in: one, or one a line"() {
    const one = [{role: "system", content: "S"}, {role: "user", content: [{type: "text", text: "q"}]}, {role: "assistant", content: "a"}];
    const [{record, messages}] = imported(JSON.stringify({messages: one}, null, 2));
    assert.deepEqual([record.system, record.title, texts(new Conversation(record, messages))], ["S", "q", "q a"]);
    assert.equal(imported(JSON.stringify(one)).length, 1);
    assert.equal(imported([one, one].map((list) => JSON.stringify({messages: list})).join("\n")).length, 2);
  },

  "a file that is not one is refused with the place"() {
    const ours = (conversation) => JSON.stringify({format: "tinyllm-chat", version: 1, conversations: [conversation]});
    const message = {id: "1", parent: "", role: "user", text: "q"};
    for (const [text, says] of [
      ["", /file: /], ["{", /file: /], ["7", /expected a list of messages/], ['{"messages":[]}', /expected a list/],
      ['[{"role":"cat","content":"x"}]', /message 1: role cat/], ["[{}]\n[{}", /line 2: /],
      ['{"format":"tinyllm-chat","version":2}', /version 2, expected 1/],
      [ours({}), /conversation 1: expected an object with messages/],
      [ours({messages: [{...message, parent: "2"}]}), /message 1: its parent is not before it/],
      [ours({messages: [message, message]}), /message 2: its id is there twice/],
      [ours({messages: [{...message, role: "system"}]}), /message 1: role system/],
      [ours({messages: [null]}), /message 1: expected an object with an id/],
    ]) {
      assert.throws(() => imported(text), says, text);
    }
  },

  "fields of a wrong type in a file say nothing"() {
    const message = {id: "1", parent: "", role: "assistant", text: 7, tokens: "many", seconds: -1, state: "answering", model: {}};
    const [{record, messages}] = imported(JSON.stringify({format: "tinyllm-chat", version: 1, conversations: [
      {title: {}, created: null, chosen: {"": "nobody", toString: 1}, messages: [message]}]}));
    const {text, tokens, seconds, state, model} = messages[0];
    assert.deepEqual({text, tokens, seconds, state, model},
                     {text: "", tokens: undefined, seconds: undefined, state: "stopped", model: undefined});
    assert.deepEqual([record.title, record.chosen], ["", {}]);
  },

  async "an answer fills in its message, counts and times, and is stored"() {
    const store = new MemoryStore(), conversation = talk(1), ends = [];
    let time = 0;
    async function* stream(request, {key}) {
      assert.deepEqual([request.temperature, request.messages.at(-1).content, key], [0.5, "a question", "k"]);
      for (const [at, part] of [[500, {kind: "reasoning", text: "hm"}], [1500, {kind: "text", text: "It "}],
                                [2500, {kind: "text", text: "is."}], [2500, {kind: "end", reason: "stop"}],
                                [2600, {kind: "usage", prompt: 9, answer: 5}]]) {
        time = at;
        yield part;
      }
    }
    const answering = new Answering({store, stream, clock: () => time, changed() {}, ended: (...given) => ends.push(given)});
    const question = conversation.add("", {role: "user", text: "a question"});
    const end = answering.answer(conversation, question, {model: "m", temperature: 0.5}, "k");
    assert.ok(answering.isRunning(conversation.id));
    await end;
    const [[, message, failure]] = ends;
    assert.equal(failure, null);
    const {text, reasoning, state, wait, thought, seconds, tokens, promptTokens, isAbout, model} = message;
    assert.deepEqual({text, reasoning, state, wait, thought, seconds, tokens, promptTokens, isAbout, model},
                     {text: "It is.", reasoning: "hm", state: "done", wait: 0.5, thought: 1, seconds: 2, tokens: 5,
                      promptTokens: 9, isAbout: false, model: "m"});
    assert.equal(speedOf(message), 2);
    assert.equal(store.puts.at(-1).messages[0].text, "It is.");
    assert.ok(!answering.isRunning(conversation.id));
  },

  async "an answer that is stopped keeps what came, and can go on"() {
    const conversation = talk(1), ends = [], [question, answer] = conversation.path();
    let requests = [];
    async function* stream(request, {signal}) {
      requests.push(request);
      yield {kind: "text", text: " begun"};
      if (requests.length > 1) return yield {kind: "end", reason: "stop"};
      signal.throwIfAborted();
      await new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason)));
    }
    const answering = new Answering({store: new MemoryStore(), stream, changed() {}, ended: (...given) => ends.push(given)});
    answering.answer(conversation, question, {}, "");
    await answering.stop(conversation.id);
    const [[, message, failure]] = ends;
    assert.deepEqual([message.text, message.state, message.isAbout, failure], [" begun", "stopped", true, null]);
    assert.notEqual(message, answer);
    await answering.goOn(conversation, message, {}, "");
    assert.deepEqual([message.text, message.state], [" begun begun", "done"]);
    assert.deepEqual(requests[1].messages.at(-1), {role: "assistant", content: " begun"});
    assert.equal(requests[1].continue_final_message, true);
  },

  async "an answer that fails keeps what came and says why"() {
    const conversation = talk(1), ends = [];
    async function* stream() {
      yield {kind: "text", text: "half"};
      throw new Failure("lost");
    }
    const answering = new Answering({store: new MemoryStore(), stream, changed() {}, ended: (...given) => ends.push(given)});
    await answering.answer(conversation, conversation.path()[0], {}, "");
    assert.deepEqual([ends[0][1].text, ends[0][1].state, ends[0][2].kind], ["half", "stopped", "lost"]);
  },

  "each failure has its words, with what the server said"() {
    words.speak("en");
    const of = (status, code = "", retryAfter = 0) => explain(new Failure("refused", "why", {status, code, retryAfter})).text;
    assert.match(of(429, "rate_limit_exceeded", 90), /try again in 1 min 30 s.*Server: why/);
    assert.match(of(429, "insufficient_quota"), /quota/);
    assert.match(of(400, "context_length_exceeded"), /longer than the model's context/);
    assert.match(of(404, "model_not_found"), /does not have this model/);
    assert.match(of(503), /starting or stopping/);
    assert.match(of(500), /failed \(500\)/);
    assert.match(of(400), /refused the request \(400\)/);
    assert.ok(explain(new Failure("refused", "", {status: 401})).needsKey);
    assert.match(explain(new Failure("lost")).text, /connection/);
  },

  "only parameters that are set and fit are sent"() {
    assert.deepEqual(requestFields({}), {});
    assert.deepEqual(requestFields({temperature: "0.7", top_k: "40", seed: " ", stop: "END\n\nSTOP", min_p: "2", foreign: "1"}),
                     {temperature: 0.7, top_k: 40, stop: ["END", "STOP"]});
    const [temperature] = kParameters, seed = kParameters.find(({name}) => name === "seed");
    for (const text of ["2.1", "-1", "NaN", "warm", "Infinity"]) assert.ok(!fits(temperature, text), text);
    for (const text of ["", "0", "1e0", "2"]) assert.ok(fits(temperature, text), text);
    assert.ok(!fits(seed, "1.5"));
  },

  "a search finds all words in a title or in one message"() {
    const records = [{id: "1", title: "Sums"}, {id: "2", title: "other"}];
    const messages = [{conversation: "2", text: "the SUM of odd numbers"}, {conversation: "2", text: "later"}];
    assert.deepEqual(search("sum", records, messages).map(({record}) => record.id), ["1", "2"]);
    assert.deepEqual(search("odd sum", records, messages), [{record: records[1], message: messages[0]}]);
    assert.deepEqual(search("odd later", records, messages), []);
    assert.equal(excerpt("a".repeat(50) + " needle " + "b".repeat(50), "needle", 20), "…aaaaa needle bbbbbbb…");
  },

  "every text is in both languages, with the same blanks to fill in, and is used"() {
    const blanks = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort().join();
    const used = files.filter((name) => name !== "words.js" && /\.(js|html)$/.test(name)).map(read).join("\n") +
                 read("words.js").split("};").slice(1).join();
    const say = (language, name) => {
      words.speak(language);
      return words.say(name, new Proxy({}, {get: (_, key) => `{${String(key)}}`}));
    };
    for (const name of words.kWordNames) {
      assert.equal(blanks(say("zh-CN", name)), blanks(say("en", name)), name);
      const isUsed = used.includes(`"${name}"`) || kParameters.some((one) => one.name === name) || ["lost", "unreachable"].includes(name);
      assert.ok(isUsed, `${name} is not used`);
    }
    assert.throws(() => words.say("nothing of this name"));
  },

  "durations, words, languages"() {
    words.speak("zh-CN");
    assert.deepEqual([0.44, 3, 12.3, 61].map(words.duration), ["0.4 秒", "3 秒", "12 秒", "1 分 1 秒"]);
    assert.equal(words.countWords("你好 world, it's 3"), 5);
    assert.deepEqual(["zh-CN", "zh", "en-GB", "fr"].map((one) => words.preferred([one])), ["zh-CN", "zh-CN", "en", "en"]);
    assert.deepEqual(["答案是 x", "the answer", "42"].map(words.languageOf), ["zh-CN", "en", ""]);
  },

  // WCAG 2, 1.4.3: 4.5 to 1.
  "text stands out from what is behind it, in both themes"() {
    const colours = [...read("style.css").matchAll(/--([\w-]+): light-dark\(#(\w{6}), #(\w{6})\)/g)];
    const table = Object.fromEntries(colours.map(([, name, light, dark]) => [name, [light, dark]]));
    const luminance = (hex) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
        .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const contrast = (a, b) => {
      const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
      return (high + 0.05) / (low + 0.05);
    };
    const pairs = [["text", "back"], ["text", "card"], ["text", "mine"], ["text", "code"], ["faint", "back"], ["faint", "card"],
                   ["faint", "code"], ["faint", "line"], ["accent", "back"], ["accent", "card"], ["on-accent", "accent"],
                   ["alarm", "alarm-back"], ["alarm", "card"]];
    for (const [front, back] of pairs) {
      for (const theme of [0, 1]) {
        const ratio = contrast(table[front][theme], table[back][theme]);
        assert.ok(ratio >= 4.5, `${front} on ${back}: ${ratio.toFixed(2)}`);
      }
    }
    for (const theme of [0, 1]) assert.ok(contrast(table.field[theme], table.card[theme]) >= 3);  // WCAG 2, 1.4.11.
  },

  "the page is small, asks nobody else, and makes no markup of text"() {
    const assets = files.filter((name) => name !== "README.md");
    const total = assets.reduce((sum, name) => sum + fs.statSync(path.join(source, name)).size, 0);
    assert.ok(total < 150_000, `${total} bytes`);
    for (const name of assets) {
      const text = read(name);
      assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/, name);
      assert.doesNotMatch(text, /<script>|<style|\sstyle=|\son\w+="/, name);
      assert.ok([...text.matchAll(/https?:\/\/[\w.]+/g)].every(([address]) => address === "http://www.w3.org"), name);
    }
    const loaded = new Set(assets.flatMap((name) => [...read(name).matchAll(/(?:from |src=|href=)"(?:\.\/)?([\w.]+)"/g)])
        .map(([, name]) => name));
    for (const name of assets) assert.ok(name === "index.html" || loaded.has(name), `${name} is not loaded`);
  },
};

let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
  } catch (error) {
    ++failed;
    console.error(`FAILED: ${name}\n${error.stack}\n`);
  }
}
console.log(`${Object.keys(tests).length - failed} of ${Object.keys(tests).length} tests passed`);
process.exitCode = failed ? 1 : 0;
