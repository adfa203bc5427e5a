/** A one-line description of whatever was thrown, for logs. */
export function describeUnknownError(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(describeUnknownError).join('; ');
  }
  return error instanceof Error ? error.message || error.name : String(error);
}
