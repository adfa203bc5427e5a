import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type PulsarBroker, PulsarError, startPulsar } from '@jobber/compose/pulsar';
import type { TestProject } from 'vitest/node';

export interface InstalledWorker {
  /** A Python that has what the worker needs. */
  readonly python: string;
  /** Undefined where there can be none. */
  readonly broker: { readonly serviceUrl: string; readonly binaryUrl: string } | undefined;
}

declare module 'vitest' {
  interface ProvidedContext {
    pythonWorker: InstalledWorker;
  }
}

export const EXAMPLE = fileURLToPath(new URL('..', import.meta.url));

const run = promisify(execFile);

/** vitest's globalSetup: the worker's packages and one broker for the run, in a folder that goes with it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'jobber-python-'));
  let broker: PulsarBroker | undefined;
  const release = async () => {
    await broker?.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  };
  try {
    const [installed, started] = await Promise.allSettled([
      install(join(folder, 'python')),
      startPulsar({ dataDir: join(folder, 'pulsar'), environment: process.env }),
    ]);
    if (started.status === 'fulfilled') broker = started.value;
    else if (!(started.reason instanceof PulsarError)) throw started.reason;
    if (installed.status === 'rejected') throw installed.reason;
    const { python, withoutPulsar } = installed.value;
    const why = withoutPulsar ?? (started.status === 'rejected' ? String(started.reason.message) : undefined);
    process.stdout.write(
      `Ways of this run:\n  direct  runs\n  Pulsar  ${why === undefined ? 'runs' : `skipped: ${why}`}\n`,
    );
    project.provide('pythonWorker', {
      python,
      broker:
        broker && why === undefined
          ? { serviceUrl: broker.serviceUrl, binaryUrl: broker.binaryUrl }
          : undefined,
    });
    return release;
  } catch (error) {
    await release();
    throw error;
  }
}

/** As the README says. Without the client of Pulsar, which has no build for every machine, half of it runs. */
async function install(folder: string): Promise<{ python: string; withoutPulsar: string | undefined }> {
  await run('python3', ['-m', 'venv', folder]);
  const python = join(folder, 'bin', 'python');
  const pip = (requirements: string) =>
    run(
      python,
      [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--disable-pip-version-check',
        '--only-binary',
        ':all:',
        '-r',
        requirements,
      ],
      { cwd: EXAMPLE },
    );
  const withoutPulsar = await pip('requirements-pulsar.txt').then(
    () => undefined,
    async (error: Error) => {
      await pip('requirements.txt');
      return `the package pulsar-client can't be had: ${error.message.trim().split('\n').at(-1)}`;
    },
  );
  await run(python, ['generate_stubs.py'], { cwd: EXAMPLE });
  return { python, withoutPulsar };
}
