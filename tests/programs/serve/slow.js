// Clients that read or send slowly, while others are served.
'use strict';
const net = require('net');
const { check, equal, until } = require('./client');

const connect = (client) => {
  const socket = net.connect(client.port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.isGone = new Promise((resolve) => socket.on('close', resolve));
  return socket;
};

// 200 clients that send a byte of a header every second. Each is closed at the deadline of the header, however busy it
// is. Returns what checks that, which may wait until then.
function slowHeaders(client) {
  const sockets = [...Array(200)].map(() => connect(client));
  const header = `GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ${'a'.repeat(4000)}`;
  let sent = 0;
  const timer = setInterval(() => {
    for (const socket of sockets) if (!socket.destroyed) socket.write(header[sent]);
    sent++;
  }, 1000);
  sockets.forEach((socket) => socket.resume());
  return async () => {
    await Promise.all(sockets.map((socket) => socket.isGone));
    clearInterval(timer);
    check(sent > 1, 'slow headers: closed at once');
  };
}

// A client that asks for megabytes of an answer and reads none of them.
async function slowReader(client, chat) {
  const resident = () => client.metric('process_resident_memory_bytes');
  const before = await resident();
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'x' }], n: 128, max_tokens: 200, temperature: 1, stream: true,
                                logprobs: true, top_logprobs: 20, logit_bias: client.endless });
  const drawn = await client.metric('generation_tokens_total');
  const socket = connect(client);
  socket.pause();
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  check(await until(async () => (await client.metric('num_requests_running')) > 0, 10000), 'slow reader: is answered');
  // Others are answered meanwhile, and it is dropped once too much of its answer waits for it.
  equal((await client.chat(chat)).status, 200, 'slow reader: another client');
  const isDropped = async () => (await client.metric('num_requests_running')) + (await client.metric('num_requests_waiting')) === 0;
  check(await until(isDropped, 60000), 'slow reader: is still answered');
  check((await client.metric('generation_tokens_total')) - drawn < 128 * 200, 'slow reader: has its whole answer');
  const grown = ((await resident()) - before) / (1 << 20);
  check(grown < 8, `slow reader: the server has grown by ${grown.toFixed(1)} MiB`);
  socket.destroy();
}

module.exports = { slowHeaders, slowReader };
