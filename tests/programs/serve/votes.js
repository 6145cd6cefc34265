// Chains of thought that vote (self_consistency), and equations with right results (calculator).
'use strict';
const fs = require('fs');
const path = require('path');
const { execFileSync } = require('child_process');
const { check, equal, until } = require('./client');

const chat = '/v1/chat/completions';
const answer = (reply) => [reply.json.choices[0].message.content, reply.json.choices[0].finish_reason];
const digits = (values) => ({ type: 'json_schema', json_schema: { name: 'digit', schema: { enum: values } } });

// What must hold for every verdict.
function checkVerdict(verdict, samples, what) {
  if (!check(verdict, `${what}: no verdict`)) return;
  equal(verdict.samples, samples, `${what}: samples`);
  const counts = verdict.votes.map((vote) => vote.count);
  equal(counts, [...counts].sort((a, b) => b - a), `${what}: order of votes`);
  equal(counts.reduce((a, b) => a + b, 0) + verdict.unparsed, samples, `${what}: counts`);
  check(verdict.chain >= 0 && verdict.chain < samples, `${what}: chain`);
  const own = verdict.votes.find((vote) => vote.answer === verdict.answer);
  equal(verdict.agreement, own ? own.count / samples : 0, `${what}: agreement`);
}

// The case of the list of cases.
async function votesCase({ client, body }) {
  const reply = await client.post(chat, body);
  equal([reply.status, reply.json.choices.length], [200, 1], 'self_consistency: one choice');
  checkVerdict(reply.json.self_consistency, 5, 'self_consistency');
  const again = await client.post(chat, body);
  equal([answer(again), again.json.self_consistency], [answer(reply), reply.json.self_consistency], 'self_consistency: again');
}

// The chains are the answers that n has, and their tokens are counted as those of n.
async function chainsAreAnswers(client) {
  const ask = { messages: [{ role: 'user', content: '计算：1+2*3' }], max_tokens: 12, temperature: 1.5, seed: 3 };
  const several = (await client.post(chat, { ...ask, n: 5 })).json;
  const vote = (await client.post(chat, { ...ask, self_consistency: { return_chains: true } })).json;
  const verdict = vote.self_consistency;
  checkVerdict(verdict, 5, 'chains');
  equal(verdict.chains.map((chain) => chain.text), several.choices.map((choice) => choice.message.content), 'chains: texts');
  equal(vote.choices[0].message.content, verdict.chains[verdict.chain].text, 'chains: the one that is shown');
  equal(vote.usage.completion_tokens, several.usage.completion_tokens, 'chains: completion_tokens');
  equal(vote.usage.prompt_tokens, several.usage.prompt_tokens, 'chains: prompt_tokens');
  // A stop string ends chains, and no vote sees what follows.
  const stopped = (await client.post(chat, { ...ask, stop: ['1', '天', 'e'], self_consistency: { return_chains: true } })).json;
  check(stopped.self_consistency.chains.every((chain) => !/[1天e]/.test(chain.text)), 'chains: stop strings');
}

