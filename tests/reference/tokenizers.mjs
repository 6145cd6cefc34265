// The tokenizers of other programs give a text the ids that tinyllm gave it:
//   node tokenizers.mjs <folder of a model> <file.gguf> <texts> <file.tokens>
// Texts are documents of one line each, separated by lines that hold only a form feed. The last file is what `tokenize`
// made of them.
import assert from "node:assert/strict";
import {readFileSync} from "node:fs";
import {Tokenizer} from "@huggingface/tokenizers";
import {getLlama} from "node-llama-cpp";

const [folder, gguf, texts, tokens] = process.argv.slice(2);

/** The ids of each document of a file of tokens, without the one that ends it. */
function readDocuments(path) {
  const bytes = readFileSync(path);
  const width = bytes.readUInt32LE(12), size = bytes.length;
  const count = Number(bytes.readBigUInt64LE(size - 24)), documents = Number(bytes.readBigUInt64LE(size - 16));
  const id = (i) => (width === 2 ? bytes.readUInt16LE(24 + 2 * i) : bytes.readUInt32LE(24 + 4 * i));
  const ends = size - 24 - 8 * documents;
  let begin = 0;
  const all = Array.from({length: documents}, (_, i) => {
    const end = Number(bytes.readBigUInt64LE(ends + 8 * i));
    const ids = Array.from({length: end - 1 - begin}, (_, j) => id(begin + j));
    begin = end;
    return ids;
  });
  assert.equal(begin, count);
  return all;
}

const read = (name) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
const tokenizer = new Tokenizer(read("tokenizer.json"), read("tokenizer_config.json"));
const llama = await getLlama({gpu: false, build: "never", logLevel: "error"});
const model = await llama.loadModel({modelPath: gguf, vocabOnly: true});
const documents = readFileSync(texts, "utf8").split("\f\n");
const expected = readDocuments(tokens);
assert.equal(expected.length, documents.length);
documents.forEach((text, i) => {
  assert.deepEqual(tokenizer.encode(text, {add_special_tokens: false}).ids, expected[i], `Hugging Face: ${text}`);
  assert.deepEqual([...model.tokenize(text, false, "trimLeadingSpace")], expected[i], `llama.cpp: ${text}`);
});
console.log(`${documents.length} texts have the same ids`);
await llama.dispose();
