// response_format and tools: answers in a form, from a model that knows nothing of it.
'use strict';
const { check, equal, fail } = require('./client');

const format = (schema) => ({ type: 'json_schema', json_schema: { name: 'a', strict: true, schema } });
const seeds = (count) => [...Array(count).keys()];

// An answer that is JSON.
function parsed(text, what) {
  try {
    return JSON.parse(text);
  } catch (error) {
    fail(`${what}: ${JSON.stringify(text).slice(0, 300)}`);
    return undefined;
  }
}

const isSteps = (steps) => Array.isArray(steps) && steps.length <= 3 && steps.every((s) => [...s].length <= 20);

// The cases of the list of cases.
const cases = {
  async json_object({ client, body }) {
    for (const seed of seeds(10)) {
      const reply = await client.post('/v1/chat/completions', { ...body, seed, close_json: true });
      equal(reply.status, 200, 'json_object: status');
      const value = parsed(reply.json.choices[0].message.content, 'json_object');
      check(value && typeof value === 'object' && !Array.isArray(value), 'json_object: an object');
    }
    const open = (await client.post('/v1/chat/completions', body)).json.choices[0];
    if (open.finish_reason === 'stop') parsed(open.message.content, 'json_object without close_json');
  },
  async json_schema({ client, body }) {
    for (const seed of seeds(10)) {
      const { choices } = (await client.post('/v1/chat/completions', { ...body, seed, close_json: true })).json;
      const { content } = choices[0].message;
      const value = parsed(content, 'json_schema') || {};
      equal(Object.keys(value), ['answer', 'unit', 'steps'], 'json_schema: keys in their order');
      check(Number.isInteger(value.answer) && ['元', '米'].includes(value.unit) && isSteps(value.steps), `json_schema: ${content}`);
      check(!/\s{33}/.test(content), 'json_schema: white space');
    }
  },
  async json_schema_unsupported({ client, body }) {
    const { status, json } = await client.post('/v1/chat/completions', body);
    equal([status, json.error.param], [400, 'response_format.json_schema.schema'], 'unsupported keyword');
    check(json.error.message.includes('/properties/x') && json.error.message.includes('uniqueItems'), `unsupported keyword: ${json.error.message}`);
  },
};

const weather = {
  type: 'function',
  function: {
    name: 'get_weather', description: 'The weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string', maxLength: 8 }, days: { type: 'integer', minimum: 1, maximum: 7 } }, required: ['city', 'days'] },
  },
};
const clock = { type: 'function', function: { name: 'clock' } };

