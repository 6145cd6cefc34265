// node test.js PROGRAM MODEL FOLDER DATA: the server under all cases, on a tiny model. Everything stays on this machine.
'use strict';
const fs = require('fs');
const path = require('path');
const { execFileSync } = require('child_process');
const { Client, start, sleep, until, fail, check, equal, finish } = require('./client');
const { checkClauses } = require('./clauses');
const faults = require('./faults');
const forms = require('./forms');
const { taggedCalls } = require('./calls');
const { writeQwenModel } = require('./qwen_model');
const { fullDisk } = require('./disk');
const scores = require('./scores');
const { talks } = require('./talks');
const { auditedVotes, countedVotes, votes, votesCase, votesOfThinker } = require('./votes');
const { signals } = require('./signals');
const { slowHeaders, slowReader } = require('./slow');
const special = { ...require('./special'), ...forms.cases, self_consistency: votesCase };

const [program, model, folder, data] = process.argv.slice(2);
const name = path.basename(model);

// Cases that are run elsewhere: each says where.
const elsewhere = {
  stream_slow_reader: 'slowReader of slow.js',
  slow_headers: 'slowHeaders of slow.js: it waits while the others run',
  reasoning_split: 'reasoning of calls.js: the tiny model of the others writes no markers',
  stop_not_in_reasoning: 'the same',
  drain: 'in lifecycle below',
};

async function runCases(clients) {
  const { client } = clients;
  const basic = await client.chat();
  const vars = {
    $MODEL: name,
    $CTX: (await client.get('/v1/models')).json.data[0].max_model_len,
    basic: { content: basic.json.choices[0].message.content, promptTokens: basic.json.usage.prompt_tokens },
  };
  for (const line of fs.readFileSync(path.join(data, 'server_cases.jsonl'), 'utf8').trim().split('\n')) {
    const one = JSON.parse(line.replaceAll('$MODEL', name));
    if (process.env.CASE && process.env.CASE !== one.name) continue;
    if (one.name in elsewhere) continue;
    try {
      if (one.name in special) {
        await special[one.name]({ ...clients, body: one.body, chat: {}, vars });
        continue;
      }
      const reply = await client.send(one.method, one.path, one.body, one.headers || {});
      const unknown = checkClauses(one.name, one.expect, reply, vars, fail);
      for (const clause of unknown) fail(`${one.name}: nobody checks "${clause}"`);
    } catch (error) {
      fail(`${one.name}: ${error.stack}`);
    }
  }
}

// The same request has the same bytes, whatever else the server does and however it was started.
async function sameAnswers(startServer) {
  const asks = [...Array(4)].map((_, i) => ({
    messages: [{ role: 'user', content: `第${i}题：${'计算 '.repeat(5 * i)}1+${i}` }],
    max_tokens: 40, temperature: 1.2, seed: 100 + i, logprobs: true, n: i === 3 ? 2 : 1 }));
  const bytesOf = (reply) => JSON.stringify(reply.json.choices);
  const answers = [];
  const fingerprints = new Set();
  for (const threads of ['1', '8']) {
    const { server, client } = await startServer(['-j', threads]);
    const others = [...Array(16)].map((_, i) =>
      ({ messages: [{ role: 'user', content: `第${i}题` }], max_tokens: 60, temperature: 1, seed: i, stream: true }));
    for (const round of ['alone', 'warm', 'among sixteen']) {
      const noise = round === 'among sixteen' ? others.map((ask) => client.post('/v1/chat/completions', ask)) : [];
      const replies = round === 'alone' ? [] : await Promise.all(asks.map((ask) => client.post('/v1/chat/completions', ask)));
      for (const ask of round === 'alone' ? asks : []) replies.push(await client.post('/v1/chat/completions', ask));
      await Promise.all(noise);
      replies.forEach((reply, i) => {
        answers[i] = answers[i] || bytesOf(reply);
        equal(bytesOf(reply), answers[i], `${round}, ${threads} threads: answer ${i}`);
        fingerprints.add(reply.json.system_fingerprint);
      });
    }
    equal(await server.stop(), 0, 'exit status');
  }
  equal(fingerprints.size, 1, 'fingerprints');
}

