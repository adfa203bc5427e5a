import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { DaemonProcess } from '../platform/daemon-process.ts';
import { waitUntil } from '../wait-until.ts';
import { submitInBackground } from './background.ts';
import { useWorld } from './test-world.ts';

/** An orchestrator that restarts what does not live would have done it by then. */
const UNUSABLE_MS = 30_000;

describe('a daemon that cannot serve', () => {
  const world = useWorld('unusable', { executors: 1 });

  test('for it has lost its database, or the executor Jobs, is not ready, and lives on in the same process', async () => {
    const { platform, during, hold } = world.get();
    const background = submitInBackground(world.get());
    await during({ name: 'no database, and no Jobs for the executor' }, async () => {
      await platform.databases.crash();
      platform.edges['executor-jobs'].inject({ kind: 'cut' });
      await staysAliveAndUnready(platform.daemons);
    });
    await background;
    await hold();
  });

  test('for it is started without its database, or the executor without Jobs, waits for them and does not crash', async () => {
    const { platform, during, hold } = world.get();
    const background = submitInBackground(world.get());
    await during({ name: 'started without a database, and without Jobs' }, async () => {
      await platform.databases.crash();
      platform.edges['executor-jobs'].inject({ kind: 'cut' });
      for (const daemon of platform.daemons) daemon.signal('SIGKILL');
      await staysAliveAndUnready(platform.daemons);
    });
    await background;
    await hold();
  });
});

async function staysAliveAndUnready(daemons: readonly DaemonProcess[]): Promise<void> {
  const states = () => Promise.all(daemons.map(readState));
  const expected = daemons.map(({ name }) => ({ name, live: 200, ready: 503 }));
  await waitUntil('none of them is ready, and all live', async () => {
    expect(await states()).toEqual(expected);
    return true;
  });
  const pids = daemons.map((daemon) => daemon.pid());
  const end = performance.now() + UNUSABLE_MS;
  while (performance.now() < end) {
    expect(await states()).toEqual(expected);
    expect(daemons.map((daemon) => daemon.pid())).toEqual(pids);
    await delay(1_000);
  }
}

async function readState({ name, daemon, origin }: DaemonProcess) {
  const status = async (path: string) => {
    const response = await fetch(`${origin}/${daemon}/${path}`, { signal: AbortSignal.timeout(30_000) });
    await response.body?.cancel();
    return response.status;
  };
  return { name, live: await status('live'), ready: await status('ready') };
}
