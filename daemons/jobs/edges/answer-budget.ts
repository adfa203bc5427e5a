import { AppError } from '@jobber/shared/errors';
import type { Context } from 'hono';

/** What one answer may hold of what is read for its fields, so that no answer outgrows the memory. */
export interface AnswerBudget {
  /**
   * Reads for one field; the reads of an answer take turns. `work` is told how many bytes of JSON are left.
   * @throws AppError 413 TOO_LARGE when they do not suffice
   */
  read<Result>(work: (bytesLeft: number) => Promise<Result>): Promise<Result>;
}

/** As JSON in bytes. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** The budget of each request's answer. */
export function createAnswerBudgets(maxBytes = MAX_ANSWER_BYTES): (c: Context) => AnswerBudget {
  const budgets = new WeakMap<Context, AnswerBudget>();
  return (c) => {
    const budget = budgets.get(c) ?? createAnswerBudget(maxBytes);
    budgets.set(c, budget);
    return budget;
  };
}

export function createAnswerBudget(maxBytes: number): AnswerBudget {
  let left = maxBytes;
  let last: Promise<unknown> = Promise.resolve();

  async function readNow<Result>(work: (bytesLeft: number) => Promise<Result>): Promise<Result> {
    if (left < 0) throw answerTooLarge(maxBytes);
    const result = await work(left);
    left -= Buffer.byteLength(JSON.stringify(result));
    if (left < 0) throw answerTooLarge(maxBytes);
    return result;
  }

  return {
    read(work) {
      const turn = last.then(() => readNow(work));
      last = turn.catch(() => {});
      return turn;
    },
  };
}

function answerTooLarge(limit: number): AppError {
  return new AppError('TOO_LARGE', `The answer would be larger than ${limit} bytes; ask for less at once`, {
    limit,
  });
}