async function formats({ client }) {
  // Whole at every limit, and the same alone or streamed.
  const schema = { type: 'object', properties: { b: { type: 'array', items: { type: 'boolean' }, minItems: 1 }, a: { type: 'string' } }, required: ['b', 'a'] };
  for (const limit of [24, 25, 30, 60]) {
    const ask = { response_format: format(schema), close_json: true, max_tokens: limit, temperature: 1.5, seed: limit };
    const { message } = (await client.chat(ask)).json.choices[0];
    equal(Object.keys(parsed(message.content, `limit ${limit}`) || {}), ['b', 'a'], `limit ${limit}: keys`);
    const stream = await client.stream('/v1/chat/completions', { ...ask, messages: [{ role: 'user', content: '计算：1+2*3' }] });
    equal(stream.choices[0].content, message.content, `limit ${limit}: stream`);
  }
  const bad = async (more, param, part) => {
    const { status, json } = await client.chat(more);
    equal([status, json.error && json.error.param], [400, param], JSON.stringify(more).slice(0, 100));
    check(json.error && json.error.message.includes(part), `${param}: ${json.error && json.error.message}`);
  };
  const inSchema = 'response_format.json_schema.schema';
  await bad({ response_format: {} }, 'response_format.type', 'expected a string');
  await bad({ response_format: { type: 'xml' } }, 'response_format.type', 'json_schema');
  await bad({ response_format: { type: 'json_schema' } }, 'response_format.json_schema', 'expected an object');
  await bad({ response_format: { type: 'json_schema', json_schema: { name: 'a' } } }, inSchema, 'expected a JSON schema');
  await bad({ response_format: format({ items: { pattern: 'a' } }) }, inSchema, '/items: keyword pattern');
  await bad({ response_format: format(false) }, inSchema, 'no value');
  await bad({ response_format: format({ type: 'string', minLength: 500 }), close_json: true, max_tokens: 20 }, inSchema, 'the shortest answer needs');
  await bad({ response_format: { type: 'json_object' }, tools: [clock], tool_choice: 'required' }, 'tools', 'format of the answer');
  await bad({ tools: [clock] }, 'tool_choice', 'no form for optional calls');
  await bad({ tools: [clock], tool_choice: { type: 'function', function: { name: 'x' } } }, 'tool_choice', '"x"');
  await bad({ tools: [clock], tool_choice: 3 }, 'tool_choice', 'required');
  await bad({ tools: [clock, clock], tool_choice: 'required' }, 'tools', 'two functions');
  await bad({ tools: [{ type: 'function' }], tool_choice: 'required' }, 'tools[0].function', 'an object');
  await bad({ tools: [{ type: 'function', function: { name: 'f', strict: true, parameters: { type: 'object', not: {} } } }], tool_choice: 'required' },
            'tools', 'function f: /: keyword not');
  // Without strict, what is not supported is left out; the arguments are still JSON.
  const loose = { type: 'object', required: ['email', 'tags', 'other'], additionalProperties: false, properties: {
    email: { type: 'string', pattern: '^.+@.+$', maxLength: 9 }, tags: { type: 'array', maxItems: 2, uniqueItems: true, items: { allOf: [{ type: 'integer' }] } },
    other: { $ref: 'elsewhere.json' } } };
  const bare = await client.chat({ tools: [{ type: 'function', function: { name: 'f', parameters: {} } }], tool_choice: 'required', max_tokens: 100 });
  check(bare.status === 200 && parsed(bare.json.choices[0].message.tool_calls[0].function.arguments, 'arguments'), 'loose: no schema');
  for (const seed of seeds(4)) {
    const { json } = await client.chat({ tools: [{ type: 'function', function: { name: 'f', parameters: loose } }], tool_choice: 'required',
                                         parallel_tool_calls: false, max_tokens: 150, temperature: 1.5, seed });
    const made = json.choices ? parsed(json.choices[0].message.tool_calls[0].function.arguments, 'arguments') || {} : {};
    equal(Object.keys(made), ['email', 'tags', 'other'], `loose: ${JSON.stringify(json).slice(0, 200)}`);
    check(typeof made.email === 'string' && made.email.length <= 9 && made.tags.every(Number.isInteger), `loose: ${JSON.stringify(made)}`);
  }
}

async function calls({ client }) {
  for (const seed of seeds(6)) {
    const ask = { tools: [clock, weather], tool_choice: 'required', max_tokens: 120, temperature: 1.5, seed };
    const choice = (await client.chat(ask)).json.choices[0];
    const made = choice.message.tool_calls || [];
    equal([choice.finish_reason, choice.message.content, made.length > 0], ['tool_calls', null, true], 'calls');
    for (const call of made) {
      check(/^call_\w+$/.test(call.id) && call.type === 'function', `a call: ${JSON.stringify(call)}`);
      const given = parsed(call.function.arguments, 'arguments') || {};
      if (call.function.name === 'clock') equal(given, {}, 'clock');
      else check(call.function.name === 'get_weather' && [...given.city].length <= 8 && given.days >= 1 && given.days <= 7, call.function.arguments);
    }
    const stream = await client.stream('/v1/chat/completions', { ...ask, messages: [{ role: 'user', content: '计算：1+2*3' }] });
    equal(stream.choices[0].finish, 'tool_calls', 'stream of calls');
    equal(stream.choices[0].calls.map((one) => one.function), made.map((one) => one.function), 'stream of calls');
    const single = (await client.chat({ ...ask, parallel_tool_calls: false })).json.choices[0];
    equal(single.message.tool_calls.length, 1, 'parallel_tool_calls false');
  }
  const one = (await client.chat({ tools: [clock, weather], tool_choice: { type: 'function', function: { name: 'clock' } }, max_tokens: 60 })).json;
  equal(one.choices[0].message.tool_calls.map((call) => call.function), [{ name: 'clock', arguments: '{}' }], 'one function');
}

module.exports = { cases, formats, calls };
