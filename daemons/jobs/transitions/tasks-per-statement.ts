/** Tasks that one statement writes, so that each is done in a second or two; for more there are several, in one transaction. */
export const TASKS_PER_STATEMENT = 10_000;
