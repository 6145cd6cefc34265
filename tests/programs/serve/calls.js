// Calls of tools over each API, and chains of thought, from a model whose template writes them as <tool_call> and which knows nothing: what it
// writes is what the form allows.
'use strict';
const { check, equal } = require('./client');

const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 0, maximum: 99 } }, required: ['n'], additionalProperties: false };
const names = ['first', 'second'];
const question = { role: 'user', content: 'hi' };
const seeds = [...Array(8).keys()];

function checkCalls(calls, what) {
  for (const { name, args } of calls) {
    check(names.includes(name), `${what}: calls ${name}`);
    check(Object.keys(args).join() === 'n' && Number.isInteger(args.n) && args.n >= 0 && args.n < 100, `${what}: ${JSON.stringify(args)}`);
  }
}

// The events of a stream whose events have names.
function namedEvents(reply, what) {
  return reply.text.trimEnd().split('\n\n').map((block) => {
    const [, name, data] = /^event: (\S+)\ndata: (.*)$/.exec(block) || [];
    if (!check(data, `${what}: ${block.slice(0, 100)}`)) return {};
    const json = JSON.parse(data);
    equal(json.type, name, `${what}: name of an event`);
    return json;
  });
}

async function chatCalls(client, marker, end) {
  const tools = names.map((name) => ({ type: 'function', function: { name, description: `The ${name} one.`, parameters: schema } }));
  const callsOf = (calls) => (calls || []).map((call) => ({ name: call.function.name, args: JSON.parse(call.function.arguments) }));
  const counts = new Set();
  for (const seed of seeds) {
    const ask = { messages: [question], tools, tool_choice: 'required', max_tokens: 300, seed, logit_bias: { [marker]: 20 } };
    const choice = (await client.chat({ ...ask, temperature: 1 })).json.choices[0];
    const calls = callsOf(choice.message.tool_calls);
    equal([choice.finish_reason, choice.message.content], ['tool_calls', null], 'chat: required');
    check(calls.length >= 1, 'chat: no call');
    checkCalls(calls, 'chat');
    counts.add(calls.length > 1);
    const streamed = (await client.stream('/v1/chat/completions', { ...ask, temperature: 1 })).choices[0];
    equal([callsOf(streamed.calls), streamed.finish, streamed.content], [calls, 'tool_calls', ''], 'chat: stream');
    equal(new Set(streamed.calls.map((call) => call.id)).size, calls.length, 'chat: ids');
    const single = (await client.chat({ ...ask, temperature: 1, parallel_tool_calls: false })).json.choices[0];
    equal(single.message.tool_calls.length, 1, 'chat: parallel_tool_calls false');
    const named = await client.chat({ ...ask, temperature: 1, tool_choice: { type: 'function', function: { name: 'second' } } });
    equal(callsOf(named.json.choices[0].message.tool_calls).map((call) => call.name), ['second'], 'chat: one function');
  }
  equal(counts.size, 2, 'chat: answers with one call and with several');
  // Optional: text that is sent while it is written, then as many calls as the limit lets it close.
  const auto = { messages: [question], tools, max_tokens: 60, temperature: 1, seed: 5 };
  const text = await client.stream('/v1/chat/completions', { ...auto, logit_bias: { [marker]: -100, [end]: -100 } });
  equal([text.choices[0].finish, text.choices[0].calls], ['length', []], 'chat: auto without a call');
  check(text.chunks.length > 20, `chat: auto is sent in ${text.chunks.length} chunks`);
  const plain = (await client.chat({ ...auto, logit_bias: { [marker]: -100, [end]: -100 } })).json.choices[0];
  equal(text.choices[0].content, plain.message.content, 'chat: auto, stream');
  const many = await client.chat({ ...auto, max_tokens: 400, logit_bias: { [marker]: 100, [end]: -100 } });
  const calls = callsOf(many.json.choices[0].message.tool_calls);
  check(calls.length > 2 && many.json.choices[0].finish_reason === 'tool_calls', `chat: auto makes ${calls.length} calls`);
  checkCalls(calls, 'chat: auto');
  // The results go back.
  const assistant = many.json.choices[0].message;
  const results = assistant.tool_calls.map((call) => ({ role: 'tool', tool_call_id: call.id, content: '7' }));
  equal((await client.chat({ messages: [question, assistant, ...results], tools, max_tokens: 4 })).status, 200, 'chat: results');
}

