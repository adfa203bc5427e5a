import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import pg from 'pg';
import copyStreams from 'pg-copy-streams';
import { type DatabaseCopy, type TableCopy, tableFile } from './manifest.ts';

const TABLES = `
  select relname as name, array_agg(attname::text order by attnum) as columns
  from pg_class join pg_attribute on attrelid = pg_class.oid
  where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> 'migrations'
    and attnum > 0 and not attisdropped and attgenerated = ''
  group by relname order by relname`;

/** A database as it was at one moment. */
export interface Snapshot {
  /** Copies its tables into `folder`, which has a folder of the database's name. */
  copyTo(folder: string): Promise<Omit<DatabaseCopy, 'sequences'>>;
  /** Now, not at that moment: whatever numbers have been given out by now are not given out again. */
  sequences(): Promise<DatabaseCopy['sequences']>;
  /** Jobs' only: files that are needed. */
  uploadNames(): Promise<string[]>;
  close(): Promise<void>;
}

/** @param adminUrl of the server's superuser */
export async function openSnapshot(adminUrl: string, database: string): Promise<Snapshot> {
  const client = await connect(adminUrl, database);
  try {
    await client.query('begin isolation level repeatable read read only');
    // The first statement takes the snapshot.
    const { rows } = await client.query<{ name: string }>('select name from migrations order by id');
    const migrations = rows.map(({ name }) => name);
    return {
      async copyTo(folder) {
        const tables: TableCopy[] = [];
        const found = await client.query<{ name: string; columns: string[] }>(TABLES);
        for (const { name, columns } of found.rows) {
          const from = client.query(copyStreams.to(`copy ${target(name, columns)} to stdout`));
          const file = createWriteStream(tableFile(folder, database, name), { mode: 0o600, flush: true });
          await pipeline(from, createGzip({ level: 1 }), file);
          tables.push({ name, columns, rows: from.rowCount });
        }
        return { migrations, tables };
      },
      async sequences() {
        const { rows: found } = await client.query<{ name: string; lastValue: string }>(
          `select sequencename as name, last_value::text as "lastValue" from pg_sequences
           where schemaname = 'public' and last_value is not null and sequencename not like 'migrations%'`,
        );
        return found;
      },
      async uploadNames() {
        const { rows: found } = await client.query<{ name: string }>(
          'select name from upload where removed_at is null order by name',
        );
        return found.map(({ name }) => name);
      },
      close: () => client.end(),
    };
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** Fills the tables, which the copy's migrations have made, in one transaction. @returns how many rows there are */
export async function fillDatabase(
  adminUrl: string,
  database: string,
  copy: DatabaseCopy,
  folder: string,
): Promise<number> {
  const client = await connect(adminUrl, database);
  let rows = 0;
  try {
    await client.query('begin');
    // References hold as they did, and triggers have told what they had to.
    await client.query('set local session_replication_role = replica');
    for (const { name } of copy.tables) await client.query(`truncate ${pg.escapeIdentifier(name)} cascade`);
    for (const { name, columns, rows: expected } of copy.tables) {
      const into = client.query(copyStreams.from(`copy ${target(name, columns)} from stdin`));
      await pipeline(createReadStream(tableFile(folder, database, name)), createGunzip(), into);
      if (into.rowCount !== expected)
        throw new Error(`the table ${name} has ${into.rowCount} rows in the backup, not ${expected}`);
      rows += into.rowCount;
    }
    for (const { name, lastValue } of copy.sequences)
      await client.query('select setval($1::regclass, $2)', [pg.escapeIdentifier(name), lastValue]);
    await client.query('commit');
    await client.query('analyze');
    return rows;
  } finally {
    await client.end();
  }
}

function target(table: string, columns: readonly string[]): string {
  return `${pg.escapeIdentifier(table)} (${columns.map(pg.escapeIdentifier).join(', ')})`;
}

async function connect(adminUrl: string, database: string): Promise<pg.Client> {
  const url = new URL(adminUrl);
  url.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 10_000 });
  // A lost connection also fails the statement under way; unheard, this event would end the process.
  client.on('error', () => {});
  await client.connect();
  return client;
}
