import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { migrationsFolder } from './daemon-programs.ts';

const DATABASES = ['auth', 'jobs', 'products'] as const;

/**
 * Whether the databases were brought up to date by this very set of migrations: they need not be looked at again then,
 * which saves a third of a second at each start. The stamp is a comment on each database, so it goes where the data goes.
 * @param adminUrl of the server's superuser
 */
export async function isStamped(adminUrl: string, root?: string): Promise<boolean> {
  const stamp = currentStamp(root);
  return await withClient(adminUrl, async (client) => {
    const { rows } = await client.query<{ stamp: string | null }>(
      `select shobj_description(oid, 'pg_database') as stamp from pg_database where datname = any ($1)`,
      [DATABASES],
    );
    return rows.length === DATABASES.length && rows.every((row) => row.stamp === stamp);
  });
}

/** Call it when all migrations have been applied. */
export async function writeStamp(adminUrl: string, root?: string): Promise<void> {
  const stamp = pg.escapeLiteral(currentStamp(root));
  await withClient(adminUrl, async (client) => {
    for (const name of DATABASES)
      await client.query(`comment on database ${pg.escapeIdentifier(name)} is ${stamp}`);
  });
}

function currentStamp(root?: string): string {
  const hash = createHash('sha256');
  for (const name of DATABASES) {
    const folder = migrationsFolder(name, root);
    for (const file of readdirSync(folder).sort())
      hash.update(`${name}/${file}\0`).update(readFileSync(join(folder, file)));
  }
  return `jobber migrations ${hash.digest('hex')}`;
}

async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  // A lost connection also fails the statement under way; unheard, this event would end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
