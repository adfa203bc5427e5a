import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { removeFoldersOfDeadRuns } from '../embedded/postgres/test-folders.ts';
import { PulsarError } from './pulsar-error.ts';
import { startPulsar } from './start-pulsar.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** From test-broker-setup.ts: what the tests of this run can use a broker through; at least one. */
    jobberTestTransports: readonly TestTransport[];
  }
}

export interface TestTransport {
  readonly driver: 'websocket' | 'native';
  /** For PULSAR_SERVICE_URL. */
  readonly serviceUrl: string;
  /** The admin REST API of the same broker; undefined when it is somebody else's. */
  readonly adminUrl: string | undefined;
}

const FOLDER = 'jobber-test-pulsar-';

/**
 * vitest's globalSetup for tests that need a broker: one for the whole run, in a folder of its own that goes with it.
 * With JOBBER_TEST_PULSAR_URL set it is that one instead, by the driver that belongs to the URL.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const url = process.env['JOBBER_TEST_PULSAR_URL'];
  const { transports, stop } = url ? existingBroker(url) : await ownBroker();
  project.provide('jobberTestTransports', transports);
  for (const line of describe(transports, url)) process.stdout.write(`${line}\n`);
  return stop;
}

function existingBroker(url: string) {
  const driver = url.startsWith('pulsar') ? ('native' as const) : ('websocket' as const);
  const transports: TestTransport[] = [
    { driver, serviceUrl: url, adminUrl: process.env['JOBBER_TEST_PULSAR_ADMIN_URL'] },
  ];
  return { transports, stop: async () => {} };
}

async function ownBroker() {
  removeFoldersOfDeadRuns(FOLDER);
  const folder = mkdtempSync(join(tmpdir(), `${FOLDER}${process.pid}-`));
  try {
    const broker = await startPulsar({ dataDir: folder, environment: process.env });
    const { serviceUrl, adminUrl } = broker;
    const transports: TestTransport[] = [{ driver: 'websocket', serviceUrl, adminUrl }];
    return {
      transports,
      async stop() {
        await broker.stop();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    // Its logs are gone with the folder; what is missing on this machine is said in one sentence.
    throw error instanceof PulsarError ? new Error(error.message) : error;
  }
}

function describe(transports: readonly TestTransport[], url: string | undefined): string[] {
  const runs = (driver: TestTransport['driver']) =>
    transports.find((transport) => transport.driver === driver);
  const because = url
    ? 'skipped: JOBBER_TEST_PULSAR_URL names a broker by the other transport'
    : 'skipped: JOBBER_TEST_PULSAR_URL=pulsar://… is not set';
  return [
    'Transports of this run:',
    '  direct     runs',
    `  ws://      ${runs('websocket') ? `runs, on ${url ? 'the broker of JOBBER_TEST_PULSAR_URL' : 'a broker of its own'}` : because}`,
    `  pulsar://  ${runs('native') ? 'runs, on the broker of JOBBER_TEST_PULSAR_URL' : because}`,
  ];
}
