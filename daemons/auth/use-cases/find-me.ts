import { UserAccount } from '@jobber/db/auth';
import type { Database } from '@jobber/db/connection';
import type { Identity } from '@jobber/shared/auth-guard';
import { refuse } from '@jobber/shared/errors';
import type { User } from '../users/user.ts';

export type FindMe = (identity: Identity) => Promise<User>;

/** The user who makes a request. @throws AppError UNAUTHENTICATED when they have been deleted meanwhile, UNAVAILABLE */
export function buildFindMe({ database }: { database: Database }): FindMe {
  return async function findMe({ userId }) {
    const user = await database.orm.em.fork().findOne(UserAccount, { id: userId });
    return user ?? refuse('UNAUTHENTICATED', 'Unauthorized');
  };
}
