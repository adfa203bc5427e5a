import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { identifyProcess } from '../embedded/postgres/process-identity.ts';
import { PulsarError } from './pulsar-error.ts';

const SETTINGS = fileURLToPath(new URL('standalone.conf', import.meta.url));

/** Where the broker of a folder listens on 127.0.0.1. */
export interface BrokerPorts {
  /** The binary protocol, `pulsar://`. */
  readonly port: number;
  /** `ws://` and the admin REST API. */
  readonly webPort: number;
}

/** What runs in a data folder; written into it. */
export interface RunningBroker extends BrokerPorts {
  /** See identifyProcess. */
  readonly process: string;
}

/**
 * Makes the folder if it is missing and writes the broker's settings into it.
 * @returns the path of the settings
 * @throws PulsarError `folder-unusable`
 */
export function prepareFolder(
  dataDir: string,
  { port, webPort }: BrokerPorts,
  settings: Readonly<Record<string, string>>,
): string {
  const file = join(dataDir, 'standalone.conf');
  const own = { brokerServicePort: String(port), webServicePort: String(webPort), ...settings };
  const lines = Object.entries(own).map(([name, value]) => `${name}=${value}\n`);
  try {
    mkdirSync(join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
    // It can hold the secrets of a test's settings.
    rmSync(file, { force: true });
    writeFileSync(file, `${readFileSync(SETTINGS, 'utf8')}\n${lines.join('')}`, { mode: 0o600 });
    return file;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new PulsarError('folder-unusable', `The broker's data can't be kept in ${dataDir}: ${code}.`);
  }
}

/** The broker that runs in the folder, if one does. */
export function runningBroker(dataDir: string): (RunningBroker & { readonly pid: number }) | undefined {
  const file = statusFile(dataDir);
  if (!existsSync(file)) return undefined;
  try {
    const status = JSON.parse(readFileSync(file, 'utf8')) as RunningBroker;
    const pid = Number.parseInt(status.process, 10);
    return identifyProcess(pid) === status.process ? { ...status, pid } : undefined;
  } catch {
    // Half written by a process that was killed: its broker goes with it.
    return undefined;
  }
}

export function recordBroker(dataDir: string, pid: number, ports: BrokerPorts): void {
  const status: RunningBroker = { process: identifyProcess(pid) ?? String(pid), ...ports };
  writeFileSync(statusFile(dataDir), JSON.stringify(status));
}

export function forgetBroker(dataDir: string): void {
  rmSync(statusFile(dataDir), { force: true });
}

function statusFile(dataDir: string): string {
  return join(dataDir, 'broker.json');
}
