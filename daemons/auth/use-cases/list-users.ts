import { UserAccount } from '@jobber/db/auth';
import type { Database } from '@jobber/db/connection';
import { type Identity, requirePermission } from '@jobber/shared/auth-guard';
import { refuse } from '@jobber/shared/errors';
import type { User } from '../users/user.ts';

const MAX_LIMIT = 200;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export interface UsersPage {
  readonly limit: number;
  /** The id of the last user of the page before. */
  readonly before: string | undefined;
}

export type ListUsers = (identity: Identity, page: UsersPage) => Promise<User[]>;

/** A page of all users, newest first. @throws AppError FORBIDDEN, INVALID_INPUT, UNAVAILABLE */
export function buildListUsers({ database }: { database: Database }): ListUsers {
  return async function listUsers(identity, { limit, before }) {
    requirePermission(identity, 'users:read');
    if (limit < 1 || limit > MAX_LIMIT) {
      refuse('INVALID_INPUT', `limit must be from 1 to ${MAX_LIMIT}; got ${limit}`, { maxLimit: MAX_LIMIT });
    }
    const em = database.orm.em.fork();
    const last = before === undefined ? undefined : await findLast(before);
    const olderThanLast = last && {
      $or: [{ createdAt: { $lt: last.createdAt } }, { createdAt: last.createdAt, id: { $lt: last.id } }],
    };
    return await em.find(UserAccount, olderThanLast ?? {}, {
      orderBy: { createdAt: 'desc', id: 'desc' },
      limit,
    });

    async function findLast(id: string): Promise<UserAccount> {
      const user = UUID.test(id) ? await em.findOne(UserAccount, { id }) : null;
      return user ?? refuse('INVALID_INPUT', 'before must be the id of a user', { field: 'before' });
    }
  };
}
