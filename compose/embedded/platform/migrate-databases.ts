import { spawn } from 'node:child_process';
import type { Programs } from './daemon-programs.ts';
import { PlatformError } from './platform-error.ts';

/**
 * Brings the databases up to date, in a process of its own: what it takes in memory is given back.
 * @throws PlatformError `migration`, with what the program said
 */
export async function migrateDatabases(
  urls: Readonly<Record<'auth' | 'jobs' | 'products', string>>,
  options: { environment: NodeJS.ProcessEnv; signal: AbortSignal; programs: Programs },
): Promise<void> {
  const child = spawn(process.execPath, [options.programs.migrate, 'all'], {
    env: {
      ...options.environment,
      AUTH_DATABASE_URL: urls.auth,
      JOBS_DATABASE_URL: urls.jobs,
      PRODUCTS_DATABASE_URL: urls.products,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    signal: options.signal,
    killSignal: 'SIGKILL',
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else
        reject(
          new PlatformError(
            'migration',
            `The databases could not be brought up to date: ${describe(said, code, signal)}`,
          ),
        );
    });
  });
}

function describe(said: string, code: number | null, signal: NodeJS.Signals | null): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.filter((line) => line.includes('not migrated')).join('; ') || lines.at(-1);
  return telling ?? `the program ended with ${signal ?? `exit code ${code}`} and said nothing.`;
}
