// Requests that once harmed others, or were answered although nobody should have.
'use strict';
const fs = require('fs');
const path = require('path');
const { execFileSync } = require('child_process');
const { Client, check, equal, until } = require('./client');

// A vocabulary with rows that are no tokens: they are neither listed nor drawn, and those who are answered beside such
// a request lose nothing. `client` speaks to a server of the model of qwen_model.js.
async function paddedVocabulary(client, end) {
  const ask = (i, more) => ({ messages: [{ role: 'user', content: `x${i}` }], max_tokens: 60, temperature: 1, seed: i, logit_bias: { [end]: -100 }, ...more });
  const text = (stream) => stream.choices[0].content;
  const alone = await Promise.all([0, 1, 2].map((i) => client.stream('/v1/chat/completions', ask(i))));
  const beside = [0, 1, 2].map((i) => client.stream('/v1/chat/completions', ask(i)));
  const padded = await Promise.all([...Array(6)].map((_, i) =>
    client.post('/v1/chat/completions', ask(10 + i, { logprobs: true, top_logprobs: 20, stream: i % 2 === 0 }))));
  equal(padded.map((reply) => reply.status), Array(6).fill(200), 'padded vocabulary: status');
  const listed = padded[1].json.choices[0].logprobs.content;
  check(listed.every((token) => token.top_logprobs.length === 20), 'padded vocabulary: top_logprobs');
  const scores = await client.post('/v1/completions', { prompt: 'a b c', max_tokens: 1, echo: true, logprobs: 20 });
  equal(scores.status, 200, 'padded vocabulary: completions');
  for (const [i, stream] of (await Promise.all(beside)).entries()) equal(text(stream), text(alone[i]), `beside a padded vocabulary: answer ${i}`);
}

// With one place, each answer follows the one before it at once: nobody sleeps while jobs wait.
async function oneAfterTheOther(startServer) {
  const { server, client } = await startServer(['--running', '1', '--queue', '40']);
  const began = Date.now();
  const replies = await Promise.all([...Array(20)].map((_, i) => client.chat({ max_tokens: 1, seed: i })));
  equal(replies.map((reply) => reply.status), Array(20).fill(200), 'one after the other: status');
  // They take milliseconds. A sleep of a second between any two would be far more.
  check(Date.now() - began < 8000, `one after the other: took ${Date.now() - began} ms`);
  equal(await server.stop(), 0, 'exit status');
}

// A key that is withdrawn while the body of its request arrives answers nothing.
async function withdrawnKey(startServer, program, folder) {
  const keys = path.join(folder, 'withdrawn.jsonl');
  const newKey = () => execFileSync(program, ['--keys', keys, '--new-key']).toString().trim();
  const [key, other] = [newKey(), newKey()];
  const { server, client } = await startServer(['--keys', keys], other);
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'x' }], max_tokens: 2 });
  const withdrawn = new Client(server.port, key);
  const text = await client.raw(async (socket) => {
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\nConnection: close\r\n` +
                 `Content-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`);
    check(await until(async () => (await withdrawn.get('/v1/models')).status === 200, 3000), 'a key before it is withdrawn');
    fs.writeFileSync(keys, fs.readFileSync(keys, 'utf8').trim().split('\n')[1] + '\n');
    server.child.kill('SIGHUP');
    check(await until(async () => (await withdrawn.get('/v1/models')).status === 401, 3000), 'a key after it is withdrawn');
    socket.write(body.slice(5));
  }, 10000);
  check(/^HTTP\/1\.1 401 /.test(text) && /invalid_api_key/.test(text), `a withdrawn key: ${text.slice(0, 100)}`);
  equal((await client.chat({ max_tokens: 1 })).status, 200, 'the other key');
  equal(await server.stop(), 0, 'exit status');
}

// A body that nobody would look at is refused before it is read.
async function unwantedBodies({ client, keyed }) {
  const begin = (line, one = client) => one.raw(`${line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4000000\r\n\r\nabc`);
  for (const [line, status] of [['POST /health', 405], ['POST /', 405], ['GET /v1/models', 413], ['OPTIONS /v1/chat/completions', 413],
                                ['GET /health', 413], ['POST /nowhere', 404], ['PUT /v1/chat/completions', 405]]) {
    const text = await begin(line);
    check(text.startsWith(`HTTP/1.1 ${status} `), `${line} with a body: ${text.slice(0, 60)}`);
    if (status === 405) check(/\r\nAllow: /.test(text), `${line}: Allow`);
  }
  check((await begin('POST /health', keyed)).startsWith('HTTP/1.1 405'), 'a body without a key');
}

// Headers of refusals and of replies to pages.
async function headers({ keyed, slowKeyed, cors }) {
  let limited = await slowKeyed.chat();
  while (limited.status === 200) limited = await slowKeyed.chat();
  equal(limited.status, 429, 'headers: status');
  for (const name of ['x-request-id', 'x-ratelimit-limit-requests', 'x-ratelimit-remaining-requests', 'retry-after']) {
    check(name in limited.headers, `headers: ${name} of a 429`);
  }
  check('x-request-id' in (await keyed.get('/v1/models', { Authorization: null })).headers, 'headers: x-request-id of a 401');
  const asked = 'authorization,content-type,x-stainless-os';
  const preflight = { Origin: 'http://named.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': asked };
  equal((await cors.send('OPTIONS', '/v1/chat/completions', null, preflight)).headers['access-control-allow-headers'], asked, 'headers: preflight');
  const exposed = (await cors.get('/v1/models', { Origin: 'http://named.example' })).headers['access-control-expose-headers'];
  check(/\bX-Request-Id\b/.test(exposed), 'headers: exposed');
}

// One who sends more than his request, as old clients do, is still noticed when he leaves.
async function goneAfterMore({ client }) {
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'x' }], max_tokens: 200, n: 128, logit_bias: client.endless });
  const drawn = await client.metric('generation_tokens_total');
  await client.raw((socket) => {
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}\r\n`);
    setTimeout(() => socket.destroy(), 60);
  });
  check(await until(async () => (await client.metric('num_requests_running')) === 0, 5000), 'gone after more: still runs');
  check((await client.metric('generation_tokens_total')) - drawn < 128 * 200, 'gone after more: was answered to the end');
}

module.exports = { paddedVocabulary, oneAfterTheOther, withdrawnKey, unwantedBodies, headers, goneAfterMore };
