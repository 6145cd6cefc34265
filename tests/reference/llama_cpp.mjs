// llama.cpp reads a GGUF file and gives the probabilities of every token after every position of the expected tokens:
//   node llama_cpp.mjs <file.gguf> <expected.safetensors> [<adapters.gguf>]
// The file of tensors has `tokens` [B, T] and `logits` [B, T, V].
import assert from "node:assert/strict";
import {getLlama} from "node-llama-cpp";
import {readTensors} from "./safetensors.mjs";

// Of probabilities: both compute in floats, in another order.
const tolerance = 1e-5;

function softmax(logits) {
  const max = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = Array.from(logits, (x) => Math.exp(x - max));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
}

const indexOfMax = (values) => values.reduce((best, x, i) => (x > values[best] ? i : best), 0);

const [gguf, expected, lora] = process.argv.slice(2);
const {tokens, logits} = readTensors(expected);
const [rows, length, vocabulary] = logits.shape;
const llama = await getLlama({gpu: false, build: "never", logLevel: "error"});
const model = await llama.loadModel({modelPath: gguf});
// Its flash attention and its cache round to half floats by default.
const context = await model.createContext({
  contextSize: 2 * length, threads: 1, flashAttention: false, lora,
  experimentalKvCacheKeyType: "F32", experimentalKvCacheValueType: "F32"});
const sequence = context.getSequence();
let worst = 0, compared = 0;
for (let row = 0; row < rows; ++row) {
  await sequence.clearHistory();
  const ids = Array.from(tokens.values.subarray(row * length, (row + 1) * length));
  const answers = await sequence.controlledEvaluate(ids.map((id) => [id, {generateNext: {probabilities: true}}]));
  answers.forEach((answer, position) => {
    const at = (row * length + position) * vocabulary;
    const wanted = softmax(logits.values.subarray(at, at + vocabulary));
    const got = wanted.map((_, id) => answer.next.probabilities.get(id) ?? 0);
    wanted.forEach((p, id) => { worst = Math.max(worst, Math.abs(p - got[id])); });
    const top = indexOfMax(wanted), found = indexOfMax(got);
    assert.ok(top === found || wanted[top] - wanted[found] < tolerance,
              `row ${row}, position ${position}: token ${found} is likeliest, expected ${top}`);
    ++compared;
  });
}
assert.ok(worst <= tolerance, `probabilities differ by up to ${worst}, expected at most ${tolerance}`);
console.log(`${lora ?? gguf}: ${compared} positions, probabilities within ${worst.toExponential(1)}`);
await llama.dispose();
