import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { waitUntil } from '../wait-until.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

let proxy: TcpProxy;
let received: string[];
let close: () => void;

/** A server that answers each piece of text with itself in capitals. */
beforeEach(async () => {
  received = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      received.push(String(data));
      socket.write(String(data).toUpperCase());
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  close = () => server.close();
  proxy = await startTcpProxy((server.address() as AddressInfo).port);
});

afterEach(async () => {
  await proxy.close();
  close();
});

interface TestClient {
  readonly socket: Socket;
  readonly answers: () => string;
  readonly error: () => string | undefined;
}

async function open(): Promise<TestClient> {
  const socket = connect(proxy.port, '127.0.0.1');
  let text = '';
  let code: string | undefined;
  socket.on('data', (data) => {
    text += String(data);
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code;
  });
  await once(socket, 'connect');
  return { socket, answers: () => text, error: () => code };
}

async function ask(client: TestClient, text: string): Promise<void> {
  client.socket.write(text);
  await waitUntil('the answer has arrived', () => client.answers().endsWith(text.toUpperCase()));
}

/** Where timers are the test's. It gives up with the test. */
async function turnsUntil(condition: () => boolean): Promise<void> {
  while (!condition()) await nextTurn();
}

test('without a fault everything passes, in both directions', async () => {
  const client = await open();
  await ask(client, 'hello');
  client.socket.end();
  await once(client.socket, 'close');
});

test('a cut edge resets the connections that stand and those that are opened', async () => {
  const client = await open();
  await ask(client, 'hello');
  proxy.inject({ kind: 'cut' });
  await waitUntil('it is reset', () => client.error() === 'ECONNRESET');
  const late = await open().catch(() => undefined);
  if (late) await waitUntil('it is closed', () => late.socket.destroyed);
  proxy.heal();
  await ask(await open(), 'again');
});

test('a delayed edge delivers everything, later and in order', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], fakeNodeBuiltins: true });
  onTestFinished(() => void vi.useRealTimers());
  const client = await open();
  proxy.inject({ kind: 'delayed', ms: 100 });
  client.socket.write('hel');
  await turnsUntil(() => vi.getTimerCount() === 1);
  client.socket.write('lo');
  vi.advanceTimersByTime(99);
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(1);
  await turnsUntil(() => received[0] === 'hel' && vi.getTimerCount() === 2);
  expect(client.answers()).toBe('');
  vi.advanceTimersByTime(100);
  await turnsUntil(() => client.answers() === 'HEL' && received[1] === 'lo');
  await turnsUntil(() => vi.getTimerCount() === 1);
  vi.advanceTimersByTime(100);
  await turnsUntil(() => client.answers() === 'HELLO');
});

test('a black hole holds everything, and gives it back when it heals', async () => {
  const client = await open();
  await ask(client, 'hello');
  proxy.inject({ kind: 'black hole' });
  client.socket.write('held');
  const second = await open();
  second.socket.write('too');
  await expect(waitUntil('it passes', () => received.length > 1, { withinMs: 150 })).rejects.toThrow(
    'Gave up',
  );
  proxy.heal();
  await waitUntil('both are answered', () => client.answers() === 'HELLOHELD' && second.answers() === 'TOO');
});

test('with replies dropped the request arrives, its answer never does, and the connection ends with the fault', async () => {
  const client = await open();
  await ask(client, 'hello');
  proxy.inject({ kind: 'replies dropped' });
  client.socket.write('lost');
  await waitUntil('it has arrived', () => received.includes('lost'));
  await waitUntil('the answer has come and gone', () => client.socket.bytesWritten === 9);
  proxy.heal();
  await waitUntil('it is reset', () => client.error() === 'ECONNRESET');
  expect(client.answers()).toBe('HELLO');
});
