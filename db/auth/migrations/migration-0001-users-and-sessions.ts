import { Migration } from '@mikro-orm/migrations';

/** Users, sessions with their refresh tokens, signing keys, throttles. */
export class Migration0001UsersAndSessions extends Migration {
  override up(): void {
    this.addSql(`
      create table user_account (
        id uuid primary key default gen_random_uuid(),
        email text not null unique check (length(email) between 3 and 254),
        password_hash text not null check (password_hash like '$argon2id$%'),
        roles text[] not null
          check (cardinality(roles) > 0 and roles <@ array['viewer', 'member', 'operator', 'admin']),
        -- In milliseconds, as JavaScript reads it: pages of users go by it.
        created_at timestamptz(3) not null default now(),
        deactivated_at timestamptz
      )`);
    this.addSql('create index user_account_newest on user_account (created_at desc, id desc)');

    // One row at most: whoever inserts it was the one to use the setup token.
    this.addSql(`
      create table platform_setup (
        id boolean primary key default true check (id),
        done_at timestamptz not null default now()
      )`);

    this.addSql(`
      create table session (
        id uuid primary key default gen_random_uuid(),
        user_id uuid not null references user_account (id) on delete cascade,
        address text not null,
        started_at timestamptz not null default now(),
        expires_at timestamptz not null,
        ended_at timestamptz,
        ended_because text check (ended_because in ('logged out', 'refresh token reused')),
        check ((ended_at is null) = (ended_because is null))
      )`);
    this.addSql('create index session_of_user on session (user_id, address)');
    this.addSql('create index session_by_expiry on session (expires_at)');

    this.addSql(`
      create table refresh_token (
        hash bytea primary key check (length(hash) = 32),
        session_id uuid not null references session (id) on delete cascade,
        expires_at timestamptz not null,
        used_at timestamptz
      )`);
    this.addSql('create index refresh_token_of_session on refresh_token (session_id)');

    this.addSql(`
      create table signing_key (
        kid text primary key,
        public_jwk jsonb not null,
        sealed_private_jwk bytea not null,
        created_at timestamptz not null default now(),
        retired_at timestamptz
      )`);
    // One key signs; two replicas that start at once agree on it by this.
    this.addSql('create unique index signing_key_in_use on signing_key ((true)) where retired_at is null');

    this.addSql(`
      create table throttle (
        key text primary key,
        failures int not null check (failures > 0),
        last_failure_at timestamptz not null,
        blocked_until timestamptz not null
      )`);
    this.addSql('create index throttle_age on throttle (last_failure_at)');
  }

  override down(): void {
    this.addSql(
      'drop table throttle, signing_key, refresh_token, session, platform_setup, user_account cascade',
    );
  }
}
