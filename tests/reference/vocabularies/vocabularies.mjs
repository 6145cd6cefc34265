// Writes the tokenizer.json of every package, under the name of the vocabulary that it holds:
//   node vocabularies.mjs <folder of packages> <folder to write>
import {readFileSync, writeFileSync} from "node:fs";

const [packages, folder] = process.argv.slice(2);
const read = (name) => JSON.parse(readFileSync(`${packages}/tokenizer-${name}/models/tokenizer.json`));
const write = (name, tokenizer) => writeFileSync(`${folder}/${name}.json`, JSON.stringify(tokenizer));

for (const name of ["qwen3", "qwen2_5", "llama3", "gpt2"]) write(name, read(name));
write("mistral_v01", read("llama2"));  // Whatever its name says: 58980 merges, and 22557 is "Hello".
// The vocabulary of GPT-2 with the pre-tokenizer of SmolLM2.
const digits = read("gpt2");
digits.pre_tokenizer = {
  type: "Sequence",
  pretokenizers: [{type: "Digits", individual_digits: true},
                  {type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true}]};
write("gpt2_digits", digits);
