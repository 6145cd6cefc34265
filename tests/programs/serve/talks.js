// Which conversations are answered, and how the others are refused.
'use strict';
const { check, equal } = require('./client');

const user = { role: 'user', content: 'hi' };
const call = { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } }] };
const result = { role: 'tool', tool_call_id: 'c1', content: '7' };
const answer = { role: 'assistant', content: 'x' };

// `client` speaks to a server of the model of qwen_model.js, whose template knows tools.
async function talks(client) {
  const chat = (body) => client.post('/v1/chat/completions', { max_tokens: 2, temperature: 0, ...body });
  const fine = {
    'only a system message': [{ role: 'system', content: 'Say hi' }], 'an assistant last': [user, answer],
    'a refusal': [user, { role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] }, user],
    'a field from': [{ ...user, from: 'web' }], 'a call and its result': [user, call, result],
    'no content of an assistant': [user, { role: 'assistant' }, user], 'a late system message': [user, call, { role: 'system', content: 'b' }, result],
  };
  for (const [what, messages] of Object.entries(fine)) {
    const { status, text } = await chat({ messages });
    equal(status, 200, `${what}: ${text.slice(0, 200)}`);
  }
  const missing = 'missing_required_parameter', type = 'invalid_type', value = 'invalid_value';
  const bad = [
    [[call, result].map((one) => (one === result ? { role: 'tool', content: '7' } : one)), missing, 'messages[1].tool_call_id'],
    [[user, call, { ...result, tool_call_id: 'zz' }], value, 'messages[2].tool_call_id'], [[result, user], value, 'messages[0].role'],
    [[user, answer, result], value, 'messages[2].role'], [[user, call, result, result], value, 'messages[3].tool_call_id'],
    [[user, call, user], value, 'messages[1].tool_calls'], [[user, call], value, 'messages[1].tool_calls'],
    [[user, { ...call, tool_calls: [{}] }, result], missing, 'messages[1].tool_calls[0].id'],
    [[user, { ...call, tool_calls: [5] }, result], type, 'messages[1].tool_calls[0]'],
    [[{ role: 'user', content: [{ type: 'text' }] }], missing, 'messages[0].content[0].text'],
    [[{ role: 'user', content: [5] }], type, 'messages[0].content[0]'], [[{ role: 'user' }], missing, 'messages[0].content'],
    [[{ role: 'user', content: 5 }], type, 'messages[0].content'], [[5], type, 'messages[0]'], [[{ content: 'x' }], missing, 'messages[0].role'],
    [[{ ...user, role: 7 }], type, 'messages[0].role'], [[{ ...user, role: 'wizard' }], value, 'messages[0].role'],
    [[{ ...user, name: 5 }], type, 'messages[0].name'], [[], value, 'messages'],
    [[{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }], value, 'messages[0].content'],
  ];
  for (const [messages, code, param] of bad) {
    const { status, json } = await chat({ messages });
    equal([status, json.error && json.error.code, json.error && json.error.param], [400, code, param], JSON.stringify(messages).slice(0, 150));
  }
  for (const [more, param] of [[{ tool_choice: 'required' }, 'tool_choice'], [{ tool_choice: { type: 'function', function: { name: 'f' } } }, 'tool_choice'],
                               [{ response_format: { type: 'json_schema', json_schema: { schema: { type: 'object' } } } }, 'response_format.json_schema.name']]) {
    const { status, json } = await chat({ messages: [user], ...more });
    equal([status, json.error && json.error.param], [400, param], JSON.stringify(more));
  }
  const post = (body) => client.post('/v1/messages', { max_tokens: 6, messages: [user], temperature: 0, ...body });
  const thought = { role: 'assistant', content: [{ type: 'redacted_thinking', data: 'x' }, { type: 'text', text: 'a' }] };
  equal((await post({ messages: [user, thought, user] })).status, 200, 'messages: redacted_thinking');
  equal((await post({ messages: [] , system: 'a' })).status, 400, 'messages: none');
  // What was begun is read, and not given out again.
  const begun = (await post({ messages: [user, { role: 'assistant', content: 'The answer is' }] })).json;
  const fresh = (await post({})).json;
  check(begun.usage && begun.usage.input_tokens > fresh.usage.input_tokens && !begun.content[0].text.startsWith('The answer'), 'messages: begun');
  const orphan = await post({ messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x', content: '1' }] }] });
  equal(orphan.status, 400, 'messages: a result without a call');
  const respond = (input) => client.post('/v1/responses', { input, max_output_tokens: 2, temperature: 0 });
  equal((await respond([{ role: 'system', content: 'x' }])).status, 200, 'responses: only a system message');
  equal((await respond([])).status, 400, 'responses: none');
  equal((await respond([{ type: 'function_call_output', call_id: 'x', output: '1' }])).status, 400, 'responses: an output without a call');
}

module.exports = { talks };
