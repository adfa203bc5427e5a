import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('./quickstart.ts', import.meta.url));
// Whole platforms start here, two of them at once: seconds, and minutes on a machine that has other things to do.
const LIMIT = 300_000;
let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'jobber-quickstart-test-'));
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function quickstart(name: string, environment: NodeJS.ProcessEnv = {}) {
  const temporary = join(folder, name);
  mkdirSync(temporary, { recursive: true });
  const child = spawn(process.execPath, [PROGRAM], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // The mark shows which processes it has started, also when they have outlived it.
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      TMPDIR: temporary,
      QUICKSTART_TEST: temporary,
      ...environment,
    },
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      child.emit('output');
    });
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    output: () => output,
    ended,
    left: () => ({ files: readdirSync(temporary), processes: processesMarked(temporary) }),
    async shows(text: string) {
      while (!output.includes(text))
        await Promise.race([once(child, 'output'), ended.then(() => Promise.reject(new Error(output)))]);
    },
  };
}

/** Daemons inherit the mark; PostgreSQL is found by its working folder. */
function processesMarked(mark: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`QUICKSTART_TEST=${mark}`)) return true;
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(mark);
    } catch {
      return false;
    }
  });
}

/** What a newcomer's shell may hold already. */
const ABOUT_OTHER_SERVERS = {
  PGSSLMODE: 'require',
  PGOPTIONS: '-c no.such=1 -c nonsense',
  PULSAR_SERVICE_URL: 'ws://127.0.0.1:9',
  http_proxy: 'http://127.0.0.1:9',
  https_proxy: 'http://127.0.0.1:9',
  // No folder can be made there.
  HOME: '/proc/1',
};

test(
  'twice at once: a login, a Fibonacci number, a priced product file, and nothing left, whatever is set for other servers',
  async () => {
    const runs = [quickstart('one'), quickstart('two', ABOUT_OTHER_SERVERS)];
    for (const run of runs) {
      expect(await run.ended, run.output()).toBe(0);
      expect(run.output()).toContain('The 100th Fibonacci number is 354224848179261915075.');
      for (const category of [
        'Apparel',
        'Electronics',
        'Furniture',
        'Grocery',
        'Health & Beauty',
        'Home & Kitchen',
      ]) {
        expect(run.output()).toContain(category);
      }
      expect(run.output()).toMatch(/[\d.]+ × 1\.\d+ = [\d.]+/);
      expect(run.output()).toContain('npx jobber up');
      expect(run.left()).toEqual({ files: [], processes: [] });
    }
  },
  LIMIT,
);

test(
  'interrupted at any time it leaves no process and no folder',
  async () => {
    const moments: [string, NodeJS.Signals][] = [
      ['starting: PostgreSQL', 'SIGINT'],
      ['starting: daemons', 'SIGTERM'],
      ['is registered', 'SIGINT'],
    ];
    for (const [moment, signal] of moments) {
      const run = quickstart(moment.replace(/\W/g, '-'));
      await run.shows(moment);
      run.child.kill(signal);
      expect(await run.ended, run.output()).toBe(130);
      expect(run.output()).toContain(`Interrupted by ${signal}`);
      expect(run.left()).toEqual({ files: [], processes: [] });
    }
  },
  LIMIT,
);

test(
  'a failure is one sentence and the place of the log, which is all that is left',
  async () => {
    const run = quickstart('failing', { LOG_LEVEL: 'loud' });
    expect(await run.ended).toBe(1);
    const [, log] = /^Error: .*LOG_LEVEL.*The log is (\S+)$/m.exec(run.output()) ?? [];
    expect(log, run.output()).toBeDefined();
    expect(run.output().match(/log is/g)).toHaveLength(1);
    expect(readFileSync(log!, 'utf8')).toContain('LOG_LEVEL');
    expect(run.left().files).toHaveLength(1);
    expect(run.left().processes).toEqual([]);
  },
  LIMIT,
);

test('where no folder can be made it says so in one sentence', async () => {
  const run = quickstart('nowhere', { TMPDIR: join(folder, 'missing') });
  expect(await run.ended).toBe(1);
  expect(run.output()).toMatch(/^Error: Cannot make a folder in \S+missing: .* Set TMPDIR to .*\.\n$/);
});
