import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whyNoPulsarClient } from '@jobber/shared/broker';
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
  /** `ws://`, also where the driver is another one: by it foreign messages are written. */
  readonly webSocketUrl: string;
  /** The admin REST API of the same broker; undefined when it is somebody else's. */
  readonly adminUrl: string | undefined;
  /** For PULSAR_TOKEN. */
  readonly token: string | undefined;
}

const FOLDER = 'jobber-test-pulsar-';

/**
 * vitest's globalSetup for tests that need a broker: one for the whole run, in a folder of its own that goes with it, by each
 * driver that is there. With JOBBER_TEST_PULSAR_URL set it is that one instead, by the driver that belongs to the URL.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const url = process.env['JOBBER_TEST_PULSAR_URL'];
  const noNative = await whyNoPulsarClient();
  const { transports, stop } = url ? existingBroker(url) : await ownBroker(noNative === undefined);
  project.provide('jobberTestTransports', transports);
  const skipped = url ? 'JOBBER_TEST_PULSAR_URL names a broker by the other transport' : noNative;
  const where = url ? 'the broker of JOBBER_TEST_PULSAR_URL' : 'a broker of its own';
  const wayOf = (driver: TestTransport['driver']) =>
    transports.some((transport) => transport.driver === driver) ? `runs, on ${where}` : `skipped: ${skipped}`;
  const lines = [
    '  direct     runs',
    `  ws://      ${wayOf('websocket')}`,
    `  pulsar://  ${wayOf('native')}`,
  ];
  process.stdout.write(`Transports of this run:\n${lines.join('\n')}\n`);
  return stop;
}

function existingBroker(url: string) {
  const driver = url.startsWith('pulsar') ? ('native' as const) : ('websocket' as const);
  const adminUrl = process.env['JOBBER_TEST_PULSAR_ADMIN_URL'];
  const webSocketUrl = driver === 'native' ? adminUrl?.replace(/^http/, 'ws') : url;
  if (webSocketUrl === undefined) {
    throw new Error(
      'JOBBER_TEST_PULSAR_URL=pulsar://… needs JOBBER_TEST_PULSAR_ADMIN_URL=http://host:8080 as well: ' +
        'over the WebSocket API there, foreign messages are written',
    );
  }
  const token = process.env['JOBBER_TEST_PULSAR_TOKEN'];
  const transports: TestTransport[] = [{ driver, serviceUrl: url, webSocketUrl, adminUrl, token }];
  return { transports, stop: async () => {} };
}

async function ownBroker(withNative: boolean) {
  removeFoldersOfDeadRuns(FOLDER);
  const folder = mkdtempSync(join(tmpdir(), `${FOLDER}${process.pid}-`));
  try {
    const broker = await startPulsar({ dataDir: folder, environment: process.env });
    const { serviceUrl, binaryUrl, adminUrl } = broker;
    const shared = { webSocketUrl: serviceUrl, adminUrl, token: undefined };
    const transports: TestTransport[] = [{ driver: 'websocket', serviceUrl, ...shared }];
    if (withNative) transports.push({ driver: 'native', serviceUrl: binaryUrl, ...shared });
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
