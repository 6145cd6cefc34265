// What the chat page sends, receives and keeps: node talk_test.mjs <folder of the page>
import assert from "node:assert/strict";
import {load, run} from "./harness.mjs";

const {EventReader, Failure, listModels, streamAnswer} = await load("protocol");
const {Conversation, newRecord, titleOf, wireMessages} = await load("conversation");
const {exported, imported} = await load("exchange");
const {explain} = await load("failures");
const {Answering, speedOf} = await load("answering");
const {fits, kParameters, requestFields} = await load("parameters");
const {excerpt, search} = await load("store");
const words = await load("words");

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

await run({
  "events are the same however the bytes are cut"() {
    const stream =
        bytes(": ping\n\ndata: {\"a\":\"数\"}\r\n\r\ndata:two\ndata: lines\n\nevent: x\nid: 1\n\ndata: [DONE]\n\n");
    for (let size = 1; size <= stream.length; ++size) {
      const reader = new EventReader(), events = [];
      for (let at = 0; at < stream.length; at += size) events.push(...reader.push(stream.slice(at, at + size)));
      assert.deepEqual(events, ['{"a":"数"}', "two\nlines", "[DONE]"], `pieces of ${size} bytes`);
    }
  },

  async "an answer comes as parts"() {
    const parts = await partsOf(fetcherOf([
      chunk({role: "assistant", content: ""}), ": ping\n\n", chunk({reasoning_content: "hm"}), chunk({content: "yes"}),
      chunk({}, "stop"), 'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\ndata: [DONE]\n\n'
    ], {headers: {"X-Seed": "9007199254740991"}}));
    assert.deepEqual(parts, [
      {kind: "seed", text: "9007199254740991"},
      {kind: "reasoning", text: "hm"}, {kind: "text", text: "yes"}, {kind: "end", reason: "stop"},
      {kind: "usage", prompt: 3, answer: 2}
    ]);
  },

  async "the votes of several chains of thought come with the end"() {
    const end = (verdict) => 'data: ' + JSON.stringify({choices: [{delta: {}, finish_reason: "stop"}], self_consistency: verdict}) +
        "\n\ndata: [DONE]\n\n";
    const votes = [{answer: "74", count: 3, score: 3}, {answer: "11", count: 1, score: 0.1}];
    const stream = [chunk({role: "assistant", content: ""}), ": chain 1/5\n\n", chunk({content: "74"})];
    assert.deepEqual(await partsOf(fetcherOf([...stream, end({samples: 5, votes, unparsed: 1})])),
                     [{kind: "text", text: "74"}, {kind: "votes", text: "74 × 3, 11 × 1, – × 1"}, {kind: "end", reason: "stop"}]);
    const textOf = async (verdict) => (await partsOf(fetcherOf([...stream, end(verdict)])))[1].text;
    assert.equal(await textOf({votes, unparsed: 0}), "74 × 3, 11 × 1");
    const many = [..."123456"].map((answer) => ({answer: answer.repeat(30), count: 1}));
    assert.match(await textOf({votes: many}), /^1{20}… × 1, .*5{20}… × 1, …$/);
  },

  async "what the server refuses says why"() {
    const body = JSON.stringify({error: {message: "wait", type: "rate_limit_error", code: "rate_limit_exceeded"}});
    const busy = partsOf(fetcherOf([body], {status: 429, headers: {"Retry-After": "7"}}));
    await assert.rejects(
        busy, {kind: "refused", status: 429, retryAfter: 7, code: "rate_limit_exceeded", message: "wait"});
    await assert.rejects(partsOf(fetcherOf(["<html>"], {status: 502})), {kind: "refused", status: 502, message: ""});
    const late =
        partsOf(fetcherOf([chunk({content: "a"}), 'data: {"error":{"message":"gone","code":"internal_error"}}\n\n']));
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
    assert.equal(
        conversation.pathTo(find(conversation, "other")).map(({text}) => text).join(), "q1,a1,q2 changed,other");
    const again =
        new Conversation(structuredClone(conversation.record), structuredClone([...conversation.messages.values()]));
    assert.equal(texts(again), "q1 a1 q2 a2");
  },

  "what is removed takes all after it along, shows a sibling, and comes back whole"() {
    const conversation = talk(3), q2 = find(conversation, "q2");
    for (const text of ["other", "last"]) conversation.add(q2.parent, {role: "user", text});
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
    assert.deepEqual(
        wireMessages(conversation, a2).at(-1), {role: "assistant", content: "a2", reasoning_content: "hm"});
  },

  "questions that follow each other are one in a request"() {
    const conversation = talk(1), [q1] = conversation.path(),
          q2 = conversation.add(q1.id, {role: "user", text: "again"});
    assert.deepEqual(wireMessages(conversation, q2), [{role: "user", content: "q1\n\nagain"}]);
  },

  "titles are the first line, cut between characters"() {
    assert.equal(titleOf("  你好\nworld"), "你好");
    assert.equal(titleOf("😀".repeat(50)), "😀".repeat(39) + "…");
  },

  "what is exported comes back, with its branches and under new ids"() {
    const conversation = talk(2), q2 = find(conversation, "q2");
    Object.assign(conversation.record, {title: "T", system: "S"});
    Object.assign(
        find(conversation, "a1"), {reasoning: "hm", votes: "7 × 5", tokens: 5, seconds: 2, thought: 1, model: "m", state: "length"});
    conversation.add(q2.parent, {role: "user", text: "other"});
    conversation.choose(q2);
    const [{record, messages}] =
        imported(exported([{record: conversation.record, messages: [...conversation.messages.values()]}]));
    const again = new Conversation(record, messages);
    assert.equal(texts(again), "q1 a1 q2 a2");
    assert.deepEqual([record.title, record.system], ["T", "S"]);
    assert.notEqual(record.id, conversation.id);
    assert.ok(messages.every(({id, conversation: owner}) => owner === record.id && !conversation.messages.has(id)));
    const {reasoning, votes, tokens, seconds, thought, model, state} = find(again, "a1");
    assert.deepEqual({reasoning, votes, tokens, seconds, thought, model, state},
                     {reasoning: "hm", votes: "7 × 5", tokens: 5, seconds: 2, thought: 1, model: "m", state: "length"});
  },

  "in the file a parent comes before its children, whatever the clock said"() {
    const conversation = talk(2);
    find(conversation, "q1").created += 1000;  // as when the clock was set back, or a version came in the same instant
    const [{record, messages}] =
        imported(exported([{record: conversation.record, messages: [...conversation.messages.values()]}]));
    assert.equal(texts(new Conversation(record, messages)), "q1 a1 q2 a2");
  },

  "lists of messages of other programs come in: one, or one a line"() {
    const one = [
      {role: "system", content: "S"}, {role: "user", content: [{type: "text", text: "q"}]},
      {role: "assistant", content: "a"}
    ];
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
    const message =
        {id: "1", parent: "", role: "assistant", text: 7, tokens: "many", seconds: -1, state: "answering", model: {}};
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
      for (const [at, part] of [[400, {kind: "seed", text: "17"}], [500, {kind: "reasoning", text: "hm"}],
                                [1500, {kind: "text", text: "It "}], [2500, {kind: "text", text: "is."}],
                                [2500, {kind: "votes", text: "It is. × 5"}], [2500, {kind: "end", reason: "stop"}], [2600, {kind: "usage", prompt: 9, answer: 5}]]) {
        time = at;
        yield part;
      }
    }
    const answering =
        new Answering({store, stream, clock: () => time, changed() {}, ended: (...given) => ends.push(given)});
    const question = conversation.add("", {role: "user", text: "a question"});
    const end = answering.answer(conversation, question, {model: "m", temperature: 0.5}, "k");
    assert.ok(answering.isRunning(conversation.id));
    await end;
    const [[, message, failure]] = ends;
    assert.equal(failure, null);
    const {text, reasoning, state, wait, thought, seconds, tokens, promptTokens, isAbout, model, seed} = message;
    assert.deepEqual({text, reasoning, state, wait, thought, seconds, tokens, promptTokens, isAbout, model, seed},
                     {text: "It is.", reasoning: "hm", state: "done", wait: 0.5, thought: 1, seconds: 2, tokens: 5,
                      promptTokens: 9, isAbout: false, model: "m", seed: "17"});
    assert.equal(message.votes, "It is. × 5");
    assert.equal(speedOf(message), 2);
    assert.equal(store.puts.at(-1).messages[0].text, "It is.");
    assert.ok(!answering.isRunning(conversation.id));
  },

  async "an answer that is stopped keeps what came, and can go on"() {
    const conversation = talk(1), ends = [], [question, answer] = conversation.path();
    let requests = [];
    async function* stream(request, {signal}) {
      requests.push(request);
      yield {kind: "seed", text: "5"};
      yield {kind: "text", text: " begun"};
      if (requests.length > 1) return yield {kind: "end", reason: "stop"};
      signal.throwIfAborted();
      await new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason)));
    }
    const answering =
        new Answering({store: new MemoryStore(), stream, changed() {}, ended: (...given) => ends.push(given)});
    answering.answer(conversation, question, {}, "");
    await answering.stop(conversation.id);
    const [[, message, failure]] = ends;
    assert.deepEqual([message.text, message.state, message.isAbout, failure], [" begun", "stopped", true, null]);
    assert.equal(message.seed, "5");
    assert.notEqual(message, answer);
    await answering.goOn(conversation, message, {}, "");
    assert.deepEqual([message.text, message.state], [" begun begun", "done"]);
    assert.equal(message.seed, undefined);  // It took two.
    assert.deepEqual(requests[1].messages.at(-1), {role: "assistant", content: " begun"});
    assert.equal(requests[1].continue_final_message, true);
  },

  async "an answer that fails keeps what came and says why"() {
    const conversation = talk(1), ends = [];
    async function* stream() {
      yield {kind: "text", text: "half"};
      throw new Failure("lost");
    }
    const answering =
        new Answering({store: new MemoryStore(), stream, changed() {}, ended: (...given) => ends.push(given)});
    await answering.answer(conversation, conversation.path()[0], {}, "");
    assert.deepEqual([ends[0][1].text, ends[0][1].state, ends[0][2].kind], ["half", "stopped", "lost"]);
  },

  "each failure has its words, with what the server said"() {
    words.speak("en");
    const of = (status, code = "", retryAfter = 0) =>
        explain(new Failure("refused", "why", {status, code, retryAfter})).text;
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
    assert.deepEqual(
        requestFields({temperature: "0.7", top_k: "40", seed: " ", stop: "END\n\nSTOP", min_p: "2", foreign: "1"}),
        {temperature: 0.7, top_k: 40, stop: ["END", "STOP"]});
    const [temperature] = kParameters, seed = kParameters.find(({name}) => name === "seed");
    for (const text of ["2.1", "-1", "NaN", "warm", "Infinity"]) assert.ok(!fits(temperature, text), text);
    for (const text of ["", "0", "1e0", "2"]) assert.ok(fits(temperature, text), text);
    assert.ok(!fits(seed, "1.5"));
    assert.deepEqual(requestFields({samples: "5", seed: "1"}), {seed: 1, self_consistency: {samples: 5}});
    for (const samples of ["", "1", "0", "129", "2.5"]) assert.deepEqual(requestFields({samples}), {});
  },

  "a search finds all words in a title or in one message"() {
    const records = [{id: "1", title: "Sums"}, {id: "2", title: "other"}];
    const messages = [{conversation: "2", text: "the SUM of odd numbers"}, {conversation: "2", text: "later"}];
    assert.deepEqual(search("sum", records, messages).map(({record}) => record.id), ["1", "2"]);
    assert.deepEqual(search("odd sum", records, messages), [{record: records[1], message: messages[0]}]);
    assert.deepEqual(search("odd later", records, messages), []);
    assert.equal(excerpt("a".repeat(50) + " needle " + "b".repeat(50), "needle", 20), "…aaaaa needle bbbbbbb…");
  },
});
