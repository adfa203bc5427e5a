import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { createHealth } from '@jobber/shared/health';
import { createScope } from '@jobber/shared/lifecycle';
import { createLogger } from '@jobber/shared/log';
import { Hono } from 'hono';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { serveHttp } from './serve-http.ts';

const scope = createScope(createLogger({ daemon: 'test', level: 'silent' }));
afterAll(() => scope.release());
const config = { host: '127.0.0.1', port: 0 };
const health = createHealth();

test('every answer tells which versions of the API are understood', async () => {
  const app = new Hono().get('/', (c) => c.json({}));
  const port = await serveHttp({ app, config, health, scope });
  for (const path of ['/', '/missing']) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    await response.text();
    expect(response.headers.get('x-jobber-api')).toBe('1-1');
  }
});

/** What would hold a stop up is cut after 10 s, in milliseconds. */
const HELD_UP_MS = 9_500;

describe('while it stops', () => {
  const log = createLogger({ daemon: 'test', level: 'silent' });

  /** One connection that is kept, as a proxy keeps its own. @returns what the answer says of it. */
  function asker(port: number): () => Promise<string | undefined> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    return async () => {
      const request = get({ host: '127.0.0.1', port, agent });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      await once(response.resume(), 'end');
      return response.headers.connection;
    };
  }

  test('the next request of a connection that stands is answered, and told that it was the last one', async () => {
    const own = createScope(log);
    const port = await serveHttp({ app: new Hono().get('/', (c) => c.text('')), config, health, scope: own });
    const ask = asker(port);
    expect(await ask()).toBe('keep-alive');
    const stopped = own.release();
    expect(await ask()).toBe('close');
    await stopped;
    await expect(ask()).rejects.toThrow('ECONNREFUSED');
  });

  test('while it serves on, new connections are taken, and each answer ends its own', async () => {
    const own = createScope(log);
    const health = createHealth();
    const app = new Hono().get('/', (c) => c.text(''));
    const port = await serveHttp({ app, config, health, scope: own });
    const ask = asker(port);
    expect(await ask()).toBe('keep-alive');
    const served = health.startDraining(0.5);
    expect(await ask()).toBe('close');
    expect(await ask()).toBe('close');
    expect(await asker(port)()).toBe('close');
    expect(await health.problems()).toEqual(['stopping']);
    await served;
    await own.release();
  });

  test('a request in flight is answered, and the same', async () => {
    const own = createScope(log);
    const arrived = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const app = new Hono().get('/', async (c) => {
      arrived.resolve();
      await answer.promise;
      return c.text('');
    });
    const ask = asker(await serveHttp({ app, config, health, scope: own }));
    const asked = ask();
    await arrived.promise;
    const stopped = own.release();
    answer.resolve();
    expect(await asked).toBe('close');
    await stopped;
  });

  test('a connection that asks nothing more does not hold it up', async () => {
    const own = createScope(log);
    const app = new Hono().get('/', (c) => c.text(''));
    await asker(await serveHttp({ app, config, health, scope: own }))();
    const begin = performance.now();
    await own.release();
    expect(performance.now() - begin).toBeLessThan(HELD_UP_MS);
  });

  test('nor does one that has never asked anything; what it sends soon after is still answered', async () => {
    const own = createScope(log);
    const app = new Hono().get('/', (c) => c.text('answered'));
    const port = await serveHttp({ app, config, health, scope: own });
    const open = () => {
      const socket = connect(port, '127.0.0.1').resume();
      onTestFinished(() => void socket.destroy());
      return socket;
    };
    const silent = open();
    const asking = open();
    await Promise.all([once(silent, 'connect'), once(asking, 'connect')]);
    // Accepted in the order in which they came: the server knows the other two by now.
    await asker(port)();
    const begin = performance.now();
    const stopped = own.release();
    let answer = '';
    asking.on('data', (bytes) => {
      answer += bytes;
    });
    asking.write('GET / HTTP/1.1\r\nhost: test\r\n\r\n');
    await Promise.all([stopped, once(silent, 'close'), once(asking, 'close')]);
    expect(performance.now() - begin).toBeLessThan(HELD_UP_MS);
    expect(answer).toMatch(/answered$/);
  });
});
