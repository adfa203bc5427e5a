import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { daemonOf, findProblem, readyUrl } from './check-health.ts';

async function serve(status: number, body: string): Promise<string> {
  const server: Server = createServer((_, response) => response.writeHead(status).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth/ready`;
}

test('the daemon of a container is the one that its first process runs, with an init in front or not', () => {
  expect(daemonOf('node\0--heap-growing-percent=40\0compose/container/start.js\0jobs\0')).toBe('jobs');
  expect(daemonOf('/sbin/docker-init\0--\0node\0compose/container/start.js\0executor\0')).toBe('executor');
  expect(daemonOf('node\0compose/container/start.js\0migrate\0')).toBeUndefined();
});

test('it is asked at the port that it was given', () => {
  expect(readyUrl('products', {})).toBe('http://127.0.0.1:3003/products/ready');
  expect(readyUrl('auth', { AUTH_PORT: '4000', JOBS_PORT: '4001' })).toBe('http://127.0.0.1:4000/auth/ready');
});

test('a daemon is healthy when it can serve, and otherwise says why not', async () => {
  expect(await findProblem(await serve(200, '{"status":"ready"}'))).toBeUndefined();
  expect(await findProblem(await serve(503, '{"problems":["database: ECONNREFUSED"]}'))).toContain(
    'database: ECONNREFUSED',
  );
  expect(await findProblem('http://127.0.0.1:1/auth/ready')).toContain('ECONNREFUSED');
});
