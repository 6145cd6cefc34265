// A client of the server under test, of Node's own modules alone.
'use strict';
const http = require('http');
const net = require('net');
const { spawn } = require('child_process');
const { checkStream } = require('./sse');

let failures = 0;
function fail(message) {
  failures++;
  console.log(`FAILED: ${message}`);
}
function check(holds, message) {
  if (!holds) fail(message);
  return holds;
}
function equal(found, expected, what) {
  const a = JSON.stringify(found), b = JSON.stringify(expected);
  return check(a === b, `${what}: ${a === undefined ? a : a.slice(0, 300)}, expected ${b === undefined ? b : b.slice(0, 300)}`);
}

class Client {
  constructor(port, key) {
    this.port = port;
    this.key = key;
  }

  // Sends one request and reads the whole reply. `body` may be an object or a text.
  send(method, path, body, headers = {}, onResponse) {
    const text = body === null || body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
    const all = { ...(this.key ? { Authorization: `Bearer ${this.key}` } : {}), ...headers };
    for (const name of Object.keys(all)) if (all[name] === null) delete all[name];
    if (text) {
      all['Content-Type'] = all['Content-Type'] || 'application/json';
      all['Content-Length'] = Buffer.byteLength(text);
    }
    return new Promise((resolve, reject) => {
      const request = http.request({ host: '127.0.0.1', port: this.port, method, path, headers: all }, (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => {
          const reply = { status: response.statusCode, headers: response.headers, text: Buffer.concat(parts).toString() };
          try {
            reply.json = JSON.parse(reply.text);
          } catch (error) {
            reply.json = undefined;
          }
          resolve(reply);
        });
        response.on('error', reject);
        if (onResponse) onResponse(response, request);
      });
      request.on('error', reject);
      request.end(text);
    });
  }

  post(path, body, headers) {
    return this.send('POST', path, body, headers);
  }
  get(path, headers) {
    return this.send('GET', path, null, headers);
  }
  chat(more = {}, headers) {
    const body = { messages: [{ role: 'user', content: '计算：1+2*3' }], max_tokens: 16, temperature: 0, ...more };
    return this.post('/v1/chat/completions', body, headers);
  }

  // A streamed answer: every byte of it is checked. Returns the chunks and the parts of each choice.
  async stream(path, body, headers) {
    const reply = await this.post(path, { ...body, stream: true }, headers);
    if (reply.status !== 200) {
      fail(`stream ${path}: status ${reply.status}: ${reply.text.slice(0, 200)}`);
      return { reply, chunks: [], choices: [] };
    }
    return { reply, ...checkStream(reply, path, body, fail) };
  }

  // Bytes on a socket: all that the server sends until it closes, or for `wait` milliseconds.
  raw(bytes, wait = 3000) {
    return new Promise((resolve) => {
      const socket = net.connect(this.port, '127.0.0.1');
      let text = '';
      const timer = setTimeout(() => socket.destroy(), wait);
      socket.on('data', (part) => (text += part.toString('latin1')));
      socket.on('error', () => {});
      socket.on('close', () => {
        clearTimeout(timer);
        resolve(text);
      });
      if (typeof bytes === 'function') bytes(socket);
      else socket.write(bytes);
    });
  }

  async metric(name) {
    const page = (await this.get('/metrics')).text;
    let sum = 0;
    for (const line of page.split('\n')) {
      if (line.startsWith(`tinyllm:${name}{`) || line.startsWith(`tinyllm:${name} `)) sum += Number(line.split(' ').pop());
    }
    return sum;
  }
}

// Starts a server and waits until it listens.
function start(program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const server = { child, said: '', complained: '' };
  child.stderr.on('data', (part) => (server.complained += part));
  server.exited = new Promise((resolve) => child.on('close', (code, signal) => resolve(signal || code)));
  server.stop = async (signal = 'SIGTERM') => {
    child.kill(signal);
    return server.exited;
  };
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (part) => {
      server.said += part;
      const found = /listening on http:\/\/[^:]*:(\d+)/.exec(server.said);
      if (found) {
        server.port = Number(found[1]);
        resolve(server);
      }
    });
    server.exited.then((code) => reject(new Error(`the server ended with ${code}: ${server.complained}`)));
  });
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

// Waits until something holds, for at most so long.
async function until(holds, milliseconds) {
  const end = Date.now() + milliseconds;
  for (;;) {
    if (await holds()) return true;
    if (Date.now() > end) return false;
    await sleep(20);
  }
}

function finish() {
  if (failures === 0) console.log('all as expected');
  process.exit(failures === 0 ? 0 : 1);
}

module.exports = { Client, start, sleep, until, fail, check, equal, finish };
