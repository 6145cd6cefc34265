// Prompts and generation beside llama.cpp (npm: node-llama-cpp), by turns, on the same random weights:
//   node bench/llama_cpp.mjs [--build build/release] [--packages build/release/tests/reference] [--model qwen3-0.6b]
//     [--type q8_0] [--threads 2] [--prompt 512] [--tokens 32] [--rounds 3]
// `--packages` is a folder with node_modules/node-llama-cpp, such as `ctest -L reference` makes.
import {execFileSync} from "node:child_process";
import {mkdtempSync, rmSync} from "node:fs";
import {tmpdir} from "node:os";
import {join} from "node:path";
import {fileURLToPath, pathToFileURL} from "node:url";
import {parseArgs} from "node:util";

const option = (value) => ({type: "string", default: value});
const {values: o} = parseArgs({options: {
  build: option("build/release"), packages: option(""), model: option("qwen3-0.6b"), type: option("q8_0"),
  threads: option("2"), prompt: option("512"), tokens: option("32"), rounds: option("3"), measure: option(""),
}});
const packages = o.packages || join(o.build, "tests/reference");
const threads = Number(o.threads), prompt = Number(o.prompt), tokens = Number(o.tokens);

/** Tokens a second of a prompt and of generation after it, with llama.cpp. The first prompt does not count. */
async function measure(file) {
  const {getLlama} = await import(pathToFileURL(join(packages, "node_modules/node-llama-cpp/dist/index.js")));
  const llama = await getLlama({gpu: false, build: "never", maxThreads: threads, logLevel: "error"});
  const model = await llama.loadModel({modelPath: file});
  const context = await model.createContext({
    contextSize: prompt + tokens + 1, batchSize: prompt, threads: {ideal: threads, min: threads}});
  const sequence = context.getSequence();
  const ids = Array.from({length: prompt}, (_, i) => 3 + i % 100);
  const timed = async (work) => {
    const start = performance.now();
    await work();
    return (performance.now() - start) / 1000;
  };
  const times = [];
  for (let i = 0; i < 3; ++i) {
    await sequence.clearHistory();
    times.push(await timed(() => sequence.evaluateWithoutGeneratingNewTokens(ids)));
  }
  const generation = await timed(async () => {
    for (let i = 0; i < tokens; ++i) await sequence.controlledEvaluate([[ids[i], {generateNext: {token: true}}]]);
  });
  await llama.dispose();
  return {prompt: prompt / Math.min(...times.slice(1)), generation: tokens / generation};
}

function ours(...more) {
  const arguments_ = ["--model", o.model, "--type", o.type, "--threads", o.threads, "--batch", "1", "--prompt", o.prompt,
                      "--tokens", o.tokens, "--json", ...more];
  const [row] = JSON.parse(execFileSync(join(o.build, "bench/bench_decode"), arguments_)).configurations;
  return {prompt: row.prompt_tokens_per_second, generation: row.generation_tokens_per_second};
}

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

function compare() {
  const folder = mkdtempSync(join(tmpdir(), "llama_cpp-"));
  try {
    ours("--gguf", folder);
    const theirs = () => JSON.parse(execFileSync(process.execPath, [
      fileURLToPath(import.meta.url), "--measure", join(folder, `${o.model}-${o.type}.gguf`), "--packages", packages,
      "--threads", o.threads, "--prompt", o.prompt, "--tokens", o.tokens]));
    const rounds = Array.from({length: Number(o.rounds)}, () => ({ours: ours(), theirs: theirs()}));
    console.log(`${o.model}, ${o.type}, ${threads} threads, medians of ${rounds.length} rounds by turns`);
    for (const [kind, name] of [["prompt", `prompt of ${prompt}`], ["generation", "generation after it"]]) {
      const mine = median(rounds.map((round) => round.ours[kind])), other = median(rounds.map((round) => round.theirs[kind]));
      console.log(`${name}: tinyllm ${mine.toFixed(1)} tokens/s, llama.cpp ${other.toFixed(1)} tokens/s, ` +
                  `${(mine / other).toFixed(2)} times`);
      if (kind === "prompt") console.log(`first token after ${(prompt / mine).toFixed(2)} s and ${(prompt / other).toFixed(2)} s`);
    }
  } finally {
    rmSync(folder, {recursive: true});
  }
}

if (o.measure) {
  console.log(JSON.stringify(await measure(o.measure)));
} else {
  compare();
}
