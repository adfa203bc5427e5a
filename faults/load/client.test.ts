import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { connectClient } from './client.ts';

/** Auth and Jobs in one: each login has a token of its own, and Jobs tells which one it was sent. */
async function startPlatform(lifetimeSeconds: number) {
  const seen: string[] = [];
  let logins = 0;
  let away = false;
  function tokenOf(number: number): string {
    const payload = JSON.stringify({ iat: 1_000, exp: 1_000 + lifetimeSeconds });
    return `head.${Buffer.from(payload).toString('base64url')}.${number}`;
  }
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    let data: object | null = null;
    if (body.includes('createUser')) data = { createUser: { id: 'u1' } };
    else if (body.includes('login') && !away) {
      logins += 1;
      data = { login: { accessToken: tokenOf(logins), refreshToken: `refresh-${logins}` } };
    } else if (!body.includes('login')) {
      seen.push(request.headers.authorization?.split('.')[2] ?? '');
      data = { executeJob: { id: 7 } };
    }
    response.end(JSON.stringify({ data }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    urls: { auth: url, jobs: url },
    seen,
    goAway: () => {
      away = true;
    },
    [Symbol.dispose]: () => void server.close(),
  };
}

const request = { name: 'Fibonacci', data: {}, idempotencyKey: 'k' };

test('a token is renewed when half of its time has passed, so that a run may outlast it', async () => {
  using platform = await startPlatform(0.2);
  const client = await connectClient(platform.urls);
  const lastSeen = async () => {
    await client.executeJob(request);
    return Number(platform.seen.at(-1));
  };
  expect(await lastSeen()).toBe(1);
  await expect.poll(lastSeen).toBeGreaterThan(2);
  expect(client.secrets).toEqual(expect.arrayContaining(['refresh-1', 'refresh-2', client.token]));
});

test('while Auth is away the token that there is goes on being used', async () => {
  using platform = await startPlatform(0);
  const client = await connectClient(platform.urls);
  platform.goAway();
  for (let call = 0; call < 3; call += 1) {
    expect(await client.executeJob(request)).toEqual({ kind: 'accepted', jobId: 7 });
  }
  expect(platform.seen).toEqual(['1', '1', '1']);
});