async function responseCalls(client) {
  const tools = names.map((name) => ({ type: 'function', name, description: `The ${name} one.`, parameters: schema, strict: true }));
  const callsOf = (output) => output.filter((item) => item.type === 'function_call')
    .map((item) => ({ name: item.name, args: JSON.parse(item.arguments) }));
  const textOf = (output) => output.map((item) => [item.type, item.content]);
  const post = (more) => client.post('/v1/responses', { input: 'hi', tools, max_output_tokens: 300, ...more });
  let several = false;
  for (const seed of seeds) {
    const ask = { tool_choice: 'required', seed };
    const whole = (await post(ask)).json;
    const calls = callsOf(whole.output);
    check(calls.length >= 1, 'responses: no call');
    // An answer that the limit has closed is whole, and says so.
    const isAtLimit = whole.usage.output_tokens === 300;
    equal(whole.status, isAtLimit ? 'incomplete' : 'completed', 'responses: status');
    checkCalls(calls, 'responses');
    several = several || calls.length > 1;
    const events = namedEvents(await post({ ...ask, stream: true }), 'responses');
    equal(events.map((event) => event.sequence_number), events.map((_, i) => i), 'responses: numbers');
    const { output } = events[events.length - 1].response;
    equal([callsOf(output), textOf(output)], [calls, textOf(whole.output)], 'responses: stream');
    const done = events.filter((event) => event.type === 'response.output_item.done');
    equal(done.map((event) => [event.output_index, event.item]), output.map((item, i) => [i, item]), 'responses: items');
    for (const [i, item] of output.entries()) {
      const added = events.find((event) => event.type === 'response.output_item.added' && event.output_index === i);
      equal([added.item.id, added.item.type], [item.id, item.type], 'responses: added');
      if (item.type !== 'function_call') continue;
      const of = (type) => events.filter((event) => event.type === type && event.item_id === item.id);
      equal(of('response.function_call_arguments.delta').map((event) => event.delta).join(''), item.arguments, 'responses: deltas');
      equal(of('response.function_call_arguments.done').map((event) => event.arguments), [item.arguments], 'responses: done');
    }
    equal(callsOf((await post({ ...ask, parallel_tool_calls: false })).json.output).length, 1, 'responses: parallel_tool_calls false');
    const outputs = whole.output.filter((item) => item.type === 'function_call')
      .map((item) => ({ type: 'function_call_output', call_id: item.call_id, output: '7' }));
    const next = await post({ input: [{ role: 'user', content: 'hi' }, ...whole.output, ...outputs], max_output_tokens: 3 });
    equal([next.status, next.json.error], [200, null], 'responses: results');
    check(next.json.usage.input_tokens > whole.usage.input_tokens, 'responses: results are read');
  }
  check(several, 'responses: never several calls');
  const named = (await post({ tool_choice: { type: 'function', name: 'second' }, seed: 1 })).json;
  equal(callsOf(named.output).map((call) => call.name), ['second'], 'responses: one function');
  equal(named.tools, tools, 'responses: tools');
  const format = { type: 'json_schema', name: 'a', schema };
  const formed = (await post({ tools: [], text: { format }, seed: 1, close_json: true })).json;
  const message = formed.output.find((item) => item.type === 'message');
  equal(Object.keys(JSON.parse(message.content[0].text)), ['n'], 'responses: text.format');
  for (const [more, param] of [
    [{ tools: [{ type: 'web_search' }] }, 'tools[0].type'], [{ tool_choice: { type: 'function', name: 'x' } }, 'tool_choice'],
    [{ text: { format: { type: 'json_schema', name: 'a', schema: { pattern: 'a' } } }, tools: [] }, 'text.format.schema'],
    [{ text: { format: { type: 'json_schema', schema } }, tools: [] }, 'text.format.name'], [{ conversation: 'c' }, 'conversation'],
    [{ input: [{ type: 'function_call', call_id: 'a', name: 'f' }] }, 'input[0].arguments'],
    [{ input: [{ type: 'image_generation_call' }] }, 'input[0].type'],
  ]) {
    const { status, json } = await post(more);
    equal([status, json.error && json.error.param], [400, param], `responses: ${JSON.stringify(more)}`);
  }
}

