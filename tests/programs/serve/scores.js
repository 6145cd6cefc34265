// Log-probabilities of /v1/completions, and how many a request may ask for.
'use strict';
const { check, equal } = require('./client');

// Each token stands in the text where its offset says, and is among those listed for its place.
function checkPlaces(choice, from, what) {
  const letters = [...choice.text];
  const { tokens, token_logprobs: own, top_logprobs: top, text_offset: offsets } = choice.logprobs;
  for (let i = from; i < tokens.length; i++) {
    equal(top[i][tokens[i]], own[i], `${what}: token ${i} among the likeliest`);
    if (/^(bytes:.*|<.*>)$/.test(tokens[i])) continue;  // Not text.
    equal(letters.slice(offsets[i], offsets[i] + [...tokens[i]].length).join(''), tokens[i], `${what}: place of token ${i}`);
  }
}

async function joined(client, body) {
  const { choices, chunks } = await client.stream('/v1/completions', body);
  return choices.map((choice, index) => {
    const lists = chunks.flatMap((chunk) => chunk.choices).filter((one) => one.index === index && one.logprobs).map((one) => one.logprobs);
    const all = (name) => lists.flatMap((list) => list[name]);
    return { text: choice.content, logprobs: { tokens: all('tokens'), token_logprobs: all('token_logprobs'),
                                               top_logprobs: all('top_logprobs'), text_offset: all('text_offset') } };
  });
}

const essence = (choice) => [choice.text, choice.logprobs];

async function scores({ client }) {
  const [end] = Object.keys(client.endless);
  const ask = { prompt: 'line 1: 今天', max_tokens: 40, temperature: 2, logprobs: 5 };
  const post = async (more) => (await client.post('/v1/completions', { ...ask, ...more })).json;
  for (let seed = 0; seed < 6; seed++) {
    const plain = (await post({ seed, logit_bias: client.endless })).choices[0];
    checkPlaces(plain, 0, `seed ${seed}`);
    check(plain.logprobs.top_logprobs.every((top) => Object.keys(top).length >= 1), 'top_logprobs');
    // With the prompt: the same after it.
    const echoed = (await post({ seed, echo: true, logit_bias: client.endless })).choices[0];
    const size = echoed.logprobs.tokens.length - plain.logprobs.tokens.length;
    equal(echoed.logprobs.token_logprobs.slice(size), plain.logprobs.token_logprobs, 'echo: log-probabilities');
    checkPlaces(echoed, 1, `seed ${seed}, echo`);
    const [streamed] = await joined(client, { ...ask, seed, echo: true, logit_bias: client.endless });
    equal(essence(streamed), essence(echoed), 'echo: stream');
  }
  // Many are written on another thread.
  const many = { n: 16, max_tokens: 40, logprobs: 20, seed: 1, logit_bias: client.endless };
  equal((await joined(client, { ...ask, ...many })).map(essence), (await post(many)).choices.map(essence), 'many log-probabilities');
  // Tokens that are no text.
  const odd = await post({ prompt: [200, 140, 300, 310, 150, 301], max_tokens: 0, echo: true });
  checkPlaces(odd.choices[0], 1, 'odd tokens');
  // The end token counts, and is listed.
  const ended = await post({ max_tokens: 1, echo: true, logit_bias: { [end]: 100 }, temperature: 0 });
  const { tokens } = ended.choices[0].logprobs;
  equal([ended.usage.completion_tokens, tokens.length, tokens[tokens.length - 1], ended.choices[0].finish_reason],
        [1, ended.usage.prompt_tokens + 1, '', 'stop'], 'the end token');
  checkPlaces(ended.choices[0], 1, 'the end token');
  const [streamed] = await joined(client, { ...ask, max_tokens: 1, echo: true, logit_bias: { [end]: 100 }, temperature: 0 });
  equal(essence(streamed), essence(ended.choices[0]), 'the end token: stream');
  // Several answers to several prompts.
  const several = { prompt: ['line 1: ', 'line 2: '], n: 3, max_tokens: 6, seed: 4, echo: true, logit_bias: client.endless };
  const all = (await post(several)).choices;
  for (const [i, prompt] of several.prompt.entries()) {
    const one = (await post({ ...several, prompt, n: 1 })).choices[0];
    if (i === 0) equal(essence(all[0]), essence(one), 'n: the first');
    const size = one.logprobs.tokens.length - 6;
    for (const choice of all.slice(3 * i, 3 * i + 3)) {
      equal(choice.logprobs.token_logprobs.slice(0, size), one.logprobs.token_logprobs.slice(0, size), 'n: the prompt');
      checkPlaces(choice, 1, 'n');
    }
  }
  equal((await joined(client, { ...ask, ...several })).map(essence), all.map(essence), 'n: stream');
}

async function amounts({ client }) {
  const post = (body) => client.post('/v1/completions', { temperature: 1, ...body });
  for (const body of [{ prompt: Array(17).fill('a'), n: 128, max_tokens: 1 },
                      { prompt: Array(16).fill('a'), n: 128, max_tokens: 100, logprobs: 20 }]) {
    const { status, json } = await post(body);
    equal([status, json.error && json.error.param], [400, 'n'], `too much: ${JSON.stringify(body).slice(-40)}`);
  }
  const vectors = await client.post('/v1/embeddings', { input: Array(300).fill('a') });
  equal([vectors.status, vectors.json.data.length], [200, 300], 'embeddings: 300 inputs');
  const many = await client.post('/v1/embeddings', { input: Array(2049).fill('a') });
  equal([many.status, many.json.error.param], [400, 'input'], 'embeddings: 2049 inputs');
  const huge = await client.post('/v1/chat/completions',
    '{"messages":[{"role":"user","content":"a"}],"max_tokens":1e300,"seed":1}');
  equal(huge.status, 200, 'max_tokens 1e300');
}

// One request with many answers leaves places to others of the same key.
async function besideMany({ client }) {
  const order = [];
  const many = client.chat({ n: 128, max_tokens: 60, temperature: 1, seed: 1, logit_bias: client.endless }).then(() => order.push('many'));
  const few = [...Array(3)].map((_, i) => client.chat({ max_tokens: 1, seed: i }).then(() => order.push('few')));
  await Promise.all([many, ...few]);
  equal(order, ['few', 'few', 'few', 'many'], 'beside a request with many answers');
}

module.exports = { scores, amounts, besideMany };
