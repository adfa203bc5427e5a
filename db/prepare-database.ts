import { type Database, type DatabaseDefinition, pendingMigrations, waitForDatabase } from './connection.ts';

/**
 * Waits until the server answers, for as long as it takes, and then looks whether all migrations are there.
 * @returns what an operator has to do before the database can be used; empty when it can; `undefined` when `signal` has
 * ended the wait
 */
export async function prepareDatabase(
  { name }: DatabaseDefinition,
  database: Database,
  options: { signal: AbortSignal; onFailure: (error: unknown) => void },
): Promise<string[] | undefined> {
  try {
    await waitForDatabase(database, options);
    const pending = await pendingMigrations(database);
    if (pending.length === 0) return [];
    return [`database ${name} lacks migrations ${pending.join(', ')}; run npm run full-migrate`];
  } catch (error) {
    if (options.signal.aborted) return undefined;
    throw error;
  }
}
