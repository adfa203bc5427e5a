import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { readPublicJobs } from './read-public.ts';

test('a platform that is away for a moment is asked again: it may be broken meanwhile', async () => {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    if (requests === 1) return void request.destroy();
    if (requests === 2) return void response.writeHead(502).end('<html>Bad Gateway</html>');
    const refusal = { message: 'The database is away', extensions: { code: 503 } };
    if (requests === 3) return void response.end(JSON.stringify({ data: null, errors: [refusal] }));
    const missing = { message: 'Job with ID 7 not found', extensions: { code: 404 } };
    response.end(JSON.stringify({ data: null, errors: [missing] }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const door = { jobsUrl: url, productsUrl: url, token: 'token' };
  expect(await readPublicJobs(door, [7])).toEqual(new Map());
  expect(requests).toBe(4);
  server.close();
});
