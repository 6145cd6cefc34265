// Cases that one reply does not decide. Each is given the client, the case's body and the variables.
'use strict';
const { check, equal, fail, sleep, until } = require('./client');
const { isError } = require('./clauses');

const content = (reply) => reply.json.choices[0].message.content;
// Those of vLLM that its dashboards ask for, and our own.
const metricNames = `num_requests_running num_requests_waiting kv_cache_usage_perc process_resident_memory_bytes
  process_open_fds http_connections build_info prompt_tokens_total generation_tokens_total prefix_cache_queries_total
  prefix_cache_hits_total request_success_total requests_refused_total http_requests_total log_lines_dropped_total
  time_to_first_token_seconds inter_token_latency_seconds e2e_request_latency_seconds request_queue_time_seconds
  request_prefill_time_seconds request_decode_time_seconds request_prompt_tokens request_generation_tokens
  iteration_tokens_total batch_sequences pass_seconds grammar_mask_seconds`.split(/\s+/);
const repeated = (text, count) => text.repeat(count);

async function idle(client) {
  return until(async () => (await client.metric('num_requests_running')) === 0, 3000);
}

module.exports = {
  async health_without_key({ anonymous }) {
    const reply = await anonymous.get('/health');
    equal([reply.status, reply.text], [200, '{"status":"ok"}'], 'health');
  },
  async metrics_format({ client, chat }) {
    const page = (await client.get('/metrics')).text;
    const typed = new Set();
    const buckets = {};
    for (const line of page.trimEnd().split('\n')) {
      const comment = /^# (HELP|TYPE) (\S+)/.exec(line);
      if (comment) {
        typed.add(comment[1] + comment[2]);
        continue;
      }
      const sample = /^([\w:]+?)(_bucket|_sum|_count)?(\{.*\})? ([-+.\deE]+)$/.exec(line);
      if (!check(sample, `metrics: ${line}`)) continue;
      const base = typed.has('TYPE' + sample[1] + (sample[2] || '')) ? sample[1] + (sample[2] || '') : sample[1];
      check(typed.has('HELP' + base) && typed.has('TYPE' + base), `metrics: ${base} has no HELP or TYPE`);
      if (sample[2] === '_bucket') {
        const seen = (buckets[base] = buckets[base] || [0]);
        check(Number(sample[4]) >= seen[seen.length - 1], `metrics: ${base} is not cumulative`);
        seen.push(Number(sample[4]));
      } else if (sample[2] === '_count') {
        equal(buckets[base][buckets[base].length - 1], Number(sample[4]), `metrics: +Inf of ${base}`);
        delete buckets[base];
      }
    }
    for (const name of metricNames) check(typed.has(`TYPEtinyllm:${name}`), `metrics: ${name} is missing`);
    const before = await client.metric('generation_tokens_total');
    const reply = await client.chat(chat);
    equal((await client.metric('generation_tokens_total')) - before, reply.json.usage.completion_tokens, 'generation_tokens_total');
  },
  async chat_repeat_same_bits({ client, body }) {
    const replies = [await client.post('/v1/chat/completions', body), await client.post('/v1/chat/completions', body)];
    const others = [...Array(8)].map((_, i) => client.chat({ seed: i, temperature: 1, max_tokens: 60 }));
    replies.push(await client.post('/v1/chat/completions', body));
    await Promise.all(others);
    for (const reply of replies.slice(1)) {
      equal(content(reply), content(replies[0]), 'repeated: content');
      equal(reply.json.choices[0].finish_reason, replies[0].json.choices[0].finish_reason, 'repeated: finish_reason');
      equal(reply.json.usage.completion_tokens, replies[0].json.usage.completion_tokens, 'repeated: completion_tokens');
      equal(reply.json.system_fingerprint, replies[0].json.system_fingerprint, 'repeated: system_fingerprint');
    }
  },
  async chat_max_tokens_exact({ client, body }) {
    const reply = await client.post('/v1/chat/completions', body);
    equal(reply.json.usage.completion_tokens, 1, 'max_tokens 1: completion_tokens');
    check(reply.json.choices[0].finish_reason === 'length' || content(reply) === '', 'max_tokens 1: finish_reason');
  },
  async chat_max_tokens_over_context({ client, body, vars }) {
    const reply = await client.post('/v1/chat/completions', body);
    equal(reply.status, 200, 'max_tokens over context');
    check(reply.json.usage.total_tokens <= vars.$CTX, 'max_tokens over context: total_tokens');
  },
  async chat_developer_role({ client, body }) {
    const as = (role) => client.post('/v1/chat/completions', {
      ...body, messages: [{ ...body.messages[0], role }, body.messages[1]] });
    equal((await as('developer')).json.usage.prompt_tokens, (await as('system')).json.usage.prompt_tokens, 'developer');
  },
  async chat_marker_in_text({ client, body }) {
    const text = body.messages[0].content;
    const tokens = (await client.post('/tokenize', { content: text, add_special: false })).json.tokens;
    for (const marker of ['<|sep|>', '<|system|>', '</s>']) {
      const [id, ...rest] = (await client.post('/tokenize', { content: marker, special: true })).json.tokens;
      equal(rest, [], `${marker} is one token`);
      check(!tokens.includes(id), `a text that spells ${marker} has it as a token`);
    }
    // A message of another text with as many tokens makes a prompt of the same size.
    const reply = await client.post('/v1/chat/completions', body);
    const around = (await client.chat({ messages: [{ role: 'user', content: '' }], max_tokens: 1 })).json.usage.prompt_tokens;
    check(Math.abs(reply.json.usage.prompt_tokens - around - tokens.length) <= 1, 'marker in text: prompt_tokens');
  },
  async stream_shape({ client, body }) {
    await client.stream('/v1/chat/completions', body);
  },
  async stream_equals_plain({ client, body }) {
    const streamed = (await client.stream('/v1/chat/completions', body)).choices[0];
    const plain = (await client.post('/v1/chat/completions', { ...body, stream: false })).json.choices[0];
    equal(streamed.content, plain.message.content, 'stream: content');
    equal(streamed.reasoning, plain.message.reasoning_content || '', 'stream: reasoning_content');
    equal(streamed.finish, plain.finish_reason, 'stream: finish_reason');
  },
  async stream_usage({ client, body }) {
    const { usage } = await client.stream('/v1/chat/completions', body);
    equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens, 'stream: usage');
    check(Number.isInteger(usage.prompt_tokens_details.cached_tokens), 'stream: cached_tokens');
    check(Number.isInteger(usage.completion_tokens_details.reasoning_tokens), 'stream: reasoning_tokens');
  },
  async stream_n2({ client, body }) {
    equal((await client.stream('/v1/chat/completions', body)).choices.length, 2, 'stream: choices');
  },
  async stream_abort({ client, body, chat }) {
    await idle(client);
    const before = await client.metric('generation_tokens_total');
    let seen = 0;
    await client.send('POST', '/v1/chat/completions', { ...body, logit_bias: client.endless }, {}, (response, request) => {
      response.on('data', () => {
        if (++seen === 3) request.destroy();
      });
    }).catch(() => {});
    check(await idle(client), 'an aborted stream still runs after 3 seconds');
    const drawn = (await client.metric('generation_tokens_total')) - before;
    check(drawn < 100, `an aborted stream drew ${drawn} tokens`);
    equal((await client.chat(chat)).status, 200, 'after an abort');
  },
  async n3_first_is_n1({ client, body }) {
    const three = await client.post('/v1/chat/completions', body);
    const one = await client.post('/v1/chat/completions', { ...body, n: 1 });
    equal(three.json.choices.map((choice) => choice.index), [0, 1, 2], 'n 3: index');
    equal(three.json.choices[0], one.json.choices[0], 'n 3: the first');
    equal(three.json.usage.prompt_tokens, one.json.usage.prompt_tokens, 'n 3: prompt_tokens');
    check(new Set(three.json.choices.map((choice) => choice.message.content)).size > 1, 'n 3: all are alike');
  },
  async stop_across_tokens({ client }) {
    // Three tokens of whole characters, after one too, whose text does not stand before them.
    const ask = { prompt: 'line 1: ', max_tokens: 64, temperature: 1, logprobs: 0, logit_bias: client.endless };
    const isBroken = (text) => text.includes('\ufffd');
    const textOf = (tokens, i) => tokens.slice(i, i + 3).join('');
    let whole, first = -1;
    for (ask.seed = 3; first < 0; ask.seed++) {
      [whole] = (await client.post('/v1/completions', ask)).json.choices;
      const { tokens } = whole.logprobs;
      const before = (i) => whole.text.slice(0, whole.text.indexOf(textOf(tokens, i)));
      first = tokens.findIndex((_, i) => i >= 3 && i + 3 <= tokens.length && !isBroken(tokens[i - 1] + textOf(tokens, i)) &&
                                         before(i) === tokens.slice(0, i).join(''));
    }
    ask.seed--;
    const { tokens, text_offset: offsets } = whole.logprobs;
    const stop = textOf(tokens, first);
    const expected = whole.text.slice(0, whole.text.indexOf(stop));
    const reply = (await client.post('/v1/completions', { ...ask, stop: [stop] })).json;
    equal(reply.choices[0].text, expected, 'stop: text');
    equal([reply.choices[0].finish_reason, reply.choices[0].stop_reason], ['stop', stop], 'stop: reasons');
    equal(reply.choices[0].logprobs.text_offset, offsets.slice(0, first), 'stop: tokens');
    equal(reply.usage.completion_tokens, first + 3, 'stop: completion_tokens');
    equal((await client.stream('/v1/completions', { ...ask, logprobs: null, stop: [stop] })).choices[0].content, expected, 'stop: stream');
  },
  async stop_string_not_array({ client, body }) {
    const one = await client.post('/v1/chat/completions', body);
    const list = await client.post('/v1/chat/completions', { ...body, stop: [body.stop] });
    equal(content(one), content(list), 'stop as a string');
  },
  async logprobs_chat({ client, body }) {
    const reply = await client.post('/v1/chat/completions', body);
    const list = reply.json.choices[0].logprobs.content;
    // The marks of a reasoning are tokens too, but no part of the message.
    const bare = (text) => text.replace(/【推理过程】|【最终答案】|\n/g, '');
    equal(bare(Buffer.from(list.flatMap((token) => token.bytes)).toString()),
      bare((reply.json.choices[0].message.reasoning_content ?? '') + content(reply)), 'logprobs: bytes');
    for (const token of list) {
      check(Number.isFinite(token.logprob) && token.logprob <= 0, 'logprobs: logprob');
      equal(token.top_logprobs.length, 3, 'logprobs: top_logprobs');
      check(token.top_logprobs.every((top, i, all) => i === 0 || top.logprob <= all[i - 1].logprob), 'logprobs: order');
      equal(token.top_logprobs[0].logprob, token.logprob, 'logprobs: greedy takes the likeliest');
    }
    equal(reply.json.choices[0].logprobs.refusal, null, 'logprobs: refusal');
    const streamed = (await client.stream('/v1/chat/completions', body)).choices[0].logprobs;
    equal(streamed, list, 'logprobs: streamed');
    // The model's own distribution, whatever is drawn from it.
    const warm = await client.post('/v1/chat/completions', { ...body, temperature: 0.5, top_p: 0.1, frequency_penalty: 0 });
    equal(warm.json.choices[0].logprobs.content[0].top_logprobs, list[0].top_logprobs, 'logprobs: temperature');
  },
  async completions_echo_scores({ client, body }) {
    const reply = (await client.post('/v1/completions', body)).json;
    const { text, logprobs } = reply.choices[0];
    equal(text, body.prompt, 'echo: text');
    const size = reply.usage.prompt_tokens;
    equal(['tokens', 'token_logprobs', 'top_logprobs', 'text_offset'].map((field) => logprobs[field].length),
          [size, size, size, size], 'echo: lengths');
    equal(logprobs.token_logprobs[0], null, 'echo: the first');
    check(logprobs.token_logprobs.slice(1).every(Number.isFinite), 'echo: finite');
    equal(reply.usage.completion_tokens, 0, 'echo: completion_tokens');
    // The same numbers as when the prompt is continued.
    const longer = (await client.post('/v1/completions', { ...body, max_tokens: 2 })).json.choices[0].logprobs;
    equal(longer.token_logprobs.slice(0, size), logprobs.token_logprobs, 'echo: with an answer');
    const streamed = await client.stream('/v1/completions', { ...body, max_tokens: 2, logprobs: null });
    check(streamed.choices[0].content.startsWith(body.prompt), 'echo: streamed');
  },
  async logit_bias_ban({ client, body, vars }) {
    const first = async (more) =>
      (await client.chat({ ...more, logprobs: true })).json.choices[0].logprobs.content[0].token;
    const token = await first({});
    const id = (await client.post('/tokenize', { content: token })).json.tokens;
    if (id.length === 1) check((await first({ logit_bias: { [id[0]]: -100 } })) !== token, 'logit_bias: a banned token');
  },
  async embeddings_float({ client, body }) {
    const reply = (await client.post('/v1/embeddings', body)).json;
    equal([reply.object, reply.data.length], ['list', 2], 'embeddings');
    for (const [i, item] of reply.data.entries()) {
      equal([item.object, item.index], ['embedding', i], 'embeddings: item');
      const norm = Math.sqrt(item.embedding.reduce((sum, x) => sum + x * x, 0));
      check(Math.abs(norm - 1) < 1e-5, `embeddings: norm ${norm}`);
      const alone = (await client.post('/v1/embeddings', { ...body, input: body.input[i] })).json;
      equal(alone.data[0].embedding, item.embedding, 'embeddings: alone');
    }
    equal(reply.usage.prompt_tokens, reply.usage.total_tokens, 'embeddings: usage');
  },
  async embeddings_base64({ client, body }) {
    const reply = (await client.post('/v1/embeddings', body)).json;
    const float = (await client.post('/v1/embeddings', { ...body, encoding_format: 'float' })).json;
    const bytes = Buffer.from(reply.data[0].embedding, 'base64');
    const numbers = [...Array(bytes.length / 4)].map((_, i) => bytes.readFloatLE(4 * i));
    equal(numbers, float.data[0].embedding.map(Math.fround), 'embeddings: base64');
  },
  async key_missing({ keyed }) {
    const reply = await keyed.chat({}, { Authorization: null });
    equal([reply.status, reply.headers['www-authenticate'], reply.headers.connection], [401, 'Bearer', 'close'], 'no key');
    check(isError(reply.json), 'no key: body');
    // The refusal comes before the body, which is never read as a request.
    const text = await keyed.raw('POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60\r\n\r\n' +
                                 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n');
    equal((text.match(/HTTP\/1\.1/g) || []).length, 1, 'no key: replies');
  },
  async key_wrong({ keyed }) {
    const reply = await keyed.get('/v1/models', { Authorization: 'Bearer sk-wrong' });
    equal([reply.status, reply.json.error.code], [401, 'invalid_api_key'], 'wrong key');
    check(!reply.text.includes('sk-wrong'), 'wrong key: is repeated');
  },
  async rate_limited({ slowKeyed }) {
    const replies = [];
    for (let i = 0; i < 3; i++) replies.push(await slowKeyed.chat());
    equal(replies.map((reply) => reply.status), [200, 200, 429], 'two requests a minute');
    equal(replies[2].json.error.code, 'rate_limit_exceeded', 'rate: code');
    check(Number(replies[2].headers['retry-after']) >= 1, 'rate: retry-after');
    equal(replies.slice(0, 2).map((reply) => reply.headers['x-ratelimit-remaining-requests']), ['1', '0'], 'rate: remaining');
    equal(replies[0].headers['x-ratelimit-limit-requests'], '2', 'rate: limit');
    check('x-ratelimit-reset-requests' in replies[0].headers, 'rate: reset');
  },
  async queue_full({ client }) {
    // As many as run and wait, and one more.
    const replies = await Promise.all([...Array(client.places + 1)].map((_, i) =>
      client.chat({ max_tokens: 100, seed: i, logit_bias: client.endless, stream: i % 2 === 0 })));
    const refused = replies.filter((reply) => reply.status !== 200);
    equal(refused.map((reply) => [reply.status, reply.json.error.code]), [[429, 'server_overloaded']], 'queue full');
    const wait = Number(refused[0].headers['retry-after']);
    check(wait >= 1 && wait <= 60, `queue full: retry-after ${wait}`);
  },
  async cors_off({ client, cors }) {
    const asked = { Origin: 'http://evil.example', 'Access-Control-Request-Method': 'POST' };
    const none = await client.send('OPTIONS', '/v1/chat/completions', null, asked);
    check(!Object.keys(none.headers).some((name) => name.startsWith('access-control-allow')), 'cors: off');
    equal((await client.chat({}, { Origin: 'http://evil.example' })).status, 403, 'cors: a page from elsewhere');
    equal((await client.get('/health', { Host: 'evil.example' })).status, 403, 'host: a name from elsewhere');
    const named = { ...asked, Origin: 'http://named.example' };
    const some = await cors.send('OPTIONS', '/v1/chat/completions', null, named);
    equal([some.status, some.headers['access-control-allow-origin'], some.headers.vary],
          [204, 'http://named.example', 'Origin'], 'cors: on');
    equal((await cors.chat({}, { Origin: 'http://named.example' })).headers['access-control-allow-origin'],
          'http://named.example', 'cors: reply');
  },
  async json_broken({ client, body }) {
    const reply = await client.post('/v1/chat/completions', body.replace('raw: ', ''));
    equal([reply.status, reply.json.error.type], [400, 'invalid_request_error'], 'broken JSON');
    check(/line \d+|byte \d+/.test(reply.json.error.message), 'broken JSON: where');
  },
  async json_deep({ client }) {
    const began = Date.now();
    const reply = await client.post('/v1/chat/completions', `{"x":${repeated('[', 100000)}${repeated(']', 100000)}}`);
    equal(reply.status, 400, 'deep JSON');
    equal((await client.chat()).status, 200, 'after deep JSON');
  },
  async type_wrong({ client, body }) {
    const fields = { temperature: 'number', top_p: 'number', min_p: 'number', presence_penalty: 'number', n: 'number',
                     frequency_penalty: 'number', seed: 'number', max_tokens: 'number', top_k: 'number', stream: 'boolean',
                     logprobs: 'boolean', model: 'string', messages: 'array', logit_bias: 'object', stop: 'stop' };
    const values = { number: 1.5, string: 'hot', boolean: true, array: [{ x: 1 }], object: { x: 'y' } };
    for (const [field, type] of Object.entries(fields)) {
      for (const [other, value] of Object.entries(values)) {
        const fits = other === type || (type === 'stop' && other === 'string');
        if (fits) continue;
        const reply = await client.post('/v1/chat/completions', { ...body, temperature: 0, [field]: value });
        const param = reply.json.error && reply.json.error.param;
        equal([reply.status, param], [400, field], `${field} as ${other}`);
      }
    }
    const reply = await client.post('/v1/chat/completions', body);
    equal([reply.status, reply.json.error.param, reply.json.error.code], [400, 'temperature', 'invalid_type'], 'hot');
    check(/a string.*a number/.test(reply.json.error.message), `hot: ${reply.json.error.message}`);
  },
  async range_wrong({ client, body }) {
    const wrong = { temperature: [2.5, -1], top_p: [0, 1.1], n: [0, 129], top_logprobs: [21, -1], presence_penalty: [3],
                    logit_bias: [{ 5: 101 }, { x: 1 }, { 999999999: 1 }], max_tokens: [0, -2], min_p: [2],
                    max_completion_tokens: [0], stop: [[''], Array(17).fill('x')], seed: [1e30], top_k: [-1] };
    for (const [field, values] of Object.entries(wrong)) {
      for (const value of values) {
        const reply = await client.post('/v1/chat/completions', { ...body, temperature: 0, logprobs: true, [field]: value });
        equal([reply.status, reply.json.error && reply.json.error.param], [400, field], `${field} ${JSON.stringify(value)}`);
      }
    }
  },
  async context_too_long({ client, body }) {
    const messages = [{ role: 'user', content: repeated('字', 5000) }];
    const reply = await client.post('/v1/chat/completions', { ...body, messages });
    equal([reply.status, reply.json.error.code, reply.json.error.param], [400, 'context_length_exceeded', 'messages'], 'too long');
    equal(reply.headers['content-type'], 'application/json', 'too long: content-type');
    check(/\d+ tokens.*\d+ tokens/.test(reply.json.error.message), 'too long: both numbers');
  },
  async body_too_large({ client }) {
    const text = await client.raw(`POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${(4 << 20) + 1}\r\n\r\n`);
    check(/^HTTP\/1\.1 413 /.test(text) && /Connection: close/.test(text), `too large: ${text.slice(0, 60)}`);
    check(isError(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))), 'too large: body');
  },
  async chunked_without_end({ client }) {
    let sent = 0;
    const text = await client.raw((socket) => {
      socket.write('POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n');
      const chunk = `10000\r\n${'x'.repeat(65536)}\r\n`;
      const more = () => {
        while (!socket.destroyed && sent < 64 << 20 && socket.write(chunk)) sent += 65536;
        if (!socket.destroyed && sent < 64 << 20) socket.once('drain', more);
      };
      more();
    }, 10000);
    check(/^HTTP\/1\.1 413 /.test(text), `endless chunks: ${text.slice(0, 60)}`);
  },
  async header_megabyte({ client }) {
    const long = await client.raw(`GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(1 << 20)}\r\n\r\n`);
    const many = await client.raw(`GET /health HTTP/1.1\r\nHost: localhost\r\n${'X: 1\r\n'.repeat(10000)}\r\n`);
    // The reply may be lost with the connection, as the rest of the request was never read.
    for (const text of [long, many]) check(text === '' || /^HTTP\/1\.1 431 /.test(text), `long header: ${text.slice(0, 60)}`);
    equal((await client.get('/health')).status, 200, 'after long headers');
  },
};
