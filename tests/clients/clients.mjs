// node clients.mjs PORT KEY LIMITED_KEY MODEL CALLING_MODEL: other people's clients, unmodified, against a server of this machine.
import assert from 'node:assert/strict';
import OpenAI, { APIUserAbortError, AuthenticationError, BadRequestError, NotFoundError, RateLimitError } from 'openai';
import Anthropic from '@anthropic-ai/sdk';
import { generateText, jsonSchema, streamText, tool } from 'ai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';

const [port, key, limitedKey, model, callingModel] = process.argv.slice(2);
const baseURL = `http://127.0.0.1:${port}/v1`;
const messages = [{ role: 'user', content: '计算：1+2*3' }];
const ask = { model, messages, max_tokens: 16, seed: 5 };
const openai = new OpenAI({ baseURL, apiKey: key, maxRetries: 0 });

const tests = {
  async 'openai: list'() {
    const list = await openai.models.list();
    assert.equal(list.data[0].id, model);
    assert.equal((await openai.models.retrieve(model)).id, model);
  },
  async 'openai: chat, stream, n, stop, seed'() {
    const plain = await openai.chat.completions.create(ask);
    let streamed = '';
    for await (const chunk of await openai.chat.completions.create({ ...ask, stream: true })) {
      streamed += chunk.choices[0].delta.content ?? '';
    }
    assert.equal(streamed, plain.choices[0].message.content);
    const three = await openai.chat.completions.create({ ...ask, n: 3 });
    assert.equal(three.choices[0].message.content, plain.choices[0].message.content);
    const letter = streamed[3];
    const stopped = await openai.chat.completions.create({ ...ask, stop: letter });
    assert.equal(stopped.choices[0].message.content, streamed.slice(0, streamed.indexOf(letter)));
    assert.equal(stopped.choices[0].finish_reason, 'stop');
  },
  async 'openai: stream helper with usage'() {
    const stream = openai.chat.completions.stream({ ...ask, stream_options: { include_usage: true } });
    const whole = await stream.finalChatCompletion();
    assert.equal(whole.usage.total_tokens, whole.usage.prompt_tokens + whole.usage.completion_tokens);
  },
  async 'openai: logprobs'() {
    const reply = await openai.chat.completions.create({ ...ask, temperature: 0, logprobs: true, top_logprobs: 2 });
    const { content } = reply.choices[0].logprobs;
    // The marks of a reasoning are tokens too, but no part of the message.
    const bare = (text) => text.replace(/【推理过程】|【最终答案】|\n/g, '');
    const { message } = reply.choices[0];
    assert.equal(bare(Buffer.from(content.flatMap((token) => token.bytes)).toString()),
      bare((message.reasoning_content ?? '') + message.content));
    assert.equal(content[0].top_logprobs.length, 2);
  },
  async 'openai: completions'() {
    const reply = await openai.completions.create({ model, prompt: 'line', max_tokens: 0, echo: true, logprobs: 1 });
    assert.equal(reply.choices[0].text, 'line');
    assert.equal(reply.choices[0].logprobs.token_logprobs[0], null);
  },
  async 'openai: embeddings, as it asks by itself and as numbers'() {
    const input = ['苹果', 'apple'];
    const own = await openai.embeddings.create({ model, input });
    const float = await openai.embeddings.create({ model, input, encoding_format: 'float' });
    assert.deepEqual(own.data.map((item) => [...item.embedding]), float.data.map((item) => item.embedding.map(Math.fround)));
  },
  async 'openai: responses'() {
    const reply = await openai.responses.create({ model, input: 'a', max_output_tokens: 8, temperature: 0 });
    let streamed = '';
    const names = [];
    for await (const event of await openai.responses.create({ model, input: 'a', max_output_tokens: 8, temperature: 0, stream: true })) {
      names.push(event.type);
      if (event.type === 'response.output_text.delta') streamed += event.delta;
    }
    assert.equal(streamed, reply.output_text);
    assert.equal(names[0], 'response.created');
  },
  async 'openai: tools in chat and responses'() {
    const parameters = { type: 'object', properties: { n: { type: 'integer', minimum: 0, maximum: 99 } }, required: ['n'], additionalProperties: false };
    const tools = [{ type: 'function', function: { name: 'f', parameters, strict: true } }];
    const asked = { ...ask, model: callingModel, max_tokens: 300, tools, tool_choice: 'required' };
    const plain = (await openai.chat.completions.create(asked)).choices[0];
    const streamed = (await openai.chat.completions.stream(asked).finalChatCompletion()).choices[0];
    assert.deepEqual(streamed.message.tool_calls.map((call) => [call.function.name, call.function.arguments]),
                     plain.message.tool_calls.map((call) => [call.function.name, call.function.arguments]));
    assert.equal(streamed.finish_reason, 'tool_calls');
    const request = { model: callingModel, input: 'hi', max_output_tokens: 300, tool_choice: 'required',
                      tools: [{ type: 'function', name: 'f', parameters, strict: true }] };
    const callsOf = (response) => response.output.filter((item) => item.type === 'function_call');
    const response = await openai.responses.create(request);
    assert.ok(callsOf(response).length > 0);
    const final = await openai.responses.stream(request).finalResponse();
    for (const call of callsOf(final)) assert.ok(Number.isInteger(JSON.parse(call.arguments).n));
    const outputs = callsOf(response).map((call) => ({ type: 'function_call_output', call_id: call.call_id, output: '7' }));
    await openai.responses.create({ ...request, tool_choice: 'none', input: [{ role: 'user', content: 'hi' }, ...response.output, ...outputs], max_output_tokens: 4 });
  },
  async 'openai: errors'() {
    const create = (more, client = openai) => client.chat.completions.create({ ...ask, ...more });
    await assert.rejects(create({ temperature: 9 }), (error) => error instanceof BadRequestError && error.param === 'temperature');
    await assert.rejects(create({ model: 'gpt-4o' }), (error) => error instanceof NotFoundError && error.code === 'model_not_found');
    await assert.rejects(create({ tools: [{ type: 'function', function: { name: 'f' } }] }), BadRequestError);
    await assert.rejects(create({}, openai.withOptions({ apiKey: 'sk-wrong' })), AuthenticationError);
    const limited = openai.withOptions({ apiKey: limitedKey });
    await create({}, limited);
    await assert.rejects(create({}, limited), (error) => error instanceof RateLimitError && Number(error.headers.get('retry-after')) >= 1);
    await assert.rejects(openai.post('/chat/completions', { body: { x: 'x'.repeat(5 << 20) } }), (error) => error.status === 413 || error.status === undefined);
  },
  async 'openai: abort'() {
    const stream = await openai.chat.completions.create({ ...ask, max_tokens: 200, stream: true });
    let seen = 0;
    for await (const chunk of stream) {
      if (++seen === 3) stream.controller.abort();
    }
    const controller = new AbortController();
    const plain = openai.chat.completions.create({ ...ask, max_tokens: 200, n: 8 }, { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await plain.catch((error) => assert.ok(error instanceof APIUserAbortError));
  },
  async 'ai: generateText and streamText'() {
    const provider = createOpenAICompatible({ name: 'tinyllm', baseURL, apiKey: key, includeUsage: true });
    const options = { model: provider(model), prompt: '计算：1+2*3', maxOutputTokens: 16, seed: 5, temperature: 1, maxRetries: 0 };
    const plain = await generateText(options);
    const stream = streamText(options);
    let streamed = '';
    for await (const text of stream.textStream) streamed += text;
    assert.equal(streamed, plain.text);
    assert.ok((await stream.usage).outputTokens > 0);
  },
  async 'ai: a tool is called'() {
    const provider = createOpenAICompatible({ name: 'tinyllm', baseURL, apiKey: key });
    const inputSchema = jsonSchema({ type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false });
    const options = { model: provider(callingModel), prompt: 'hi', maxOutputTokens: 300, seed: 5, toolChoice: 'required',
                      tools: { f: tool({ description: 'f', inputSchema }) }, maxRetries: 0 };
    const { toolCalls } = await generateText(options);
    assert.ok(toolCalls.length > 0 && toolCalls.every((call) => call.toolName === 'f' && Number.isInteger(call.input.n)));
    const streamed = await streamText(options).toolCalls;
    assert.deepEqual(streamed.map((call) => call.input), toolCalls.map((call) => call.input));
  },
  async '@langchain/openai: chat and embeddings'() {
    const chat = new ChatOpenAI({ model, apiKey: key, maxTokens: 16, temperature: 0, maxRetries: 0, configuration: { baseURL } });
    const plain = await chat.invoke('计算：1+2*3');
    let streamed = '';
    let usage;
    for await (const chunk of await chat.stream('计算：1+2*3')) {
      streamed += chunk.content;
      usage = chunk.usage_metadata ?? usage;
    }
    assert.equal(streamed, plain.content);
    assert.ok(usage.total_tokens > 0);
    const embeddings = new OpenAIEmbeddings({ model, apiKey: key, maxRetries: 0, configuration: { baseURL } });
    const vector = await embeddings.embedQuery('苹果');
    assert.ok(Math.abs(vector.reduce((sum, x) => sum + x * x, 0) - 1) < 1e-4);
  },
  async '@anthropic-ai/sdk: messages'() {
    const anthropic = new Anthropic({ baseURL: `http://127.0.0.1:${port}`, apiKey: key, maxRetries: 0 });
    const body = { model, max_tokens: 16, temperature: 0, system: 'a', messages };
    const plain = await anthropic.messages.create(body);
    const stream = anthropic.messages.stream(body);
    const whole = await stream.finalMessage();
    assert.deepEqual(whole.content.map((block) => block.text), plain.content.map((block) => block.text));
    assert.equal(whole.stop_reason, plain.stop_reason);
    await assert.rejects(anthropic.messages.create({ ...body, temperature: 9 }), (error) => error.status === 400);
    const asked = { model: callingModel, max_tokens: 300, messages, tool_choice: { type: 'any' },
                    tools: [{ name: 'f', input_schema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } }] };
    const called = await anthropic.messages.stream(asked).finalMessage();
    const uses = called.content.filter((block) => block.type === 'tool_use');
    assert.equal(called.stop_reason, 'tool_use');
    for (const use of uses) assert.ok(Number.isInteger(use.input.n));
    const results = uses.map((use) => ({ type: 'tool_result', tool_use_id: use.id, content: '7' }));
    const next = [...messages, { role: 'assistant', content: called.content }, { role: 'user', content: results }];
    assert.equal((await anthropic.messages.create({ ...asked, messages: next, tool_choice: { type: 'none' }, max_tokens: 4 })).role, 'assistant');
  },
};

let failures = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
  } catch (error) {
    failures++;
    console.log(`FAILED: ${name}: ${error.stack}`);
  }
}
if (failures === 0) console.log(`${Object.keys(tests).length} tests: all as expected`);
process.exit(failures === 0 ? 0 : 1);
