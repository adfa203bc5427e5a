import { expect, test } from 'vitest';
import { createPasswordHasher } from './password-hasher.ts';

const hasher = await createPasswordHasher({ concurrency: 2, maxWaiting: 4 });
const password = Buffer.from('correct horse battery staple');

test('a hash is argon2id with at least 19 MiB, two passes and a salt of its own', async () => {
  const [one, other] = await Promise.all([hasher.hash(password), hasher.hash(password)]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(other).not.toBe(one);
  expect(await hasher.verify(one, password)).toBe(true);
});

test('every byte counts: nothing is cut off', async () => {
  const long = Buffer.from('a'.repeat(1_024));
  const stored = await hasher.hash(long);
  expect(await hasher.verify(stored, Buffer.from(`${'a'.repeat(1_023)}b`))).toBe(false);
  expect(await hasher.verify(stored, Buffer.from('a'.repeat(1_023)))).toBe(false);
  const withNul = await hasher.hash(Buffer.from('password\0one'));
  expect(await hasher.verify(withNul, Buffer.from('password\0two'))).toBe(false);
});

test('the password of an unknown account is never right, whatever it is', async () => {
  expect(await hasher.verify(undefined, password)).toBe(false);
  expect(await hasher.verify(undefined, Buffer.from('the password of nobody'))).toBe(false);
  expect(await hasher.verify(await hasher.hash(Buffer.alloc(8)), undefined)).toBe(false);
});

test('the password of an unknown account takes the work of a known one', async () => {
  const stored = await hasher.hash(password);
  const cpuMs = async (storedHash: string | undefined) => {
    const before = process.cpuUsage();
    for (let round = 0; round < 5; round += 1) await hasher.verify(storedHash, password);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
  // Without a hash it would be a hundredth; how busy the machine is makes less of a difference.
  const [known, unknown] = [await cpuMs(stored), await cpuMs(undefined)];
  expect(unknown).toBeGreaterThan(known / 5);
  expect(known).toBeGreaterThan(unknown / 5);
});

test('more than can be hashed soon is refused as retryable, and the rest is served', async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, () => hasher.verify(undefined, password)),
  );
  const refused = results.filter((result) => result.status === 'rejected');
  expect(refused).toHaveLength(4);
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 503, reason: 'UNAVAILABLE' });
  expect(await hasher.verify(undefined, password)).toBe(false);
});

test('the event loop turns while passwords are hashed', async () => {
  let turns = 0;
  const ticking = setInterval(() => {
    turns += 1;
  }, 1);
  await Promise.all([hasher.hash(password), hasher.hash(password), hasher.hash(password)]);
  clearInterval(ticking);
  // Not once when hashing holds it up.
  expect(turns).toBeGreaterThan(0);
});
