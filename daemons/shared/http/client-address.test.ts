import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { clientAddress, trustProxies } from './client-address.ts';

/** What a daemon that trusts `ranges` takes for the client of a connection from `remoteAddress`. */
async function clientOf(remoteAddress: string, forwardedFor: string | undefined, ranges: string[] = []) {
  const isTrusted = trustProxies(ranges);
  const app = new Hono().get('/', (c) => c.text(clientAddress(c, isTrusted)));
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  const answer = await app.request('/', { headers }, { incoming: { socket: { remoteAddress } } });
  return await answer.text();
}

const PRIVATE = ['10.0.0.0/8', 'fd00::/8'];

test('without trusted proxies nobody is believed: the client is who connects', async () => {
  expect(await clientOf('192.0.2.7', '198.51.100.1')).toBe('192.0.2.7');
  expect(await clientOf('127.0.0.1', '198.51.100.1')).toBe('127.0.0.1');
});

test('who is no trusted proxy is not believed either', async () => {
  expect(await clientOf('192.0.2.7', '198.51.100.1', PRIVATE)).toBe('192.0.2.7');
  expect(await clientOf('11.0.0.1', '198.51.100.1', PRIVATE)).toBe('11.0.0.1');
});

test('a trusted proxy tells who connected to it', async () => {
  expect(await clientOf('10.1.2.3', '198.51.100.1', PRIVATE)).toBe('198.51.100.1');
  expect(await clientOf('fd12::1', '2001:db8::9', PRIVATE)).toBe('2001:db8::9');
  // A socket for both families knows IPv4 by its mapped form.
  expect(await clientOf('::ffff:10.1.2.3', '198.51.100.1', PRIVATE)).toBe('198.51.100.1');
});

test('a client that writes the header itself is not taken for somebody else', async () => {
  expect(await clientOf('10.1.2.3', '203.0.113.5, 198.51.100.1', PRIVATE)).toBe('198.51.100.1');
  expect(await clientOf('10.1.2.3', '10.9.9.9, 198.51.100.1', PRIVATE)).toBe('198.51.100.1');
});

test('behind several trusted proxies it is the one before the first of them', async () => {
  expect(await clientOf('10.1.2.3', '203.0.113.5, 198.51.100.1, 10.7.7.7,fd00::5', PRIVATE)).toBe(
    '198.51.100.1',
  );
  expect(await clientOf('10.1.2.3', '10.7.7.7', PRIVATE)).toBe('10.7.7.7');
});

test('a proxy that tells nothing, or no address, is itself the client', async () => {
  expect(await clientOf('10.1.2.3', undefined, PRIVATE)).toBe('10.1.2.3');
  expect(await clientOf('10.1.2.3', '', PRIVATE)).toBe('10.1.2.3');
  expect(await clientOf('10.1.2.3', '198.51.100.1, unknown', PRIVATE)).toBe('10.1.2.3');
  expect(await clientOf('10.1.2.3', '198.51.100.1, _hidden, 10.0.0.9', PRIVATE)).toBe('10.0.0.9');
});

test('ports that load balancers add do not matter', async () => {
  expect(await clientOf('10.1.2.3', '198.51.100.1:4711', PRIVATE)).toBe('198.51.100.1');
  expect(await clientOf('10.1.2.3', '[2001:db8::9]:4711', PRIVATE)).toBe('2001:db8::9');
  expect(await clientOf('10.1.2.3', '198.51.100.1, 10.0.0.9:1', PRIVATE)).toBe('198.51.100.1');
});

test('what is no range of addresses is refused', () => {
  for (const range of [
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0/8',
    'fd00::/129',
    '/8',
    '10.0.0.0/-1',
    '10.0.0.0/8/8x',
  ]) {
    expect(() => trustProxies([range]), range).toThrow();
  }
});
