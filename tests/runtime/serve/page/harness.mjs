// Loads the modules of the chat page into Node.js, and runs tests.
import {webcrypto} from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import {pathToFileURL} from "node:url";

globalThis.crypto ??= webcrypto;  // Node.js 18 has it under this name only.

// The folder of the page.
export const source = process.argv[2];

// Node takes a .js for a module only where a package.json says so; browsers do not need one.
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "tinyllm-page-"));
process.on("exit", () => fs.rmSync(folder, {recursive: true}));
fs.cpSync(source, folder, {recursive: true});
fs.writeFileSync(path.join(folder, "package.json"), '{"type": "module"}');

export const load = (name) => import(pathToFileURL(path.join(folder, name + ".js")));

// tests: a function for each name. failed(): after one that fails.
export async function run(tests, failed = async () => {}) {
  const names = Object.keys(tests);
  let failures = 0;
  for (const name of names) {
    try {
      await tests[name]();
    } catch (error) {
      ++failures;
      console.error(`FAILED: ${name}\n${error.stack}\n`);
      await failed();
    }
  }
  console.log(`${names.length - failures} of ${names.length} tests passed`);
  process.exitCode = failures ? 1 : 0;
}
