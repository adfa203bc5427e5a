/**
 * SQLSTATE classes and codes after which nothing of the statement was kept: its data (22), a
 * constraint (23), a limit (54).
 */
const REFUSED = /^(22|23|54)...$/;
/** Two transactions waited for each other and this one was rolled back; it is simply done again. */
const ROLLED_BACK = /^40(001|P01)$/;
/** PostgreSQL takes a second to find a deadlock, and a request is answered within five. */
const MAX_TRIES = 3;
/** Others may come and go with the same key. */
const MAX_CONFLICTS = 5;
const UNIQUE_VIOLATION = '23505';

/**
 * Runs one statement for many items. When the database refuses the statement because of what one of them holds, each is
 * done by itself, so that only the culprit fails. An error that leaves the outcome open is the whole batch's.
 */
export async function runBatch<Item, Result>(
  items: readonly Item[],
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
): Promise<(Result | Error)[]> {
  try {
    return [...(await againAfterDeadlock(() => run(items)))];
  } catch (error) {
    if (items.length < 2 || !REFUSED.test(codeOf(error))) throw error;
  }
  const results: (Result | Error)[] = [];
  for (const item of items) {
    const one = await againAfterDeadlock(() => run([item])).catch((error: Error) => [error]);
    results.push(one[0] as Result | Error);
  }
  return results;
}

/** Does `run` again when the database has rolled it back to resolve a deadlock, up to twice: several may wait in a ring. */
export async function againAfterDeadlock<Result>(run: () => Promise<Result>): Promise<Result> {
  return await again(MAX_TRIES, (code) => ROLLED_BACK.test(code), run);
}

/** Does `run` again when somebody was faster with a unique key, up to four times: each time it sees who was. */
export async function againAfterConflict<Result>(run: () => Promise<Result>): Promise<Result> {
  return await again(
    MAX_CONFLICTS,
    (code) => code === UNIQUE_VIOLATION,
    () => againAfterDeadlock(run),
  );
}

async function again<Result>(
  maxTries: number,
  isWorthwhile: (code: string) => boolean,
  run: () => Promise<Result>,
): Promise<Result> {
  for (let tries = 1; tries < maxTries; tries += 1) {
    try {
      return await run();
    } catch (error) {
      if (!isWorthwhile(codeOf(error))) throw error;
    }
  }
  return await run();
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}
