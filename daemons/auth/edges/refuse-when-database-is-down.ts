import { isDatabaseUnavailable } from '@jobber/db/connection';
import { AppError } from '@jobber/shared/errors';

/** Turns "the database can't serve" into a refusal that says to try again; every other error stays what it is. */
export async function refuseWhenDatabaseIsDown<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isDatabaseUnavailable(error)) throw error;
    throw new AppError('UNAVAILABLE', "Auth can't reach its database at the moment; try again", undefined, {
      cause: error,
    });
  }
}
