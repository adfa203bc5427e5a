// The tables that the supervisor itself looks at.
import pg from 'pg';

const client = new pg.Client({ connectionString: process.env['AUTH_DATABASE_URL'] });
await client.connect();
await client.query(`create table if not exists platform_setup (id boolean);
  create table if not exists user_account (roles text[])`);
await client.end();
