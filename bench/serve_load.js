// node bench/serve_load.js PORT [ratio|first|flat|wrk] [N]: a bounded load on a server of this machine (tinyllm serve).
//   ratio  tokens/s of 16 streams beside 1, N rounds of each in turn (4)
//   first  time to the first token of short prompts while long ones are read, N of them (40)
//   flat   N requests (25000), some of them abandoned: failed ones, and the server's memory after 1000, 5000 and all.
//          Ends with 1 if one failed or the memory grew by more than 2 % after the 1000th
//   wrk    N seconds (20) of whole replies on 16 connections, by wrk. Ends with 1 if one failed; skipped without wrk
'use strict';
const { spawnSync } = require('child_process');
const http = require('http');
const path = require('path');

const [port, mode = 'ratio', count] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

// Sends one request; resolves with its status, the seconds to its first piece of an answer, and the tokens of the answer.
function ask(path, body, abandonAfter = Infinity) {
  const began = process.hrtime.bigint();
  const seconds = () => Number(process.hrtime.bigint() - began) / 1e9;
  return new Promise((resolve) => {
    const text = JSON.stringify(body);
    const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
    const request = http.request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent }, (response) => {
      let pieces = 0, first = 0, all = '';
      response.on('data', (data) => {
        if (response.headers['content-type'].startsWith('text/event-stream')) {
          const events = data.toString().split('data: ').length - 1;
          if (pieces <= 1 && pieces + events > 1) first = seconds();  // After the chunk that has the role.
          pieces += events;
          if (pieces > abandonAfter) request.destroy();
        }
        all += data;
      });
      response.on('end', () => {
        const usage = /"usage":\{"prompt_tokens":(\d+),"completion_tokens":(\d+)/.exec(all);
        resolve({ status: response.statusCode, first, seconds: seconds(), tokens: usage ? Number(usage[2]) : 0 });
      });
      response.on('error', () => resolve({ status: 'gone', first, seconds: seconds(), tokens: 0 }));
    });
    request.on('error', (error) => resolve({ status: abandonAfter < Infinity ? 'gone' : error.code, seconds: seconds(), tokens: 0 }));
    request.end(text);
  });
}

