// Checks every byte of a streamed reply of the forms of OpenAI's completions.
'use strict';

// The events of a body: lines `data: JSON`, comments, and the empty lines after them. Nothing else may be there.
function eventsOf(text, complain) {
  const events = [];
  if (!text.endsWith('\n\n')) complain('does not end with an empty line');
  for (const block of text.split('\n\n').slice(0, -1)) {
    if (block.startsWith(':')) continue;
    if (!/^data: [^\n\r]*$/.test(block)) complain(`holds ${JSON.stringify(block.slice(0, 100))}`);
    events.push(block.slice(6));
  }
  return events;
}

function checkStream(reply, path, body, fail) {
  const complain = (what) => fail(`stream ${path}: ${what}`);
  const isChat = path.includes('chat');
  const usageWanted = Boolean(body.stream_options && body.stream_options.include_usage);
  if (!reply.headers['content-type'].startsWith('text/event-stream')) complain('content-type');
  if (reply.headers['cache-control'] !== 'no-cache') complain('cache-control');
  if (reply.headers['x-accel-buffering'] !== 'no') complain('x-accel-buffering');
  const events = eventsOf(reply.text, complain);
  if (events.pop() !== '[DONE]') complain('does not end with [DONE]');
  const chunks = events.map((event) => JSON.parse(event));
  const choices = [];
  chunks.forEach((chunk, i) => {
    for (const field of ['id', 'created', 'model', 'object', 'system_fingerprint']) {
      if (chunk[field] !== chunks[0][field]) complain(`${field} changes`);
    }
    const isUsage = usageWanted && i === chunks.length - 1;
    if (isUsage) {
      if (chunk.choices.length !== 0) complain('choices of the usage chunk');
      return;
    }
    if (usageWanted ? chunk.usage !== null : 'usage' in chunk) complain('usage in a chunk');
    if (chunk.choices.length !== 1) complain(`${chunk.choices.length} choices in a chunk`);
    for (const choice of chunk.choices) {
      const known = choices[choice.index];
      const sofar = known || (choices[choice.index] = { content: '', reasoning: '', logprobs: [], calls: [], finish: null });
      if (sofar.finish !== null) complain('a chunk after the last one of its choice');
      if (isChat) {
        if (!known && JSON.stringify(choice.delta) !== '{"role":"assistant","content":""}') complain('the first delta');
        if (known && 'role' in choice.delta) complain('a second role');
        if (choice.finish_reason !== null && JSON.stringify(choice.delta) !== '{}') complain('the last delta');
        if (choice.delta.content === null) complain('content is null');
        sofar.content += choice.delta.content || '';
        sofar.reasoning += choice.delta.reasoning_content || '';
        for (const call of choice.delta.tool_calls || []) {
          if (call.index !== sofar.calls.length) complain('index of a call');
          sofar.calls.push(call);
        }
      } else {
        sofar.content += choice.text;
      }
      if (choice.logprobs && choice.logprobs.content) sofar.logprobs.push(...choice.logprobs.content);
      if (!['stop', 'length', 'content_filter', 'tool_calls', null].includes(choice.finish_reason)) complain('finish_reason');
      sofar.finish = choice.finish_reason;
    }
  });
  choices.forEach((choice, i) => {
    if (choice.finish === null) complain(`choice ${i} has no finish_reason`);
  });
  const usage = usageWanted ? chunks[chunks.length - 1].usage : undefined;
  return { chunks, choices, usage };
}

module.exports = { checkStream, eventsOf };