async function messageCalls(client) {
  const tools = names.map((name) => ({ name, description: `The ${name} one.`, input_schema: schema }));
  const post = (more) => client.post('/v1/messages', { messages: [question], tools, max_tokens: 300, ...more });
  const callsOf = (content) => content.filter((block) => block.type === 'tool_use').map((block) => ({ name: block.name, args: block.input }));
  const withoutIds = (content) => content.map((block) => ({ ...block, id: undefined }));
  const seed = { seed: 0 };
  let several = false;
  for (seed.seed of seeds) {
    const ask = { tool_choice: { type: 'any' }, ...seed };
    const whole = (await post(ask)).json;
    equal(whole.stop_reason, 'tool_use', 'messages: stop_reason');
    const calls = callsOf(whole.content);
    check(calls.length >= 1, 'messages: no call');
    checkCalls(calls, 'messages');
    several = several || calls.length > 1;
    const blocks = [];
    const events = namedEvents(await post({ ...ask, stream: true }), 'messages');
    for (const event of events) {
      if (event.type === 'content_block_start') {
        equal(event.index, blocks.length, 'messages: index');
        blocks.push({ ...event.content_block, json: '' });
      } else if (event.type === 'content_block_delta') {
        const block = blocks[event.index];
        const [field] = Object.keys(event.delta).filter((name) => name !== 'type');
        if (field === 'partial_json') block.json += event.delta.partial_json;
        else block[field] += event.delta[field];
      } else if (event.type === 'content_block_stop') {
        const block = blocks[event.index];
        if (block.type === 'tool_use') block.input = JSON.parse(block.json);
        delete block.json;
      }
    }
    equal(withoutIds(blocks), withoutIds(whole.content), 'messages: stream');
    equal(events[events.length - 2].delta.stop_reason, 'tool_use', 'messages: stream, stop_reason');
    const single = await post({ ...seed, tool_choice: { type: 'any', disable_parallel_tool_use: true } });
    equal(callsOf(single.json.content).length, 1, 'messages: disable_parallel_tool_use');
    const results = whole.content.filter((block) => block.type === 'tool_use')
      .map((block) => ({ type: 'tool_result', tool_use_id: block.id, content: [{ type: 'text', text: '7' }] }));
    const back = [question, { role: 'assistant', content: whole.content }, { role: 'user', content: [...results, { type: 'text', text: 'so?' }] }];
    const next = (await post({ messages: back, max_tokens: 3 })).json;
    check(next.usage && next.usage.input_tokens > whole.usage.input_tokens, `messages: results: ${JSON.stringify(next)}`);
  }
  check(several, 'messages: never several calls');
  const named = (await post({ tool_choice: { type: 'tool', name: 'second' }, seed: 1 })).json;
  equal(callsOf(named.content).map((call) => call.name), ['second'], 'messages: one tool');
  equal(callsOf((await post({ tool_choice: { type: 'none' }, max_tokens: 8 })).json.content), [], 'messages: none');
  const formed = (await post({ tools: [], output_config: { format: { type: 'json_schema', schema } }, close_json: true })).json;
  equal(Object.keys(JSON.parse(formed.content[formed.content.length - 1].text)), ['n'], 'messages: output_config');
  for (const [more, what] of [
    [{ tools: [{ type: 'bash_20250124', name: 'bash' }] }, 'tools[0].type'], [{ tools: [{ input_schema: {} }] }, 'tools[0].name'],
    [{ tool_choice: { type: 'tool' } }, 'tool_choice'],
    [{ messages: [{ role: 'user', content: [{ type: 'image' }] }] }, 'messages[0].content[0].type'],
    [{ messages: [{ role: 'user', content: [{ type: 'tool_result', content: '7' }] }] }, 'messages[0].content[0].tool_use_id'],
  ]) {
    const { status, json } = await post(more);
    check(status === 400 && json.error.message.startsWith(`${what}: `), `messages: ${JSON.stringify([more, json])}`);
  }
}

// A chain of thought is split from the answer, and stop strings mean nothing in it. Its text is whatever a model that
// knows nothing writes between the markers.
async function reasoning(client) {
  let split = 0;
  for (const seed of seeds) {
    const ask = { messages: [question], max_tokens: 300, temperature: 1, seed, close_json: true,
                  response_format: { type: 'json_schema', json_schema: { name: 'a', schema } } };
    const { choices, usage } = (await client.chat(ask)).json;
    const { content, reasoning_content: thought } = choices[0].message;
    if (!thought) continue;
    split++;
    equal(Object.keys(JSON.parse(content)), ['n'], 'reasoning: content');
    // Within the chain the model may write the first marker again.
    const isLeft = thought.startsWith('<think>') || thought.includes('</think>') || /<\/?think>/.test(content);
    check(!isLeft, `reasoning: a marker is left: ${thought}`);
    check(thought === thought.replace(/^\n+|\n+$/g, ''), 'reasoning: line feeds of the template');
    const thinking = usage.completion_tokens_details.reasoning_tokens;
    check(thinking > 0 && thinking < usage.completion_tokens, `reasoning: ${thinking} of ${usage.completion_tokens} tokens`);
    const stop = [...thought].find((letter) => letter.trim() && letter !== '\ufffd' && !content.includes(letter));
    const stopped = (await client.chat({ ...ask, stop: [stop] })).json.choices[0];
    equal([stopped.message, stopped.finish_reason], [choices[0].message, choices[0].finish_reason], `reasoning: stop ${stop}`);
    const streamed = (await client.stream('/v1/chat/completions', ask)).choices[0];
    equal([streamed.reasoning, streamed.content], [thought, content], 'reasoning: stream');
  }
  check(split > 2, `reasoning: only ${split} answers had one`);
}

// `client` speaks to a server of the model of qwen_model.js.
async function taggedCalls(client) {
  const numberOf = async (name) => (await client.post('/tokenize', { content: name, special: true })).json.tokens[0];
  await chatCalls(client, await numberOf('<tool_call>'), await numberOf('<|im_end|>'));
  await responseCalls(client);
  await messageCalls(client);
  await reasoning(client);
}

module.exports = { taggedCalls };
