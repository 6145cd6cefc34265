// Reads the `expect` of a case: clauses between semicolons, each a short sentence. Those that need more than one reply
// are in special.js.
'use strict';

const isString = (value) => typeof value === 'string';
const isError = (json) =>
  json && Object.keys(json).join() === 'error' && Object.keys(json.error).join() === 'message,type,param,code' &&
  isString(json.error.message) && json.error.message.length > 0 &&
  (json.error.code === null || isString(json.error.code));

// The value at a path such as choices[0].message.content, with short names for what cases talk about.
function valueAt(reply, path) {
  const short = { message: 'choices[0].message', logprobs: 'choices[0].logprobs', finish_reason: 'choices[0].finish_reason' };
  let full = path.replace(/^body\./, '');
  for (const [name, long] of Object.entries(short)) {
    if (full === name || full.startsWith(name + '.') || full.startsWith(name + '[')) full = full.replace(name, long);
  }
  if (/^(completion_tokens|prompt_tokens|total_tokens)\b/.test(full)) full = 'usage.' + full;
  return full.split(/[.[\]]+/).filter(Boolean).reduce((value, key) => (value == null ? undefined : value[key]), reply.json);
}

// Each: a pattern, and whether the reply fulfils it.
const clauses = [
  [/^(\d{3})(?: .*)?$/, (reply, m) => reply.status === Number(m[1])],
  [/^([\w.]+)==([\w.]+)\+([\w.]+)$/, (reply, m) => valueAt(reply, m[1]) === valueAt(reply, m[2]) + valueAt(reply, m[3])],
  [/^([\w.[\]]+)==(?:'([^']*)'|(\S+?))$/, (reply, m, vars) => {
    const expected = m[2] !== undefined ? m[2] : m[3];
    const value = valueAt(reply, m[1]);
    return String(value) === String(expected in vars ? vars[expected] : expected);
  }],
  [/^([\w.[\]]+)<=(\$?\w+)$/, (reply, m, vars) => valueAt(reply, m[1]) <= Number(m[2] in vars ? vars[m[2]] : m[2])],
  [/^([\w.[\]]+)>(\d+)$/, (reply, m) => valueAt(reply, m[1]) > Number(m[2])],
  [/^([\w.[\]]+) (?:is )?null$/, (reply, m) => valueAt(reply, m[1]) === null],
  [/^([\w.[\]]+) is a string(?: \(never null\))?$/, (reply, m) => isString(valueAt(reply, m[1]))],
  [/^message is a non-empty string$/, (reply) => reply.json.error.message.length > 0],
  [/^([\w.[\]]+) is a non-empty (string|array)$/, (reply, m) => valueAt(reply, m[1]).length > 0],
  [/^([\w.[\]]+) in \{([\w,]+)\}$/, (reply, m) => m[2].split(',').includes(valueAt(reply, m[1]))],
  [/^([\w.[\]]+) length (\d+)$/, (reply, m) => valueAt(reply, m[1]).length === Number(m[2])],
  [/^([\w.]+) matches (\S+)$/, (reply, m) => new RegExp(m[2]).test(valueAt(reply, m[1]))],
  [/^created within 5 s of now$/, (reply) => Math.abs(reply.json.created - Date.now() / 1000) < 5],
  [/^message has key refusal==null or lacks it$/, (reply) => (reply.json.choices[0].message.refusal || null) === null],
  [/^header ([\w-]+) present$/, (reply, m) => m[1] in reply.headers],
  [/^header Allow: POST .*$/, (reply) => /^POST(, OPTIONS)?$/.test(reply.headers.allow)],
  [/^content-type (?:starts )?'?([\w/; =.-]+?)'?$/, (reply, m) => reply.headers['content-type'].startsWith(m[1])],
  [/^www-authenticate: Bearer$/, (reply) => /^Bearer/.test(reply.headers['www-authenticate'])],
  [/^body is \{"error".*\} and nothing else$/, (reply) => isError(reply.json)],
  [/^body names no path, key or prompt$/, (reply) => !/\/|sk-|prompt/.test(reply.text)],
  [/^message names (.*?)(?: and (.*))?$/, (reply, m) => {
    const message = reply.json.error.message.toLowerCase();
    const known = { method: /get|post/, path: /\//, 'the context': /context/, 'the tokens found': /\d+ (tokens|bytes)/,
                    'what was expected': /expected/, found: /is |: / };
    return [m[1], m[2]].filter(Boolean).every((word) => (known[word] || { test: (text) => text.includes(word) }).test(message));
  }],
  [/^message says where.*$/, (reply) => /line \d+|byte \d+|column \d+/.test(reply.json.error.message)],
  [/^message does not repeat the whole key$/, (reply) => !reply.text.includes('sk-wrong')],
  [/^error\.code is '(\w+)' or null$/, (reply, m) => [m[1], null].includes(reply.json.error.code)],
  [/^content equal to chat_basic's.*$/, (reply, m, vars) => reply.json.choices[0].message.content === vars.basic.content],
  [/^usage\.prompt_tokens and content equal to chat_basic's.*$/, (reply, m, vars) =>
    reply.json.usage.prompt_tokens === vars.basic.promptTokens &&
    reply.json.choices[0].message.content === vars.basic.content],
  [/^every item has id .*$/, (reply) => reply.json.data.every((item) =>
    isString(item.id) && item.object === 'model' && Number.isInteger(item.created) && isString(item.owned_by))],
  [/^one id == (\S+)$/, (reply, m) => reply.json.data.some((item) => item.id === m[1])],
];

// Checks all clauses of a reply. Returns those that nobody understands.
function checkClauses(name, expect, reply, vars, fail) {
  const unknown = [];
  for (const clause of expect.split(/;\s*/)) {
    const found = clauses.map(([pattern, holds]) => [pattern.exec(clause.trim()), holds]).find(([match]) => match);
    if (!found) {
      unknown.push(clause);
      continue;
    }
    let holds = false;
    try {
      holds = found[1](reply, found[0], vars);
    } catch (error) {
      holds = false;
    }
    if (!holds) fail(`${name}: ${clause}; found ${reply.status} ${JSON.stringify(reply.headers)} ${reply.text.slice(0, 500)}`);
  }
  return unknown;
}

module.exports = { checkClauses, isError };
