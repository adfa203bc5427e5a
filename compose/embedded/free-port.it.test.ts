import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { findFreePort, findFreePorts, isPortFree } from './free-port.ts';

test('ports asked for at once are all different, free and below those of outgoing connections', async () => {
  const ports = await Promise.all(Array.from({ length: 40 }, () => findFreePort()));
  expect(new Set(ports).size).toBe(40);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(20_000);
    expect(port).toBeLessThan(32_768);
    expect(await isPortFree(port)).toBe(true);
  }
});

test('ports in a row are given out once, too', async () => {
  const rows = await Promise.all(Array.from({ length: 8 }, () => findFreePorts(10)));
  const ports = rows.flatMap((first) => Array.from({ length: 10 }, (_, n) => first + n));
  expect(new Set(ports).size).toBe(80);
  for (const port of ports) expect(await isPortFree(port)).toBe(true);
});

test('a port is taken while somebody listens, at this address or at all', async () => {
  for (const host of ['127.0.0.1', '0.0.0.0']) {
    const port = await findFreePort();
    const server = createServer().listen(port, host);
    await once(server, 'listening');
    expect(await isPortFree(port)).toBe(false);
    server.close();
    await once(server, 'close');
    expect(await isPortFree(port)).toBe(true);
  }
});

test.runIf(process.platform === 'linux')(
  'a port that was given out is not given out by another process',
  async () => {
    const port = await findFreePort();
    const other = createServer();
    other.listen(`\0jobber-port-${port}`);
    const [error] = (await once(other, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('EADDRINUSE');
  },
);
