import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findFreePort } from '../embedded/free-port.ts';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'jobber-pulsar-main-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

interface Run {
  output(): string;
  readonly exitCode: Promise<number | null>;
}

/** Ends with this process: the broker beneath it watches over that. */
function run(...args: string[]): Run {
  const child = spawn(process.execPath, [MAIN, ...args, '--data-dir', dataDir], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  child.stderr.on('data', (data) => {
    output += data;
  });
  return { output: () => output, exitCode: once(child, 'close').then(([code]) => code as number | null) };
}

test('a broker starts, says where it answers, refuses a second one in its folder, and is stopped from elsewhere', async () => {
  const [port, webPort] = [await findFreePort(), await findFreePort()];
  const first = run('--port', String(port), '--web-port', String(webPort));
  await Promise.race([
    first.exitCode,
    expect.poll(first.output, { timeout: 240_000 }).toContain('PULSAR_SERVICE_URL='),
  ]);
  expect(first.output()).toContain(`PULSAR_SERVICE_URL=ws://127.0.0.1:${webPort}`);
  expect(first.output()).toContain(`pulsar://127.0.0.1:${port}`);
  const namespaces = await fetch(`http://127.0.0.1:${webPort}/admin/v2/namespaces/public`);
  expect(await namespaces.json()).toContain('public/default');

  const second = run();
  expect(await second.exitCode).toBe(6);
  expect(second.output()).toContain(`A broker runs in ${dataDir} already`);

  const stop = run('stop');
  expect(await stop.exitCode).toBe(0);
  expect(await first.exitCode).toBe(0);
  expect(first.output()).toContain('stopped from elsewhere');
  await expect(fetch(`http://127.0.0.1:${webPort}/`)).rejects.toThrow();
}, 400_000);

test('what is wrong with the command is said before anything is started', async () => {
  for (const [args, sentence] of [
    [['--port', '70000'], '--port must be a port from 1 to 65535; got "70000"'],
    [['--web-port', '6650'], '--port and --web-port must be different ports'],
    [['restart'], 'there is no command "restart"'],
    [['--colour'], "Unknown option '--colour'"],
  ] as const) {
    const refused = run(...args);
    expect(await refused.exitCode).toBe(2);
    expect(refused.output()).toContain(sentence);
  }
});