// A request that arrives in two pieces, cut at every byte, has the reply of one that arrives at once.
async function splitAtEveryByte({ client }) {
  const body = JSON.stringify({ messages: [{ role: 'user', content: '1+2' }], max_tokens: 1, temperature: 0, seed: 1 });
  const request = Buffer.from('POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n' +
                              `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  const answerOf = (text) => {
    const json = JSON.parse(Buffer.from(text.slice(text.indexOf('\r\n\r\n') + 4), 'latin1').toString());
    return JSON.stringify([json.choices, json.usage.total_tokens]);
  };
  const whole = answerOf(await client.raw(request));
  for (let first = 1; first < request.length; first += 32) {
    const cuts = [...Array(Math.min(32, request.length - first))].map((_, i) => first + i);
    const texts = [];
    for (let i = 0; i < cuts.length; i += 8) {
      texts.push(...await Promise.all(cuts.slice(i, i + 8).map((cut) => client.raw((socket) => {
        socket.setNoDelay(true);
        socket.write(request.subarray(0, cut));
        setTimeout(() => socket.write(request.subarray(cut)), 3);
      }))));
    }
    texts.forEach((text, i) => {
      if (!text.startsWith('HTTP/1.1 200') || answerOf(text) !== whole) fail(`cut at byte ${cuts[i]}: ${text.slice(0, 200)}`);
    });
  }
}

async function badInput({ client }) {
  const bad = (body, what) => client.post('/v1/chat/completions', body).then((reply) => {
    equal(reply.status, 400, what);
    check(reply.json && reply.json.error, `${what}: body`);
  });
  const message = (content) => ({ messages: [{ role: 'user', content }] });
  await bad({ messages: Array(100000).fill({ role: 'user', content: '' }) }, '100,000 messages');
  await bad('{"messages":[{"role":"user","content":"\\ud800"}]}', 'a lone surrogate');
  await bad('{"messages":[],"temperature":NaN}', 'NaN');
  await bad('{"messages":[{"role":"user","content":"a"}],"temperature":1e999}', 'a huge number');
  await bad('[]', 'a list');
  await bad('', 'no body');
  await bad({ messages: [{ role: 'wizard', content: 'a' }] }, 'an unknown role');
  await bad({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] }, 'a picture');
  await bad({ ...message('a'), tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools');
  await bad({ ...message('a'), calculator: 'on' }, 'calculator');
  const fine = await client.post('/v1/chat/completions', { ...message('a'), max_tokens: 1, tools: [], tool_choice: 'none' });
  equal(fine.status, 200, 'no tools');
  const twice = await client.post('/v1/chat/completions', '{"max_tokens":1,"max_tokens":2,"messages":[{"role":"user","content":"a"}]}');
  equal(twice.status, 200, 'a key twice');
  const invalid = await client.raw(Buffer.concat([
    Buffer.from('POST /tokenize HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 15\r\n\r\n{"content":"'),
    Buffer.from([0xff]), Buffer.from('"}')]));
  check(/^HTTP\/1\.1 400 /.test(invalid), 'bytes that are not UTF-8');
  check(/^HTTP\/1\.1 400 /.test(await client.raw('GET /\r\n\r\n')), 'HTTP/0.9');
  check(/^HTTP\/1\.1 200 .*"status":"ok"/s.test(await client.raw('GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n')), 'HTTP/1.0');
  const piped = await client.raw('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3), 500);
  equal((piped.match(/"ok"/g) || []).length, 3, 'three requests at once');
  const old = await client.raw('POST /v1/chat/completions HTTP/1.0\r\nHost: localhost\r\nContent-Length: 77\r\n\r\n' +
    '{"messages":[{"role":"user","content":"a"}],"max_tokens":3,"stream":true    }');
  check(old.endsWith('data: [DONE]\n\n') && !/chunked/i.test(old), `a stream over HTTP/1.0: ${old.slice(0, 80)}`);
}

// A client that goes away is dropped: while it receives, waits for a whole answer, or is queued.
async function goneClients({ client }) {
  const long = (more) => ({ messages: [{ role: 'user', content: 'x' }], max_tokens: 200, logit_bias: client.endless, ...more });
  const leave = async (body, when) => {
    await client.send('POST', '/v1/chat/completions', body, {}, when).catch(() => {});
  };
  const abandon = (body) => client.raw((socket) => {
    const text = JSON.stringify(body);
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    setTimeout(() => socket.destroy(), 30);
  });
  const drawn = await client.metric('generation_tokens_total');
  await Promise.all([...Array(client.places)].map((_, i) => abandon(long({ seed: i, n: 1 + (i % 2) }))));
  const gone = await until(async () => (await client.metric('num_requests_running')) + (await client.metric('num_requests_waiting')) === 0, 3000);
  check(gone, 'requests of clients that are gone still run or wait');
  check((await client.metric('generation_tokens_total')) - drawn < 200 * client.places, 'answers for nobody were finished');
}

async function lifecycle(startServer) {
  const audit = path.join(folder, 'audit.jsonl'), access = path.join(folder, 'access.jsonl');
  const { server, client } = await startServer(['--audit-log', audit, '--access-log', access, '--drain', '20']);
  const endless = client.endless;
  // Sends a request; `begun` is when the first bytes of its answer are there.
  const begin = (to, body) => {
    let ended;
    const begun = new Promise((resolve) => {
      ended = to.send('POST', '/v1/chat/completions', { ...body, stream: true }, {}, (response) => response.once('data', resolve));
    });
    return { begun, ended };
  };
  const ask = { messages: [{ role: 'user', content: 'x' }], max_tokens: 150, logit_bias: endless };
  const stream = begin(client, ask);
  await stream.begun;
  const stopped = server.stop();
  await until(async () => (await client.get('/health').catch(() => ({ status: 0 }))).status !== 200, 3000);
  const late = await client.chat().catch(() => ({ status: 503 }));
  equal(late.status, 503, 'a request while draining');
  check((await stream.ended).text.endsWith('data: [DONE]\n\n'), 'the stream that was running');
  equal(await stopped, 0, 'exit status after draining');
  const lines = (file) => fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  check(lines(audit).some((line) => line.answers && line.answers[0].completion_tokens === 150), 'audit log');
  check(lines(access).some((line) => line.path === '/tokenize' && line.status === 200), 'access log');
  if (!check(!fs.readFileSync(audit, 'utf8').includes('"request"'), 'contents in the audit log')) return;

  // Too little time: the answer ends with an error event.
  const short = await startServer(['--drain', '0.05']);
  const cut = begin(short.client, { ...ask, n: 128 });
  await cut.begun;
  const code = short.server.stop();
  const text = (await cut.ended).text;
  check(/"code":"shutting_down"\}\}\n\n$/.test(text), `a stream that is cut: ${text.slice(-200)}`);
  equal(await code, 0, 'exit status after cutting');
}

async function killAndRestart(startServer) {
  const keys = path.join(folder, 'killed.jsonl'), quota = path.join(folder, 'quota.jsonl');
  const key = execFileSync(program, ['--keys', keys, '--new-key', '--tokens-per-day', '600']).toString().trim();
  const args = ['--keys', keys, '--quota', quota];
  const first = await startServer(args, key);
  const used = (await first.client.chat({ max_tokens: 5 })).json.usage.total_tokens;
  const running = first.client.chat({ max_tokens: 100, n: 2, logit_bias: first.client.endless }).catch(() => {});
  check(await until(() => fs.readFileSync(quota, 'utf8').split('\n').length >= 4, 3000), 'a reservation is written');
  await first.server.stop('SIGKILL');
  await running;
  fs.appendFileSync(quota, '{"day":"2026-');  // As if a line had been torn.
  const second = await startServer(args, key);
  const counted = fs.readFileSync(quota, 'utf8').trim().split('\n').map(JSON.parse).reduce((sum, line) => sum + line.tokens, 0);
  check(counted >= used + 200, `a crash: ${counted} tokens counted, expected at least ${used + 200}`);
  const reply = await second.client.chat({ max_tokens: 200, n: 3 });
  equal([reply.status, reply.json.error.code, reply.headers['x-should-retry']], [429, 'insufficient_quota', 'false'], 'a used-up quota');
  // New keys are read at SIGHUP; a broken file changes nothing.
  const other = new Client(second.server.port, execFileSync(program, ['--keys', keys, '--new-key']).toString().trim());
  equal((await other.get('/v1/models')).status, 401, 'a key that is not read yet');
  second.server.child.kill('SIGHUP');
  check(await until(async () => (await other.get('/v1/models')).status === 200, 3000), 'a key after SIGHUP');
  fs.appendFileSync(keys, 'broken\n');
  second.server.child.kill('SIGHUP');
  check(await until(() => second.server.complained.includes('the old keys stay'), 3000), 'a broken file of keys');
  equal((await other.get('/v1/models')).status, 200, 'after a broken file of keys');
  equal((await new Client(second.server.port).get('/metrics')).status, 401, 'metrics without a key');
  await second.server.stop();
}

// A word that the model says without a filter is where its answer ends with one, streamed or not.
async function filters(startServer, open) {
  const ask = { prompt: 'line 1: ', max_tokens: 40, temperature: 1, seed: 3, logit_bias: open.client.endless };
  const text = (await open.client.post('/v1/completions', ask)).json.choices[0].text;
  const letters = [...text];
  const word = letters.slice(10, 13).join('');
  const rules = path.join(folder, 'rules.txt'), audit = path.join(folder, 'filtered.jsonl');
  fs.writeFileSync(rules, `# a word and an expression\n${word.includes('\n') ? 'unsaid' : word}\n/[f]orbidden +(word|phrase)/\n`);
  const { server, client } = await startServer(['--filter-output', rules, '--filter-input', rules, '--refusal', '(no)', '--audit-log', audit]);
  if (!word.includes('\n')) {
    const expected = text.slice(0, text.indexOf(word)) + '(no)';
    const plain = (await client.post('/v1/completions', { ...ask, logprobs: 0 })).json.choices[0];
    equal([plain.text, plain.finish_reason], [expected, 'content_filter'], 'filter: plain');
    check(!plain.logprobs.tokens.join('').includes(word), 'filter: logprobs');
    equal((await client.stream('/v1/completions', ask)).choices[0].content, expected, 'filter: stream');
  }
  const refused = await client.chat({ messages: [{ role: 'user', content: 'a forbidden  phrase' }] });
  equal([refused.json.choices[0].message.content, refused.json.choices[0].finish_reason], ['(no)', 'content_filter'], 'filter: input');
  const vote = { self_consistency: { samples: 3, return_chains: true } };
  const none = await client.chat({ ...vote, temperature: 1, messages: [{ role: 'user', content: 'a forbidden  phrase' }] });
  equal(none.json.choices.map((choice) => choice.message.content), ['(no)'], 'filter: input, chains');
  for (let seed = 0; seed < 8; seed++) {
    const voted = await client.chat({ ...vote, temperature: 1, seed, max_tokens: 40, logit_bias: open.client.endless });
    const said = [voted.json.choices[0].message.content, ...voted.json.self_consistency.chains.map((chain) => chain.text)];
    check(!said.some((text) => text.includes(word)), 'filter: chains');
  }
  const vector = await client.post('/v1/embeddings', { input: 'forbidden word' });
  equal([vector.status, vector.json.error.code], [400, 'content_filter'], 'filter: embeddings');
  equal(await server.stop(), 0, 'exit status');
  check(/"refused":"content_filter"/.test(fs.readFileSync(audit, 'utf8')), 'filter: audit log');
}

async function otherForms({ client }) {
  const message = await client.post('/v1/messages', { model: name, max_tokens: 8, messages: [{ role: 'user', content: 'a' }] });
  equal([message.status, message.json.type, message.json.role], [200, 'message', 'assistant'], 'messages');
  const wrong = await client.post('/v1/messages', { max_tokens: 8, messages: [] });
  equal([wrong.status, wrong.json.type, wrong.json.error.type], [400, 'error', 'invalid_request_error'], 'messages: error');
  const response = await client.post('/v1/responses', { model: name, input: 'a', max_output_tokens: 8, temperature: 0 });
  equal([response.status, response.json.object], [200, 'response'], 'responses');
  const stream = await client.post('/v1/responses', { model: name, input: 'a', max_output_tokens: 8, temperature: 0, stream: true });
  const events = stream.text.trim().split('\n\n').map((block) => JSON.parse(block.split('\ndata: ')[1]));
  const last = events[events.length - 1].response;
  equal(last.output.map((item) => item.content), response.json.output.map((item) => item.content), 'responses: stream');
  equal(events.map((one) => one.sequence_number), events.map((_, i) => i), 'responses: numbers');
  const document = (await client.get('/openapi.json')).json;
  check(document.paths['/v1/chat/completions'].post.requestBody, 'openapi');
  const question = { role: 'user', content: '1+2' };
  const whole = (await client.chat({ messages: [question], max_tokens: 12 })).json.choices[0].message.content;
  const begun = { role: 'assistant', content: whole.slice(0, 3) };
  const more = await client.chat({ messages: [question, begun], continue_final_message: true, max_tokens: 4 });
  equal(more.status, 200, 'an answer that goes on');
  equal((await client.chat({ messages: [question], continue_final_message: true })).status, 400, 'no answer to go on with');
  const page = await client.get('/');
  equal([page.status, page.headers['content-type']], [200, 'text/html; charset=utf-8'], 'page');
  check(/default-src 'none'/.test(page.headers['content-security-policy']), 'page: policy');
  equal((await client.get('/', { 'If-None-Match': page.headers.etag })).status, 304, 'page: etag');
  const text = 'a b<|user|>c</s>';
  const { tokens } = (await client.post('/tokenize', { content: text })).json;
  equal((await client.post('/detokenize', { tokens })).json.content, text, 'tokenize and back');
  equal((await client.post('/tokenize', { content: '</s>', special: true })).json.count, 1, 'a special token');
}

(async () => {
  const startServer = async (args, key, folder = model) => {
    const places = args.includes('--running') ? [] : ['--running', '4', '--queue', '16'];
    const server = await start(program, [folder, '--port', '0', ...places, ...args]);
    const client = new Client(server.port, key);
    const [end] = (await client.post('/tokenize', { content: '</s>', special: true })).json.tokens;
    Object.assign(client, { endless: { [end]: -100 }, places: 20 });
    return { server, client };
  };
  const keys = path.join(folder, 'keys.jsonl');
  const newKey = (...more) => execFileSync(program, ['--keys', keys, '--new-key', ...more]).toString().trim();
  const [key, slowKey] = [newKey(), newKey('--requests-per-minute', '2')];
  check(!fs.readFileSync(keys, 'utf8').includes(key.slice(3)), 'the file of keys holds a key');
  const open = await startServer([]);
  const keyed = await startServer(['--keys', keys], key);
  const named = await startServer(['--cors', 'http://named.example']);
  const clients = { client: open.client, anonymous: open.client, keyed: keyed.client, cors: named.client,
                    slowKeyed: new Client(keyed.server.port, slowKey) };
  const slowHeadersAreClosed = process.env.CASE ? () => {} : slowHeaders(open.client);
  await runCases(clients);
  if (!process.env.CASE) {
    await slowReader(open.client, {});
    await otherForms(clients);
    await badInput(clients);
    await forms.formats(clients);
    await forms.calls(clients);
    await votes(open.client);
    await goneClients(clients);
    await scores.scores(clients);
    await scores.amounts(clients);
    await scores.besideMany(clients);
    await faults.unwantedBodies(clients);
    await faults.headers(clients);
    await faults.goneAfterMore(clients);
    await splitAtEveryByte(clients);
    await filters(startServer, open);
  }
  await slowHeadersAreClosed();
  for (const { server } of [open, keyed, named]) equal(await server.stop(), 0, 'exit status');
  if (!process.env.CASE) {
    const qwen = path.join(folder, 'qwen');
    writeQwenModel(qwen, data);
    const tagged = await startServer([], undefined, qwen);
    await taggedCalls(tagged.client);
    await votesOfThinker(tagged.client);
    await talks(tagged.client);
    await faults.paddedVocabulary(tagged.client, (await tagged.client.post('/tokenize', { content: '<|im_end|>', special: true })).json.tokens[0]);
    equal(await tagged.server.stop(), 0, 'exit status');
    await faults.oneAfterTheOther(startServer);
    await faults.withdrawnKey(startServer, program, folder);
    await sameAnswers(startServer);
    await lifecycle(startServer);
    await killAndRestart(startServer);
    await countedVotes(startServer, program, folder);
    await auditedVotes(startServer, folder);
    await fullDisk(program, folder, startServer);
    await signals(program, model, startServer);
  }
  finish();
})().catch((error) => {
  console.log(`FAILED: ${error.stack}`);
  process.exit(1);
});
