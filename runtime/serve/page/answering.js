// Answers as they arrive: asks the server, fills in the message, stores it. Several conversations may do so at once.
import {wireMessages} from "./conversation.js";
import {Failure, streamAnswer} from "./protocol.js";

const kSaveEvery = 2000;  // Milliseconds.

export class Answering {
  // store: see store.js. changed(conversation, message): after every part. ended(conversation, message, failure): the
  // failure may be null.
  constructor({store, changed, ended, stream = streamAnswer, clock = () => performance.now()}) {
    Object.assign(this, {store, changed, ended, stream, clock});
    this.running = new Map();  // Of the id of a conversation: {message, controller}.
  }

  isRunning(id) { return this.running.has(id); }

  // Resolves when it has stopped, at once where nothing runs.
  async stop(id) {
    const running = this.running.get(id);
    running?.controller.abort();
    await running?.end;
  }

  // A new answer to a question.
  answer(conversation, question, request, key) {
    const message = conversation.add(question.id, {role: "assistant", model: request.model});
    return this.run(conversation, message, {...request, messages: wireMessages(conversation, question)}, key);
  }

  // The rest of an answer.
  goOn(conversation, message, request, key) {
    const messages = wireMessages(conversation, message);
    return this.run(conversation, message,
                    {...request, messages, add_generation_prompt: false, continue_final_message: true}, key);
  }

  run(conversation, message, request, key) {
    const controller = new AbortController();
    message.state = "answering";
    const end = this.read(conversation, message, {request, key, signal: controller.signal});
    this.running.set(conversation.id, {message, controller, end});
    return end;
  }

  async read(conversation, message, {request, key, signal}) {
    const meter = new Meter(message, this.clock);
    const save = () => this.store.put([conversation.record], [message]);
    const timer = setInterval(() => save().catch(() => {}), kSaveEvery);
    let failure = null;
    try {
      for await (const part of this.stream(request, {key, signal})) {
        meter.take(part);
        this.changed(conversation, message);
      }
      if (message.state === "answering") message.state = "done";
    } catch (error) {
      message.state = "stopped";
      if (error.name !== "AbortError") failure = error instanceof Failure ? error : new Failure("lost", error.message);
    }
    clearInterval(timer);
    this.running.delete(conversation.id);
    conversation.record.updated = Date.now();
    await save().catch(() => {});
    this.ended(conversation, message, failure);
  }
}

// Fills in a message and its figures: the seed that repeats it, wait until the first part, seconds from the first part
// to the last one, seconds of thought, tokens. Without the server's counts (a stopped answer) each part counts as a
// token, and isAbout says so.
class Meter {
  constructor(message, clock) {
    this.message = message;
    this.clock = clock;
    this.begin = clock();
    this.first = null;
    this.goesOn = message.text !== "" || message.reasoning !== "";
    delete message.seed;  // An answer that went on has no one seed,
    delete message.votes;  // and no one vote.
    this.before = {seconds: message.seconds ?? 0, tokens: message.tokens ?? 0, thought: message.thought ?? 0,
                   isAbout: message.isAbout ?? false};
  }

  take({kind, text, reason, prompt, answer}) {
    const {message, before} = this, now = this.clock();
    if (kind === "seed" && !this.goesOn) message.seed = text;
    if (kind === "votes") message.votes = text;
    if (kind === "end") message.state = reason === "stop" ? "done" : reason;
    if (kind === "usage") {
      Object.assign(message, {promptTokens: prompt, tokens: before.tokens + answer, isAbout: before.isAbout});
    }
    if (kind !== "reasoning" && kind !== "text") return;
    if (this.first === null) {
      this.first = now;
      message.wait ??= (now - this.begin) / 1000;
    }
    message.seconds = before.seconds + (now - this.first) / 1000;
    message.tokens = (message.tokens ?? 0) + 1;
    message.isAbout = true;
    if (kind === "reasoning") {
      message.reasoning += text;
      message.thought = before.thought + (now - this.first) / 1000;
    } else {
      if (message.reasoning && !message.text) message.thought = before.thought + (now - this.first) / 1000;
      message.text += text;
    }
  }
}

// Tokens a second; NaN for an answer that is too short to tell. The time begins with the first token, which is not
// counted.
export const speedOf = ({tokens = 0, seconds = 0}) => tokens > 1 && seconds > 0.1 ? (tokens - 1) / seconds : NaN;