async function streamed(client) {
  const logit_bias = {};
  for (const digit of ['7', '8']) logit_bias[(await client.post('/tokenize', { content: digit })).json.tokens.pop()] = 100;
  const ask = { messages: [{ role: 'user', content: '?' }], temperature: 1, seed: 4, response_format: digits([7, 8]), logit_bias,
                self_consistency: { samples: 7 } };
  const plain = await client.post(chat, ask);
  checkVerdict(plain.json.self_consistency, 7, 'stream');
  equal(plain.json.self_consistency.unparsed, 0, 'stream: answers');
  const { reply, chunks, choices, usage } = await client.stream(chat, { ...ask, stream_options: { include_usage: true } });
  equal([choices[0].content, choices[0].finish], answer(plain), 'stream: answer');
  equal([usage.prompt_tokens, usage.completion_tokens], [plain.json.usage.prompt_tokens, plain.json.usage.completion_tokens], 'stream: usage');
  const last = chunks.filter((chunk) => chunk.choices.length > 0).pop();
  equal(last.self_consistency, plain.json.self_consistency, 'stream: verdict');
  equal(chunks.filter((chunk) => 'self_consistency' in chunk).length, 1, 'stream: chunks with a verdict');
  const comments = reply.text.split('\n\n').filter((block) => block.startsWith(': chain'));
  equal(comments, [1, 2, 3, 4, 5, 6, 7].map((i) => `: chain ${i}/7`), 'stream: comments');
  check(reply.text.lastIndexOf(': chain') < reply.text.search(/"content":"[78]/), 'stream: comments come before the answer');
}

async function stopsEarly(client) {
  const ask = { messages: [{ role: 'user', content: '?' }], temperature: 1, seed: 1 };
  const vote = async (values, self_consistency) =>
    (await client.post(chat, { ...ask, response_format: digits(values), self_consistency })).json;
  // Every chain is the answer alone.
  ask.logit_bias = { [(await client.post('/tokenize', { content: '7' })).json.tokens.pop()]: 100 };
  const one = await vote([7], { samples: 9, confidence: 0.9 });
  checkVerdict(one.self_consistency, 3, 'early');
  equal([one.self_consistency.answer, one.self_consistency.agreement], ['7', 1], 'early: answer');
  checkVerdict((await vote([7], { samples: 9 })).self_consistency, 9, 'early: not asked for');
  const { reply } = await client.stream(chat, { ...ask, response_format: digits([7]), self_consistency: { samples: 9, confidence: 0.9 } });
  equal(reply.text.match(/: chain/g).length, 3, 'early: comments');
  delete ask.logit_bias;
  // Every number of chains is the beginning of a longer vote.
  const all = await vote([1, 2, 3, 4, 5, 6, 7], { samples: 9, return_chains: true });
  const early = await vote([1, 2, 3, 4, 5, 6, 7], { samples: 9, confidence: 0.9, return_chains: true });
  const { chains } = early.self_consistency;
  equal(chains, all.self_consistency.chains.slice(0, chains.length), 'early: chains');
  // Several votes at once, which want more places than there are.
  const together = await Promise.all([...Array(12)].map(() => vote([1, 2, 3, 4, 5, 6, 7], { samples: 9, return_chains: true })));
  for (const other of together) equal(other.self_consistency, all.self_consistency, 'early: among others');
}

// The false equations between sums of whole numbers; the last one of a text may be unfinished.
function wrong(text) {
  const isSum = (side) => /^\d+(\+\d+)*$/.test(side);
  const sum = (side) => side.split('+').reduce((total, number) => total + BigInt(number), 0n);
  return (text.match(/[\d+=]+/g) || []).flatMap((run) => {
    const sides = run.split('=');
    const ends = text.endsWith(run) ? sides.length - 2 : sides.length - 1;
    return sides.slice(0, Math.max(ends, 0)).map((side, i) => [side, sides[i + 1]])
      .filter(([left, right]) => left.includes('+') && isSum(left) && isSum(right) && sum(left) !== sum(right))
      .map((pair) => pair.join('='));
  });
}

async function calculates(client) {
  const tokens = {};
  for (const letter of '12+=') {
    const list = (await client.post('/tokenize', { content: letter })).json.tokens;
    tokens[list[list.length - 1]] = '12'.includes(letter) ? 41 : 40;
  }
  const ask = { temperature: 1, max_tokens: 100, logit_bias: { ...client.endless, ...tokens } };
  let errors = 0, equations = 0;
  for (let seed = 0; seed < 6; seed++) {
    errors += wrong((await client.chat({ ...ask, seed })).json.choices[0].message.content).length;
    const right = await client.chat({ ...ask, seed, calculator: true });
    const text = right.json.choices[0].message.content;
    equal(wrong(text), [], `calculator: ${text}`);
    equations += text.split('=').length - 1;
    equal(right.json.usage.completion_tokens, 100, 'calculator: tokens');
    const { choices } = await client.stream(chat, { messages: [{ role: 'user', content: '计算：1+2*3' }], ...ask, seed, calculator: true });
    equal(choices[0].content, text, 'calculator: stream');
  }
  check(errors > 0 && equations > 6, `calculator: ${errors} errors without it, ${equations} equations`);
  const both = (await client.chat({ ...ask, calculator: true, self_consistency: { samples: 3, return_chains: true } })).json;
  for (const chain of both.self_consistency.chains) equal([wrong(chain.text), chain.false_equations], [[], []], 'calculator: chains');
  // The equation may be one that the client has begun.
  const begun = { messages: [{ role: 'user', content: '计算：123*45' }, { role: 'assistant', content: '123*45=' }],
                  continue_final_message: true, calculator: true, temperature: 1.5, max_tokens: 16 };
  for (let seed = 0; seed < 3; seed++) {
    const text = (await client.post(chat, { ...begun, seed })).json.choices[0].message.content;
    check(/^ ?5535(?!\d)/.test(text), `calculator: begun: ${text}`);
  }
  const several = (await client.post(chat, { ...begun, self_consistency: { samples: 3, return_chains: true } })).json.self_consistency;
  for (const { text } of several.chains) check(/^123\*45= ?5535(?!\d)/.test(text), `calculator: begun, chains: ${text}`);
}

async function refuses(client) {
  const refused = async (more, param, code) => {
    const reply = await client.chat({ temperature: 1, ...more });
    equal([reply.status, reply.json.error.param, reply.json.error.code], [400, param, code || 'invalid_value'], JSON.stringify(more));
  };
  const vote = { self_consistency: {} };
  await refused({ ...vote, n: 2 }, 'self_consistency');
  await refused({ ...vote, logprobs: true }, 'self_consistency');
  await refused({ ...vote, temperature: 0 }, 'self_consistency');
  await refused({ ...vote, tool_choice: 'required', tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }] }, 'self_consistency');
  for (const samples of [0, -1, 129, 1000000]) await refused({ self_consistency: { samples } }, 'self_consistency.samples');
  await refused({ self_consistency: { samples: 'five' } }, 'self_consistency.samples', 'invalid_type');
  await refused({ self_consistency: { samples: 2.5 } }, 'self_consistency.samples', 'invalid_type');
  await refused({ self_consistency: { confidence: 0.5 } }, 'self_consistency.confidence');
  await refused({ self_consistency: { return_chains: 1 } }, 'self_consistency.return_chains', 'invalid_type');
  for (const value of [true, 5, 'yes', []]) await refused({ self_consistency: value }, 'self_consistency', 'invalid_type');
  await refused({ calculator: 1 }, 'calculator', 'invalid_type');
  await refused({ calculator: true, response_format: { type: 'json_object' } }, 'calculator');
  for (const [other, body] of [['/v1/completions', { prompt: 'a' }], ['/v1/responses', { input: 'a' }],
                               ['/v1/messages', { messages: [{ role: 'user', content: 'a' }], max_tokens: 1 }]]) {
    equal((await client.post(other, { ...body, self_consistency: { samples: 3 } })).status, 400, `${other}: self_consistency`);
  }
  equal((await client.chat({ temperature: 0, self_consistency: { samples: 1 } })).status, 200, 'one sample at temperature 0');
  equal((await client.chat({ self_consistency: null, calculator: false })).status, 200, 'neither');
}

