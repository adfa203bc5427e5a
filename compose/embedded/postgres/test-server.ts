import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from './index.ts';
import { removeFoldersOfDeadRuns } from './test-folders.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** From test-global-setup.ts; undefined where no global setup ran. */
    jobberTestServer: TestServer | undefined;
  }
}

/** The one server of a test run, as handed to its workers. */
export interface TestServer {
  readonly adminUrl: string;
  /** Begins the name of everything that this run makes: several runs may share one server. */
  readonly prefix: string;
}

const FOLDER = 'jobber-test-postgres-';

/**
 * Starts the server of one test run, in a folder of its own under the system's temporary folder. It ends with this
 * process however that ends; `stop` removes everything, also what the run left on a server that it did not start.
 * @param existingUrl of a superuser of a running server, to be used instead
 */
export async function startTestPostgres(
  existingUrl?: string,
): Promise<{ server: TestServer; stop(): Promise<void> }> {
  const prefix = `jobber_test_${randomBytes(4).toString('hex')}_`;
  if (existingUrl) {
    const server = { adminUrl: existingUrl, prefix };
    return { server, stop: () => dropTemplates(server) };
  }
  removeFoldersOfDeadRuns(FOLDER);
  const folder = mkdtempSync(join(tmpdir(), `${FOLDER}${process.pid}-`));
  const postgres = await startPostgres({ dataDir: join(folder, 'data'), mode: 'throwaway' });
  return {
    server: { adminUrl: postgres.adminUrl, prefix },
    async stop() {
      await postgres.stop({ mode: 'immediate' });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function dropTemplates(server: TestServer): Promise<void> {
  await asAdmin(server.adminUrl, async (client) => {
    const found = await client.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
      [`${server.prefix}template_`],
    );
    for (const { datname } of found.rows) {
      await client.query(`ALTER DATABASE ${datname} IS_TEMPLATE false`);
      await client.query(`DROP DATABASE ${datname} WITH (FORCE)`);
    }
  });
}

/** Runs `work` on a connection of its own to the server's administrative database. */
export async function asAdmin<T>(adminUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: adminUrl });
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
