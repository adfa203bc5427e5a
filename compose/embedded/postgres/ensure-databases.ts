import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import pg from 'pg';

export interface DatabaseWanted {
  readonly database: string;
  /** The owner, and the only one who may connect (superusers apart). */
  readonly role: string;
  readonly password: string;
}

// Two processes that ask at once take turns. Any number that nobody else uses does.
const TURN = 7_203_145;

/**
 * Makes the databases and their roles as wanted, whatever is there already: a role that may log in, with this
 * password, and a database that it owns and nobody else may connect to. Other databases and roles are left alone.
 * @param adminUrl of a role that may create both
 */
export async function ensureDatabases(adminUrl: string, wanted: readonly DatabaseWanted[]): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  // A lost connection also fails the statement under way; unheard, this event would end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [TURN]);
    for (const one of wanted) {
      await ensureRole(client, one);
      await ensureDatabase(client, one);
    }
  } finally {
    await client.end();
  }
}

/** The address at which `wanted`'s role reaches its database on the server of `adminUrl`. */
export function databaseUrl(adminUrl: string, wanted: DatabaseWanted): string {
  const url = new URL(adminUrl);
  url.username = encodeURIComponent(wanted.role);
  url.password = encodeURIComponent(wanted.password);
  url.pathname = `/${encodeURIComponent(wanted.database)}`;
  return url.href;
}

async function ensureRole(client: pg.Client, { role, password }: DatabaseWanted): Promise<void> {
  const found = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
  const verb = found.rowCount === 0 ? 'CREATE' : 'ALTER';
  await client.query(
    `${verb} ROLE ${pg.escapeIdentifier(role)} LOGIN PASSWORD ${pg.escapeLiteral(hashPassword(password))}`,
  );
}

async function ensureDatabase(client: pg.Client, { database, role }: DatabaseWanted): Promise<void> {
  const name = pg.escapeIdentifier(database);
  const owner = pg.escapeIdentifier(role);
  const found = await client.query<{ owner: string }>(
    'SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = $1',
    [database],
  );
  if (found.rowCount === 0) {
    await client.query(`CREATE DATABASE ${name} OWNER ${owner}`);
  } else if (found.rows[0]?.owner !== role) {
    await client.query(`ALTER DATABASE ${name} OWNER TO ${owner}`);
  }
  await client.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
}

/**
 * The form in which PostgreSQL keeps a password (RFC 5803, SCRAM-SHA-256, 4096 rounds): the password itself then never
 * stands in a statement, which a server writes to its log when it fails.
 */
function hashPassword(password: string): string {
  if (!/^[\x20-\x7e]+$/.test(password)) {
    throw new Error('A database password must consist of printable ASCII characters.');
  }
  const salt = randomBytes(16);
  const rounds = 4096;
  const salted = pbkdf2Sync(password, salt, rounds, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  return `SCRAM-SHA-256$${rounds}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