// A client that leaves ends all chains.
async function leaves(client) {
  const body = { messages: [{ role: 'user', content: 'a' }], temperature: 1, stream: true, logit_bias: client.endless,
                 self_consistency: { samples: 128 } };
  let begun = 0;
  await client.send('POST', chat, body, {}, (response, request) => {
    response.once('data', async () => {
      begun = await client.metric('num_requests_running');
      request.destroy();
    });
  }).catch(() => {});
  check(await until(async () => (await client.metric('num_requests_running')) === 0, 20000), `leaves: ${begun} chains go on`);
}

async function votes(client) {
  await chainsAreAnswers(client);
  await streamed(client);
  await stopsEarly(client);
  await calculates(client);
  await refuses(client);
  await leaves(client);
}

// What the prompt has begun is part of every chain: an answer within thoughts that never ended does not count.
async function votesOfThinker(client) {
  const thought = 'Three and four: the answer is 7. ';
  const ask = { messages: [{ role: 'user', content: 'hi' }, { role: 'assistant', content: '', reasoning_content: thought }],
                continue_final_message: true, max_tokens: 30, temperature: 1, seed: 2 };
  const verdict = (await client.post(chat, { ...ask, self_consistency: { samples: 3, return_chains: true } })).json.self_consistency;
  checkVerdict(verdict, 3, 'thinker');
  for (const chain of verdict.chains) {
    check(chain.text.startsWith(`<think>\n${thought}`), `thinker: begins with ${JSON.stringify(chain.text.slice(0, 20))}`);
    if (!chain.text.includes('</think>')) equal(chain.answer, null, 'thinker: an answer within its thoughts');
  }
}

