import { expect, test, vi } from 'vitest';
import { createIdentityCache, type ExpiringIdentity } from './identity-cache.ts';

function identity(sessionId: string, expiresInMs = 60_000): ExpiringIdentity {
  const expiresAtMs = Date.now() + expiresInMs;
  return {
    userId: `user of ${sessionId}`,
    email: 'a@example.com',
    roles: [],
    permissions: [],
    sessionId,
    expiresAtMs,
  };
}

/** A cache with a clock that the test moves, open and confirmed at 0. */
function openCache(maxIdentities?: number) {
  const clock = { ms: 0 };
  const cache = createIdentityCache({ now: () => clock.ms, ...(maxIdentities && { maxIdentities }) });
  cache.open();
  cache.confirm(0);
  return { cache, clock };
}

test('an identity is found for 900 ms after the last confirmation, and again after the next one', () => {
  const { cache, clock } = openCache();
  cache.keep('token', identity('a'), cache.mark());
  clock.ms = 899;
  expect(cache.find('token')?.sessionId).toBe('a');
  clock.ms = 900;
  expect(cache.find('token')).toBeUndefined();
  cache.confirm(850);
  expect(cache.find('token')?.sessionId).toBe('a');
});

test('a process that was stopped for a minute wakes up with nothing that it may use', () => {
  const { cache, clock } = openCache();
  cache.keep('token', identity('a'), cache.mark());
  clock.ms = 60_000;
  expect(cache.find('token')).toBeUndefined();
  // What came in before the stop is read only now: it confirms what was true a minute ago.
  cache.confirm(100);
  expect(cache.find('token')).toBeUndefined();
});

test('nothing is found before the first confirmation, and nothing kept without a stream', () => {
  const cache = createIdentityCache({ now: () => 0 });
  cache.keep('before', identity('a'), cache.mark());
  cache.open();
  cache.keep('token', identity('a'), cache.mark());
  expect(cache.find('token')).toBeUndefined();
  cache.confirm(0);
  expect(cache.find('token')?.sessionId).toBe('a');
  expect(cache.find('before')).toBeUndefined();
});

test('a lost stream forgets everything, also when the next one is confirmed', () => {
  const { cache } = openCache();
  cache.keep('token', identity('a'), cache.mark());
  cache.close();
  expect(cache.find('token')).toBeUndefined();
  cache.open();
  cache.confirm(0);
  expect(cache.find('token')).toBeUndefined();
});

test('a revocation forgets all tokens of its session and no others', () => {
  const { cache } = openCache();
  cache.keep('a1', identity('a'), cache.mark());
  cache.keep('a2', identity('a'), cache.mark());
  cache.keep('b1', identity('b'), cache.mark());
  cache.forget(['a', 'unknown']);
  expect(['a1', 'a2', 'b1'].map((token) => cache.find(token)?.sessionId)).toEqual([
    undefined,
    undefined,
    'b',
  ]);
});

test('an answer that was asked for before a revocation, or on another stream, is not kept', () => {
  const { cache } = openCache();
  const beforeRevocation = cache.mark();
  cache.forget(['b']);
  cache.keep('token', identity('a'), beforeRevocation);
  expect(cache.find('token')).toBeUndefined();

  const beforeLoss = cache.mark();
  cache.close();
  cache.open();
  cache.confirm(0);
  cache.keep('token', identity('a'), beforeLoss);
  expect(cache.find('token')).toBeUndefined();
});

test('an identity ends with its token, by the wall clock', () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const { cache } = openCache();
    cache.keep('token', identity('a', 100), cache.mark());
    cache.keep('expired', identity('a', 0), cache.mark());
    expect(cache.find('expired')).toBeUndefined();
    vi.setSystemTime(Date.now() + 99);
    expect(cache.find('token')?.sessionId).toBe('a');
    vi.setSystemTime(Date.now() + 1);
    expect(cache.find('token')).toBeUndefined();
  } finally {
    vi.useRealTimers();
  }
});

test('it holds so many identities and no more; the one that was not asked for longest goes first', () => {
  const { cache } = openCache(3);
  for (const name of ['a', 'b', 'c']) cache.keep(name, identity(name), cache.mark());
  cache.find('a');
  cache.keep('d', identity('d'), cache.mark());
  expect(['a', 'b', 'c', 'd'].filter((name) => cache.find(name))).toEqual(['a', 'c', 'd']);
  // Its session is known no more either: it comes back as new.
  cache.forget(['b']);
  cache.keep('b', identity('b'), cache.mark());
  expect(cache.find('b')?.sessionId).toBe('b');
});

test('a token that is kept twice is forgotten with its session all the same', () => {
  const { cache } = openCache();
  cache.keep('token', identity('a'), cache.mark());
  cache.keep('token', identity('a'), cache.mark());
  cache.forget(['a']);
  expect(cache.find('token')).toBeUndefined();
});
