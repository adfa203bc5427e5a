import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { API_VERSION, requireSameApi } from './api-version.ts';
import { sendRequest } from './http-request.ts';

const url = new URL('https://jobber.example.com/jobs/graphql');

test('a daemon that understands this version, or tells nothing, is talked to', () => {
  for (const told of [undefined, '', 'x', '1-1', '1-3'])
    expect(() => requireSameApi(told, url, 1)).not.toThrow();
});

test('a sentence says which side to upgrade', () => {
  expect(() => requireSameApi('2-3', url, 1)).toThrow(
    'This jobber speaks version 1 of the API, https://jobber.example.com 2 to 3: upgrade this jobber',
  );
  expect(() => requireSameApi('1-1', url, 2)).toThrow(
    /example\.com 1: upgrade the platform, or use an older jobber/,
  );
});

test('requests tell the version of the CLI, and answers of a stranger version are not read', async () => {
  const asked: unknown[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers['x-jobber-api']);
    response.setHeader('x-jobber-api', '900-901').end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  try {
    const request = { url: new URL(`http://127.0.0.1:${port}/`), method: 'GET', timeoutMs: 30_000 } as const;
    await expect(sendRequest(request)).rejects.toMatchObject({ reason: 'VERSION_MISMATCH', exitCode: 5 });
    expect(asked).toEqual([String(API_VERSION)]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
