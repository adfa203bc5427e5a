import pg from 'pg';

/**
 * Whether the platform has an administrator, or had one: the setup token is of no use then.
 * @param authUrl of Auth's database, brought up to date
 */
export async function hasAdministrator(authUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: authUrl, connectionTimeoutMillis: 10_000 });
  // A lost connection also fails the statement under way; unheard, this event would end the process.
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ found: boolean }>(
      `select exists (select from platform_setup)
           or exists (select from user_account where 'admin' = any (roles)) as found`,
    );
    return rows[0]?.found === true;
  } finally {
    await client.end();
  }
}
