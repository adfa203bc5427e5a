// Looks through the settings of a platform in containers before anything of it runs: a daemon that finds them wrong ends,
// and would be started again for ever.
import { randomBytes } from 'node:crypto';
import { ConfigError } from '@jobber/shared/config';
import {
  DAEMON_TITLES,
  DAEMONS,
  type DaemonName,
  settingsModule,
} from '../embedded/platform/daemon-programs.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type ReadSettings = (environment: Environment) => unknown;

/**
 * @param environment with the settings of all daemons; where secrets and databases are is not part of them
 * @returns a sentence a problem, each beginning with the name of its variable; empty when all daemons would take them
 */
export async function findProblems(environment: Environment): Promise<string[]> {
  const complete = { ...withoutFiles(environment), ...standIns(environment) };
  const problems = await Promise.all(
    DAEMONS.map(async (name) => {
      const read = await loadReader(name);
      try {
        read(complete);
        return [];
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        return error.problems;
      }
    }),
  );
  // What several daemons read is told once.
  return [...new Set(problems.flat())];
}

/** What a daemon's container finds in its volume. */
function standIns(environment: Environment): Environment {
  const made = randomBytes(32).toString('hex');
  return {
    SERVICE_SECRET: environment['SERVICE_SECRET'] || made,
    AUTH_SETUP_TOKEN: environment['AUTH_SETUP_TOKEN'] || made,
    AUTH_DATABASE_URL: 'postgresql://postgres/auth',
    JOBS_DATABASE_URL: 'postgresql://postgres/jobs',
    PRODUCTS_DATABASE_URL: 'postgresql://postgres/products',
  };
}

function withoutFiles(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.endsWith('_FILE')));
}

async function loadReader(name: DaemonName): Promise<ReadSettings> {
  const module: Record<string, ReadSettings | undefined> = await import(settingsModule(name));
  const read = module[`load${DAEMON_TITLES[name]}Config`];
  if (read === undefined) throw new Error(`${settingsModule(name)} has no function that reads the settings`);
  return read;
}
