import { existsSync, globSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBinaries } from '../../embedded/postgres/find-binaries.ts';
import { mustRun, runCommand } from '../run-command.ts';

const here = dirname(fileURLToPath(import.meta.url));

function make(script: string, args: string[], env: NodeJS.ProcessEnv): Promise<string> {
  return mustRun(join(here, script), args, { env });
}

/**
 * Makes images with the names of those that the Dockerfile and the compose file take from a registry, of programs that
 * are on this machine.
 * @returns why they can't be made, or undefined
 */
export async function makeStandIns(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (globSync('/usr/lib/postgresql/*/bin/psql').length === 0)
    return 'there is no psql for the stand-in of PostgreSQL (apt-get install postgresql-client)';
  await make('make-node.sh', ['node:24-bookworm-slim', realpathSync(process.execPath)], env);
  await make('make-debian.sh', ['debian:bookworm-slim'], env);
  await make('make-postgres.sh', ['postgres:18-bookworm', findBinaries().native], env);
  return undefined;
}

/**
 * The same for Apache Pulsar, of the jars that `npm run pulsar` has fetched: they are too large to be fetched for this.
 * @returns why it can't be made, or undefined
 */
export async function makePulsarStandIn(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const cache = join(
    env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache'),
    'jobber',
    'pulsar-4.2.4',
  );
  const jars = join(cache, 'jars');
  if (!existsSync(jars)) return `there are no jars of Apache Pulsar in ${jars} (npm run pulsar fetches them)`;
  if ((await runCommand('which', ['java'])).code !== 0)
    return 'there is no java for the stand-in of Apache Pulsar';
  await make('make-pulsar.sh', ['apachepulsar/pulsar:4.2.4', jars], env);
  return undefined;
}
