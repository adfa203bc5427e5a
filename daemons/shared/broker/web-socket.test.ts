// How a connection to the WebSocket API is kept, with a server of the test's own: what a real broker can't be made to do.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { findFreePort } from '@jobber/compose/free-port';
import { createLogger } from '@jobber/shared/log';
import { afterEach, expect, test, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { BrokerMessage } from './broker.ts';
import { type BrokerConfig, readBrokerConfig } from './broker-config.ts';
import { keepWebSocket, TIMING } from './web-socket.ts';
import { createWebSocketConsumer } from './web-socket-consumer.ts';

const log = createLogger({ daemon: 'test', level: 'silent' });
const PATIENCE = { timeout: 30_000, interval: 5 };
const QUICK = { ...TIMING, minPauseMs: 5, maxPauseMs: 20 };
const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  for (const close of closing.splice(0).reverse()) await close();
});

interface TestServer {
  readonly config: BrokerConfig;
  readonly port: number;
  /** In the order in which they came. */
  readonly connections: WebSocket[];
}

/** @param port 0: any */
async function listen(onConnection: (socket: WebSocket, nth: number) => void, port = 0): Promise<TestServer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port, autoPong: false });
  await once(server, 'listening');
  const connections: WebSocket[] = [];
  server.on('connection', (socket) => {
    connections.push(socket);
    onConnection(socket, connections.length);
  });
  closing.push(async () => {
    for (const socket of server.clients) socket.terminate();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const { port: listening } = server.address() as AddressInfo;
  return { config: configFor(listening), port: listening, connections };
}

function configFor(port: number): BrokerConfig {
  return readBrokerConfig({ PULSAR_SERVICE_URL: `ws://127.0.0.1:${port}` }) as BrokerConfig;
}

function keep(config: BrokerConfig, timing = TIMING) {
  const events = { onOpen: vi.fn(), onFrame: vi.fn(), onLost: vi.fn() };
  const socket = keepWebSocket({ config, path: '/', events, log, timing });
  closing.push(() => socket.close());
  return { socket, events };
}

test('a connection over which not even the answer to a ping comes any more is dropped and made again', async () => {
  const warn = vi.spyOn(log, 'warn');
  const timing = { ...QUICK, pingEveryMs: 20 };
  const { config, connections } = await listen((socket, nth) => {
    if (nth === 1) return;
    socket.on('ping', (data) => socket.pong(data));
    timing.silentForMs = TIMING.silentForMs;
  });
  const { socket, events } = keep(config, timing);
  // For the first connection only, from when it is there: a machine that stands still is not taken for a broker that does.
  events.onOpen.mockImplementationOnce(() => {
    timing.silentForMs = 100;
  });
  await expect.poll(() => connections.length, PATIENCE).toBe(2);
  expect(events.onLost).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls).toMatchObject([
    [{ problem: 'the broker has not answered for 0.1 s' }, expect.anything()],
  ]);
  await expect.poll(() => socket.problem(), PATIENCE).toBeUndefined();
  expect(events.onOpen).toHaveBeenCalledTimes(2);
});

test('answers to pings are enough to keep a connection on which nothing else happens', async () => {
  let pings = 0;
  const { config, connections } = await listen((socket) => {
    socket.on('ping', (data) => {
      pings += 1;
      socket.pong(data);
    });
  });
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  const { events } = keep(config);
  await realTurns(() => events.onOpen.mock.calls.length === 1);
  const silences = 5;
  for (let nth = 1; nth <= (silences * TIMING.silentForMs) / TIMING.pingEveryMs; nth += 1) {
    vi.advanceTimersByTime(TIMING.pingEveryMs);
    await realTurns(() => pings === nth);
  }
  expect(connections).toHaveLength(1);
  expect(events.onLost).not.toHaveBeenCalled();
});

test('pauses between tries double up to a limit, by half of it at random, and are short again after a success', async () => {
  const port = await findFreePort();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  const random = vi.spyOn(Math, 'random').mockReturnValue(1);
  const { socket, events } = keep(configFor(port));
  const pauses: number[] = [];
  async function nextPause(): Promise<void> {
    await realTurns(() => vi.getTimerCount() === 1);
    const before = Date.now();
    vi.advanceTimersToNextTimer();
    pauses.push(Date.now() - before);
  }
  for (let tries = 0; tries < 8; tries += 1) await nextPause();
  expect(pauses).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
  expect(socket.problem()).toMatch(/^the broker can't be reached: /);
  random.mockReturnValue(0);
  await nextPause();
  expect(pauses.pop()).toBe(5_000);

  const { connections } = await listen(() => {}, port);
  await nextPause();
  await realTurns(() => events.onOpen.mock.calls.length === 1);
  connections[0]?.terminate();
  await nextPause();
  expect(pauses.pop()).toBe(100);
});

test('what was asked for and has not come is asked for again, also when nothing was delivered for a while', async () => {
  const asked: number[][] = [];
  const { config, connections } = await listen((socket, nth) => {
    const permits: number[] = [];
    asked.push(permits);
    socket.on('ping', (data) => socket.pong(data));
    socket.on('message', (data) => {
      const { type, permitMessages } = JSON.parse(String(data));
      if (type !== 'permit') return;
      permits.push(permitMessages);
      // The first connection delivers two of five, and then is stuck.
      if (nth > 1) return;
      for (const messageId of ['a', 'b']) socket.send(JSON.stringify({ messageId, payload: 'aGk=' }));
    });
  });
  const seen: BrokerMessage[] = [];
  const consumer = createWebSocketConsumer({
    config,
    slug: 'echo',
    log,
    timing: QUICK,
    quietMs: 200,
    onMessage(message) {
      seen.push(message);
      consumer.ack(message);
    },
  });
  closing.push(() => consumer.close());
  consumer.grant(5);
  // Of connections that live for 200 ms a busy machine may see more, and some of them too late to ask.
  const askedFor = (count: number) => asked.filter((permits) => permits.length > 0).slice(0, count);
  await expect.poll(() => askedFor(2), PATIENCE).toMatchObject([[5], [3]]);
  expect(seen).toHaveLength(2);
  connections.at(-1)?.terminate();
  await expect.poll(() => askedFor(3), PATIENCE).toMatchObject([[5], [3], [3]]);
});

test('what is to be renewed while it is being made again is made once', async () => {
  const port = await findFreePort();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  const { socket } = keep(configFor(port));
  for (let tries = 0; tries < 2; tries += 1) {
    await realTurns(() => vi.getTimerCount() === 1);
    for (let times = 0; times < 3; times += 1) socket.renew('nothing was delivered for a while');
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersToNextTimer();
    // Nor while it is connecting.
    socket.renew('nothing was delivered for a while');
    expect(vi.getTimerCount()).toBe(0);
  }
});

/** Where timers are the test's, polling with one would let them pass. */
async function realTurns(until: () => boolean): Promise<void> {
  const deadline = process.hrtime.bigint() + BigInt(PATIENCE.timeout) * 1_000_000n;
  while (!until()) {
    if (process.hrtime.bigint() > deadline) throw new Error('it has not come to that');
    await nextTurn();
  }
}
