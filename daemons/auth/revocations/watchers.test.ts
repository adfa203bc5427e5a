import { createLogger } from '@jobber/shared/log';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createWatchers, type RevocationMessage, type Watchers } from './watchers.ts';

const log = createLogger({ daemon: 'auth', level: 'silent' });

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Lets go on what waits for no time to pass. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A watcher that the test plays: it acknowledges when it is told to. */
function join(watchers: Watchers) {
  const messages: RevocationMessage[] = [];
  const gone = new AbortController();
  let acknowledge: (number: number) => void = () => {};
  async function* acknowledgements() {
    while (!gone.signal.aborted) {
      yield await new Promise<number>((resolve) => {
        acknowledge = resolve;
      });
    }
  }
  const ended = (async () => {
    for await (const message of watchers.watch(acknowledgements(), gone.signal)) messages.push(message);
  })();
  return {
    messages,
    ended,
    acknowledge: (number: number) => acknowledge(number),
    leave: () => gone.abort(),
    async untilMessages(count: number) {
      await settle();
      expect(messages.length).toBeGreaterThanOrEqual(count);
    },
    /** Gets the right to keep identities for a second. */
    async confirm() {
      const { number } = messages.at(-1) as RevocationMessage;
      acknowledge(number);
      await settle();
      watchers.prepareConfirmation()();
      await settle();
      expect(messages.at(-1)?.confirmed).toBe(number);
    },
  };
}

/** That it is done after a second and not earlier. */
async function expectDoneAfterSecond(work: Promise<void>): Promise<void> {
  let done = false;
  const ended = work.then(() => {
    done = true;
  });
  await settle();
  await vi.advanceTimersByTimeAsync(999);
  expect(done).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await ended;
}

test('a revocation without watchers is done at once', async () => {
  await createWatchers({ log }).revoke(['a']);
});

test('a revocation is done when each watcher has acknowledged it, not before', async () => {
  const watchers = createWatchers({ log });
  const [one, two] = [join(watchers), join(watchers)];
  await Promise.all([one.untilMessages(1), two.untilMessages(1)]);
  let done = false;
  const revoked = watchers.revoke(['a']).then(() => {
    done = true;
  });
  await Promise.all([one.untilMessages(2), two.untilMessages(2)]);
  expect(one.messages.at(-1)).toMatchObject({ number: 2, sessionIds: ['a'] });
  one.acknowledge(2);
  // Acknowledging an earlier message does not count.
  two.acknowledge(1);
  await settle();
  expect(done).toBe(false);
  two.acknowledge(2);
  await revoked;
  for (const watcher of [one, two]) watcher.leave();
});

test('a watcher that does not acknowledge is cut off after a second, and the revocation is done', async () => {
  const watchers = createWatchers({ log });
  const silent = join(watchers);
  await silent.untilMessages(1);
  await expectDoneAfterSecond(watchers.revoke(['a']));
  await silent.ended;
  expect(watchers.count).toBe(0);
});

test('a watcher that never acknowledges is cut off even if nothing is revoked', async () => {
  const watchers = createWatchers({ log });
  const silent = join(watchers);
  await silent.untilMessages(1);
  vi.advanceTimersByTime(1_000);
  watchers.prepareConfirmation()();
  expect(watchers.count).toBe(1);
  vi.advanceTimersByTime(1);
  watchers.prepareConfirmation()();
  expect(watchers.count).toBe(0);
  await silent.ended;
});

test('a watcher that is gone may keep identities for as long as it was confirmed, and is waited for', async () => {
  const watchers = createWatchers({ log });
  const lost = join(watchers);
  await lost.untilMessages(1);
  await lost.confirm();
  lost.leave();
  await lost.ended;
  await expectDoneAfterSecond(watchers.revoke(['a']));
  // One second later nobody needs to be waited for.
  await watchers.revoke(['a']);
});

test('only what had been acknowledged before the look at the database is confirmed', async () => {
  const watchers = createWatchers({ log });
  const watcher = join(watchers);
  await watcher.untilMessages(1);
  const confirm = watchers.prepareConfirmation();
  watcher.acknowledge(1);
  await settle();
  confirm();
  await watcher.untilMessages(2);
  expect(watcher.messages.at(-1)?.confirmed).toBe(0);
  watchers.prepareConfirmation()();
  await watcher.untilMessages(3);
  expect(watcher.messages.at(-1)?.confirmed).toBe(1);
  watcher.leave();
});

test('what was never sent can’t be acknowledged', async () => {
  const watchers = createWatchers({ log });
  const forger = join(watchers);
  await forger.untilMessages(1);
  forger.acknowledge(1_000_000);
  await expect(forger.ended).rejects.toMatchObject({ reason: 'INVALID_INPUT' });
  expect(watchers.count).toBe(0);
});
