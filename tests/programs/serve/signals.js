// SIGINT and SIGTERM in every phase of a server: exit codes, and what it says.
'use strict';
const fs = require('fs');
const { spawn } = require('child_process');
const { check, equal, until } = require('./client');

// While models are loaded, of which there are so many that it takes a while.
async function whileLoading(program, model) {
  const models = [...Array(300)].flatMap((_, i) => ['--model', `m${i}=${model}`]);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    const child = spawn(program, ['--port', '0', ...models], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (said += part));
    const ended = new Promise((resolve) => child.on('close', (code, by) => resolve(by || code)));
    // Another thread loads while the first one waits for signals.
    const isLoading = () => /^Threads:\t([2-9]|\d\d)/m.test(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'));
    check(await until(isLoading, 10000), 'the server loads');
    child.kill(signal);
    equal(await ended, 0, `${signal} while loading: exit status`);
    equal(said, 'serve: stopped before the model was loaded\n', `${signal} while loading`);
  }
}

async function whileIdle(startServer) {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    const { server } = await startServer([]);
    equal(await server.stop(signal), 0, `${signal} while idle: exit status`);
    equal(server.complained, 'serve: stopping after the answers that run\n', `${signal} while idle`);
  }
}

// The first signal lets the answer go on; another one, not at once, cuts it off.
async function twice(startServer) {
  const { server, client } = await startServer(['--drain', '600']);
  // More answers than it can give meanwhile.
  const ask = { prompt: Array(16).fill('x'), n: 128, max_tokens: 200, logit_bias: client.endless, stream: true };
  await new Promise((resolve) => client.send('POST', '/v1/completions', ask, {}, resolve).catch(() => {}));
  server.child.kill('SIGINT');
  server.child.kill('SIGINT');  // As `timeout` sends them.
  await until(() => server.complained !== '', 10000);
  const first = Date.now();
  await until(() => Date.now() > first + 2500, 10000);
  equal(server.child.exitCode, null, 'two signals at once: exit status');
  equal(await server.stop('SIGINT'), 1, 'a second signal: exit status');
  check(server.complained.endsWith('\nserve: stopped at once; the answers that ran are cut off\n'), `a second signal: ${server.complained}`);
}

async function signals(program, model, startServer) {
  await whileLoading(program, model);
  await whileIdle(startServer);
  await twice(startServer);
}

module.exports = { signals };
