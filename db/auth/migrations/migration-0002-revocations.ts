import { Migration } from '@mikro-orm/migrations';

/**
 * The database itself tells which sessions' identities hold no more, in the transaction that changes them: whoever ends a
 * session, deactivates a user or changes a role, by Auth or by hand, can't forget to.
 */
export class Migration0002Revocations extends Migration {
  override up(): void {
    this.addSql(`
      create function revoke_session() returns trigger language plpgsql as $$
      begin
        perform pg_notify('session_revoked', old.id::text);
        return null;
      end $$`);
    this.addSql(`
      create trigger session_ended after update of ended_at on session for each row
      when (old.ended_at is null and new.ended_at is not null) execute function revoke_session()`);
    // Also when its user is deleted. Expired ones are removed in great numbers, and nobody keeps those.
    this.addSql(`
      create trigger session_deleted after delete on session for each row
      when (old.ended_at is null and old.expires_at > now()) execute function revoke_session()`);

    this.addSql(`
      create function revoke_sessions_of_user() returns trigger language plpgsql as $$
      begin
        perform pg_notify('session_revoked', id::text) from session
        where user_id = new.id and ended_at is null and expires_at > now();
        return null;
      end $$`);
    this.addSql(`
      create trigger user_changed after update of email, roles, deactivated_at on user_account for each row
      when ((old.email, old.roles, old.deactivated_at) is distinct from (new.email, new.roles, new.deactivated_at))
      execute function revoke_sessions_of_user()`);
  }

  override down(): void {
    this.addSql('drop function revoke_session, revoke_sessions_of_user cascade');
  }
}
