// `npm run quickstart`: the whole platform once, in a folder of its own, and nothing left of it afterwards.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { currentPrograms } from './platform/bundles.ts';
import { DAEMONS, PLATFORM_ROOT } from './platform/daemon-programs.ts';
import { platformAddresses } from './platform/describe-platform.ts';
import { dropPostgresVariables } from './platform/drop-postgres-variables.ts';
import { cleanText } from './platform/format-record.ts';
import { openLogStream } from './platform/log-stream.ts';
import { freePlatformPorts } from './platform/platform-ports.ts';
import { whyUnusable } from './platform/private-file.ts';
import { type Platform, startPlatform } from './platform/start-platform.ts';
import { type Interruptions, watchInterruptions } from './platform/watch-interruptions.ts';
import { createProgress, type Progress } from './quickstart/progress.ts';
import { tellStory } from './quickstart/tell-story.ts';

const EXIT = { ok: 0, failed: 1, interrupted: 130 } as const;
const PRODUCTS_FILE = join(PLATFORM_ROOT, 'assets', 'products.json');
/** Everything together; it takes some ten seconds. */
const LIMIT_MS = 120_000;

async function main(environment: NodeJS.ProcessEnv): Promise<number> {
  const startedAt = performance.now();
  dropPostgresVariables(environment);
  const folder = makeFolder();
  if (folder === undefined) return EXIT.failed;
  const interruptions = watchInterruptions(environment);
  const progress = createProgress(process.stdout);
  process.stdout.on('error', () => interruptions.interrupt('the end of its output'));
  try {
    progress.print('jobber quickstart: PostgreSQL and four daemons, in a folder of their own', '');
    await run(folder, { environment, interruptions, progress });
    rmSync(folder, { recursive: true, force: true });
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    progress.print('', `Everything is stopped and removed again, after ${seconds} s. Next:`, '', ...NEXT, '');
    return EXIT.ok;
  } catch (error) {
    progress.clear();
    if (interruptions.first.aborted) {
      process.stderr.write(
        `Interrupted by ${interruptions.first.reason}: everything is stopped and removed.\n`,
      );
      return EXIT.interrupted;
    }
    process.stderr.write(`Error: ${cleanText(describe(error))} ${keepLog(folder, error)}\n`);
    return EXIT.failed;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    interruptions.dispose();
  }
}

/** Undefined, and said why, when there is no place for one. */
function makeFolder(): string | undefined {
  try {
    return mkdtempSync(join(tmpdir(), 'jobber-quickstart-'));
  } catch (error) {
    process.stderr.write(
      `Error: Cannot make a folder in ${cleanText(tmpdir())}: ${whyUnusable(error)}. Set TMPDIR to a folder for temporary files.\n`,
    );
    return undefined;
  }
}

const NEXT = [
  '  npx jobber up                                     the same, and data is kept',
  '  npx jobber register --email you@example.com       in another terminal',
  '  npx jobber login --email you@example.com',
  '  npx jobber job run fibonacci --iterations 1000',
  '  npx jobber products load assets/products.json',
];

async function run(
  folder: string,
  context: { environment: NodeJS.ProcessEnv; interruptions: Interruptions; progress: Progress },
): Promise<void> {
  const { environment, interruptions, progress } = context;
  const signal = AbortSignal.any([interruptions.first, AbortSignal.timeout(LIMIT_MS)]);
  const platform = await startPlatform({
    dataDir: join(folder, 'data'),
    ports: await freePlatformPorts(),
    openLog: (logs) => openLogStream(logs, DAEMONS, () => {}),
    // It needs nothing but itself, whatever broker the daemons of this user have.
    environment: { ...environment, PULSAR_SERVICE_URL: undefined },
    nodeEnv: 'production',
    programs: currentPrograms(),
    compileCache: join(homedir(), '.cache', 'jobber', 'compiled'),
    throwaway: true,
    signal,
    onPhase: (phase) => progress.update(`starting: ${phase}`),
  });
  const killed = killWhenAskedTwice(platform, interruptions.second);
  try {
    progress.done('PostgreSQL, Auth, Jobs, Products and the executor are ready');
    const addresses = platformAddresses(platform.ports);
    const failure = platform.failed.then((error) => Promise.reject(error));
    await Promise.race([tellStory({ addresses, productsFile: PRODUCTS_FILE, progress, signal }), failure]);
  } finally {
    await Promise.race([platform.stop(), killed]);
  }
}

function killWhenAskedTwice(platform: Platform, second: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    second.addEventListener('abort', () => resolve(platform.kill()), { once: true });
  });
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `The quickstart did not end within ${LIMIT_MS / 1000} seconds.`;
  // fetch's own message says nothing; its cause does.
  const cause =
    error.cause instanceof Error && error.message === 'fetch failed' ? `: ${error.cause.message}` : '';
  // That one is about to be removed; `keepLog` tells where its content stays.
  const message = error.message.replace(/ (Its|The) log is \S+$/, '');
  return `${message.replace(/\.$/, '')}${cause}.`;
}

/** The folder is removed: what the daemons said is kept outside of it, in one file. @returns where */
function keepLog(folder: string, error: unknown): string {
  const logs = join(folder, 'data', 'logs');
  const file = `${folder}.log`;
  const parts = existsSync(logs)
    ? readdirSync(logs).map((name) => `==> ${name}\n${readFileSync(join(logs, name), 'utf8')}`)
    : [];
  const text = [...parts, `==> quickstart\n${error instanceof Error ? error.stack : error}\n`].join('\n');
  try {
    writeFileSync(file, text, { mode: 0o600 });
    return `The log is ${file}`;
  } catch (problem) {
    rmSync(file, { force: true });
    return `The log could not be kept in ${file}: ${whyUnusable(problem)}.`;
  }
}

process.exitCode = await main(process.env);
