import { createScope } from '@jobber/shared/lifecycle';
import { createLogger } from '@jobber/shared/log';
import { Hono } from 'hono';
import { afterAll, expect, test } from 'vitest';
import { serveHttp } from './serve-http.ts';

const scope = createScope(createLogger({ daemon: 'test', level: 'silent' }));
afterAll(() => scope.release());

test('every answer tells which versions of the API are understood', async () => {
  const app = new Hono().get('/', (c) => c.json({}));
  const port = await serveHttp({ app, host: '127.0.0.1', port: 0, scope });
  for (const path of ['/', '/missing']) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    await response.text();
    expect(response.headers.get('x-jobber-api')).toBe('1-1');
  }
});
