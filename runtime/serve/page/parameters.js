// The parameters of an answer as the reader sets them: texts of fields, of which an empty one is the server's default.

// fallback: the server's default, or the name of a text that says it (words.js).
export const kParameters = [
  {name: "temperature", low: 0, high: 2, fallback: "1"},
  {name: "top_p", low: 0.001, high: 1, fallback: "1"},
  {name: "top_k", low: 0, high: 1e6, isWhole: true, fallback: "0"},
  {name: "min_p", low: 0, high: 1, fallback: "0"},
  {name: "max_completion_tokens", low: 1, high: 1e6, isWhole: true, fallback: "unlimited"},
  {name: "seed", low: 0, high: Number.MAX_SAFE_INTEGER, isWhole: true, fallback: "random"},
  {name: "samples", low: 1, high: 128, isWhole: true, fallback: "1"},
  {name: "repetition_penalty", low: 0.01, high: 10, fallback: "1"},
  {name: "presence_penalty", low: -2, high: 2, fallback: "0"},
  {name: "frequency_penalty", low: -2, high: 2, fallback: "0"},
];

const kMostStops = 16;

// Whether a text may stand in the field of a parameter.
export function fits({low, high, isWhole}, text) {
  const value = Number(text);
  return text.trim() === "" || (value >= low && value <= high && (!isWhole || Number.isInteger(value)));
}

// The fields of a request; those that are empty or do not fit are not sent.
export function requestFields(values) {
  const fields = {};
  for (const parameter of kParameters) {
    const text = values[parameter.name] ?? "";
    if (text.trim() !== "" && fits(parameter, text)) fields[parameter.name] = Number(text);
  }
  const {samples = 1, ...others} = fields;
  const asked = samples > 1 ? {...others, self_consistency: {samples}} : others;
  const stop = (values.stop ?? "").split("\n").filter((line) => line !== "").slice(0, kMostStops);
  return stop.length ? {...asked, stop} : asked;
}
