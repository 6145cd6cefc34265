// Daily quotas on a full disk: a file of quotas that may not grow.
'use strict';
const fs = require('fs');
const path = require('path');
const { execFileSync } = require('child_process');
const { Client, check, equal } = require('./client');

const readLines = (file) => fs.readFileSync(file, 'utf8').trimEnd().split('\n').map((line) => JSON.parse(line));
const countedIn = (file) => readLines(file).reduce((sum, line) => sum + line.tokens, 0);

async function fullDisk(program, folder, startServer) {
  const keys = path.join(folder, 'disk-keys.jsonl'), quota = path.join(folder, 'disk-quota.jsonl');
  const newKey = (...more) => execFileSync(program, ['--keys', keys, '--new-key', ...more]).toString().trim();
  const key = newKey('--tokens-per-day', '1000000'), free = newKey();
  const args = ['--keys', keys, '--quota', quota];
  const { server, client } = await startServer(args, key);
  // The limit is of the whole process: it does what a full disk does, without one.
  const limit = (bytes) => execFileSync('prlimit', ['--pid', String(server.child.pid), `--fsize=${bytes}:`]);
  // What was in the cache is not counted.
  const used = ({ json: { usage } }) => usage.total_tokens - usage.prompt_tokens_details.cached_tokens;
  let spent = used(await client.chat({ max_tokens: 3 }));
  limit(fs.statSync(quota).size + 150);  // Room for two lines, and for a part of the third.
  let reply;
  for (let i = 0; i < 5 && (!reply || reply.status === 200); i++) {
    reply = await client.chat({ max_tokens: 3 });
    if (reply.status === 200) spent += used(reply);
  }
  equal([reply.status, reply.json.error.code], [503, 'quota_unavailable'], 'a full disk');
  check(!reply.text.includes(folder), `a full disk: the reply names a path: ${reply.text}`);
  const streamed = await client.chat({ max_tokens: 3, stream: true });
  equal([streamed.status, streamed.headers['content-type']], [503, 'application/json'], 'a full disk: before any 200');
  const whole = () => fs.readFileSync(quota, 'utf8').endsWith('}\n') && readLines(quota).length > 0;
  check(whole(), 'a full disk: the file of quotas is torn');
  check(countedIn(quota) >= spent, `a full disk: ${countedIn(quota)} tokens are counted, ${spent} were used`);
  const other = new Client(server.port, free);
  equal((await other.chat({ max_tokens: 3 })).status, 200, 'a key without a quota');
  equal((await other.get('/health')).status, 200, 'health on a full disk');
  // Once there is room again, all is as before.
  limit('unlimited');
  const again = await client.chat({ max_tokens: 3 });
  equal(again.status, 200, 'after the disk was full');
  spent += used(again);
  await server.stop('SIGKILL');
  const restarted = await startServer(args, key);
  check(countedIn(quota) >= spent, `after a restart: ${countedIn(quota)} tokens are counted, ${spent} were used`);
  equal((await restarted.client.chat({ max_tokens: 3 })).status, 200, 'after a restart');
  equal(await restarted.server.stop(), 0, 'exit status');
}

module.exports = { fullDisk };
