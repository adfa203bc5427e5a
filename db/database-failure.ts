/**
 * SQLSTATE classes: connection (08), insufficient resources (53), operator intervention
 * (57), I/O (58), read-only (25006).
 */
const UNAVAILABLE_SQLSTATE = /^(08|53|57|58)...$|^25006$/;
const NETWORK_CODE =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT)$/;
/** pg's own failures carry no code. */
const DRIVER_MESSAGE =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|timeout expired|Query read timeout|Cannot use a pool after calling end)/;

/**
 * Whether an error tells that the database can't serve at the moment (stopped, starting, full, unreachable, too slow),
 * as opposed to a statement that is wrong. The same request may succeed later.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError && error.errors.some(isDatabaseUnavailable)) return true;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && (UNAVAILABLE_SQLSTATE.test(code) || NETWORK_CODE.test(code))) return true;
  return DRIVER_MESSAGE.test(error.message) || isDatabaseUnavailable(error.cause);
}
