// What a failure means, in the reader's words.
import {duration, say} from "./words.js";

// {text, needsKey}: what to show, and whether a key would help. What the server said comes after it.
export function explain(failure) {
  const {kind, status, code, retryAfter, message} = failure;
  if (kind === "unreachable" || kind === "lost") return {text: say(kind), needsKey: false};
  const time = duration(retryAfter);
  const pick = () => {
    if (status === 401) return say("need_key");
    if (code === "context_length_exceeded" || status === 413) return say("too_long");
    if (code === "insufficient_quota") return say("no_quota");
    if (status === 429) return retryAfter ? say("too_many_wait", {time}) : say("too_many");
    if (code === "model_not_found") return say("no_model");
    if (status === 503) return retryAfter ? say("overloaded", {time}) : say("not_ready");
    return status >= 500 ? say("server_fault", {status}) : say("refused", {status});
  };
  const says = message ? " " + say("server_says", {message: message.slice(0, 500)}) : "";
  return {text: pick() + says, needsKey: status === 401};
}
