import { refuse } from '@jobber/shared/errors';

/** How many of something one answer may have, as a request says it. @throws AppError 400 INVALID_INPUT */
export function checkLimit(limit: number, max: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= max) return limit;
  return refuse('INVALID_INPUT', `limit must be a whole number from 1 to ${max}, got ${limit}`, {
    limit: max,
  });
}