// With its contents, the audit log has all that was sent.
async function auditedVotes(startServer, folder) {
  const audit = path.join(folder, 'audited_votes.jsonl');
  const { server, client } = await startServer(['--audit-log', audit, '--audit-contents']);
  const sent = [];
  for (const return_chains of [true, false]) {
    const { json } = await client.chat({ temperature: 1, seed: 5, self_consistency: { samples: 3, return_chains } });
    sent.push([json.choices[0].message.content, json.self_consistency]);
  }
  equal(await server.stop(), 0, 'exit status');
  const lines = fs.readFileSync(audit, 'utf8').trim().split('\n').map((line) => JSON.parse(line)).filter((line) => line.answers);
  equal(lines.map(({ answers }) => [answers[0].text, answers[0].self_consistency]), sent, 'audited votes');
}

// The tokens of all chains count against the limits of a key and in the counters, also those of a client that leaves.
async function countedVotes(startServer, program, folder) {
  const keys = path.join(folder, 'voting.jsonl'), quota = path.join(folder, 'votes.jsonl');
  const key = execFileSync(program, ['--keys', keys, '--new-key', '--tokens-per-day', '100000']).toString().trim();
  const { server, client } = await startServer(['--keys', keys, '--quota', quota], key);
  const used = () => fs.readFileSync(quota, 'utf8').trim().split('\n').map((line) => JSON.parse(line).tokens).reduce((a, b) => a + b, 0);
  const ask = { max_tokens: 20, temperature: 1, seed: 1, self_consistency: { samples: 6 } };
  const { usage } = (await client.chat(ask)).json;
  // Each chain after the first computes the last token of the prompt.
  const expected = usage.prompt_tokens + 5 + usage.completion_tokens;
  check(await until(() => used() === expected, 3000), `counted votes: ${used()}, expected ${expected}`);
  equal(await client.metric('generation_tokens_total'), usage.completion_tokens, 'counted votes: generation_tokens_total');
  equal(await client.metric('prompt_tokens_total'), usage.prompt_tokens, 'counted votes: prompt_tokens_total');
  const body = { messages: [{ role: 'user', content: 'a' }], ...ask, max_tokens: 200, stream: true, logit_bias: client.endless };
  await client.send('POST', chat, body, {}, (response, request) => response.once('data', () => request.destroy())).catch(() => {});
  const drawn = async () => (await client.metric('generation_tokens_total')) - usage.completion_tokens;
  check(await until(async () => (await client.metric('num_requests_running')) === 0 && used() < expected + 1200, 20000), 'counted votes: a client that left');
  check(used() - expected >= await drawn(), `counted votes: ${used() - expected} of a client that left, expected at least ${await drawn()}`);
  equal(await server.stop(), 0, 'exit status');
}

module.exports = { auditedVotes, countedVotes, votes, votesCase, votesOfThinker };