function get(path) {
  return new Promise((resolve, reject) => {
    http.get({ host: '127.0.0.1', port, path, agent }, (response) => {
      let text = '';
      response.on('data', (data) => (text += data));
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

const chat = (content, max_tokens, more = {}) => ({
  messages: [{ role: 'user', content }], max_tokens, temperature: 1, stream: true,
  stream_options: { include_usage: true }, ...more });

// The end token must not end an answer early: every answer has as many tokens as were asked for.
async function endless() {
  const body = { content: '</s>', special: true };
  return new Promise((resolve) => {
    const text = JSON.stringify(body);
    const request = http.request({ host: '127.0.0.1', port, path: '/tokenize', method: 'POST', agent,
                                   headers: { 'Content-Length': text.length } }, (response) => {
      let all = '';
      response.on('data', (data) => (all += data));
      response.on('end', () => resolve({ logit_bias: { [JSON.parse(all).tokens[0]]: -100 } }));
    });
    request.end(text);
  });
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function ratio(rounds) {
  const more = await endless();
  const rate = { 1: [], 16: [] };
  for (let round = 0; round < rounds; round++) {
    for (const streams of [1, 16]) {
      const began = Date.now();
      const replies = await Promise.all([...Array(streams)].map((_, i) =>
        ask('/v1/chat/completions', chat(`第${round * 16 + i}题：1+${i}`, 200, { ...more, seed: i }))));
      const tokens = replies.reduce((sum, reply) => sum + reply.tokens, 0);
      rate[streams].push(tokens / ((Date.now() - began) / 1000));
    }
  }
  console.log(`1 stream: ${rate[1].map((r) => r.toFixed(0))} tokens/s; 16: ${rate[16].map((r) => r.toFixed(0))}`);
  console.log(`ratio of the medians: ${(median(rate[16]) / median(rate[1])).toFixed(2)}`);
}

async function first(asked) {
  const more = await endless();
  const times = [], alone = [];
  for (let i = 0; i < asked; i++) {
    alone.push((await ask('/v1/chat/completions', chat(`第${i}题：1+2`, 2, more))).first);
    const long = [...Array(6)].map((_, j) => ask('/v1/chat/completions', chat(`${i} ${j} ${'今天学习。'.repeat(40)}`, 30, more)));
    times.push((await ask('/v1/chat/completions', chat(`第${i}个题：1+2`, 2, more))).first);
    await Promise.all(long);
  }
  const page = await get('/metrics');
  const sum = Number(/pass_seconds_sum\{[^}]*\} (\S+)/.exec(page)[1]), passes = Number(/pass_seconds_count\{[^}]*\} (\S+)/.exec(page)[1]);
  const milliseconds = (seconds) => `${(1000 * seconds).toFixed(0)} ms`;
  console.log(`first token alone: median ${milliseconds(median(alone))}, most ${milliseconds(Math.max(...alone))}`);
  console.log(`beside six long prompts: median ${milliseconds(median(times))}, most ${milliseconds(Math.max(...times))}`);
  console.log(`mean pass ${milliseconds(sum / passes)}`);
}

// Distinct prompts of one length, streamed or not, a fifth of them with log-probabilities; a tenth is abandoned after two pieces.
async function flat(total) {
  const memory = async () => Number(/process_resident_memory_bytes (\d+)/.exec(await get('/metrics'))[1]) / (1 << 20);
  const at = {};
  let sent = 0, ended = 0, abandoned = 0;
  const failed = {};
  const worker = async () => {
    while (sent < total) {
      const i = sent++;
      const isAbandoned = i % 10 === 9;
      const more = { seed: i, stream: isAbandoned || i % 3 !== 0, logprobs: i % 5 === 0, top_logprobs: i % 5 === 0 ? 3 : undefined };
      const { status } = await ask('/v1/chat/completions', chat(`第${10000 + i}题：${10000 + i}+1`, 8, more), isAbandoned ? 2 : Infinity);
      if (isAbandoned && (status === 'gone' || status === 200)) abandoned++;
      else if (status !== 200) failed[status] = (failed[status] || 0) + 1;
      if ([1000, 5000, total].includes(++ended)) at[ended] = await memory();
    }
  };
  await Promise.all([...Array(16)].map(worker));
  const failures = Object.values(failed).reduce((sum, count) => sum + count, 0);
  for (const [count, size] of Object.entries(at)) console.log(`after ${count} requests: ${size.toFixed(1)} MiB`);
  const growth = total > 1000 ? at[total] / at[1000] - 1 : 0;
  console.log(`growth since the 1000th: ${(100 * growth).toFixed(2)} %`);
  console.log(`${failures} of ${total} requests failed${failures ? ': ' + JSON.stringify(failed) : ''}; ${abandoned} were abandoned`);
  if (failures > 0 || growth > 0.02) process.exitCode = 1;
}

async function wrk(seconds) {
  const url = `http://127.0.0.1:${port}/v1/chat/completions`, script = path.join(__dirname, 'serve_load.lua');
  const options = ['-t', '2', '-c', '16', '-d', `${seconds}s`, '--timeout', '60s', '-s', script, url];
  const { error, stdout } = spawnSync('wrk', options, { encoding: 'utf8' });
  if (error?.code === 'ENOENT') return console.log('wrk is missing: skipped');
  const line = /^wrk: .*$/m.exec(stdout)?.[0] ?? 'wrk said nothing';
  console.log(line);
  if (!/ [1-9]\d* requests .* 0 failed;/.test(line)) process.exitCode = 1;
}

const modes = { ratio: [ratio, 4], first: [first, 40], flat: [flat, 25000], wrk: [wrk, 20] };
if (!port || !(mode in modes)) {
  console.error('node bench/serve_load.js PORT [ratio|first|flat|wrk] [N]');
  process.exit(2);
}
modes[mode][0](Number(count) || modes[mode][1]).then(() => agent.destroy());
