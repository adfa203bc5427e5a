import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { findMaven } from './find-programs.ts';
import { PulsarError } from './pulsar-error.ts';

const POM = fileURLToPath(new URL('pom.xml', import.meta.url));
export const PULSAR_VERSION = /<pulsar\.version>([^<]+)</.exec(readFileSync(POM, 'utf8'))?.[1] ?? '';
const COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where what was fetched for this version of Pulsar is kept; all of it can be fetched again. */
export function pulsarCache(environment: Environment): string {
  const caches = environment['XDG_CACHE_HOME'] || join(environment['HOME'] || homedir(), '.cache');
  return join(caches, 'jobber', `pulsar-${PULSAR_VERSION}`);
}

/**
 * The folder with the broker's jars, fetched from Maven Central (or the mirror of Maven's settings) if it is not there.
 * The folder appears complete or not at all: two callers at once fetch twice, and one of them wins.
 * @param onJar called for each file that has come, with how many have
 * @throws PulsarError `maven-missing`, `download-failed`, `folder-unusable`
 */
export async function fetchJars(options: {
  environment: Environment;
  onJar?: (count: number) => void;
  signal?: AbortSignal | undefined;
}): Promise<string> {
  const { environment, onJar, signal } = options;
  const cache = pulsarCache(environment);
  const jars = join(cache, 'jars');
  if (existsSync(jars)) return jars;
  const maven = await findMaven(environment);
  const folder = makeFolder(cache);
  try {
    await copyDependencies({ maven, folder, environment, onJar, signal });
    if (!existsSync(jars)) renameSync(folder, jars);
    return jars;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeFolder(cache: string): string {
  try {
    mkdirSync(cache, { recursive: true });
    return mkdtempSync(join(cache, 'coming-'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new PulsarError('folder-unusable', `The broker's jars can't be kept in ${cache}: ${code}.`);
  }
}

async function copyDependencies(options: {
  maven: string;
  folder: string;
  environment: Environment;
  onJar: ((count: number) => void) | undefined;
  signal: AbortSignal | undefined;
}): Promise<void> {
  const { maven, folder, environment, onJar, signal } = options;
  const args = ['-B', '-f', POM, COPY, '-DincludeScope=runtime', `-DoutputDirectory=${folder}`];
  const child = spawn(maven, args, {
    cwd: folder,
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  const problems: string[] = [];
  let jars = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (/Downloaded from .*\.jar( |$)/.test(line)) onJar?.(++jars);
    if (line.startsWith('[ERROR]')) problems.push(line.slice('[ERROR]'.length).trim());
  });
  child.stderr.resume();
  const code = await new Promise((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  if (code === 0 && readdirSync(folder).length > 0) return;
  const why = problems.find((problem) => problem !== '') ?? `it ended with code ${code}`;
  throw new PulsarError('download-failed', `Maven could not fetch the broker's jars: ${why.slice(0, 500)}`);
}
