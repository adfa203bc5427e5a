/** A one-line description of whatever was thrown, for logs. */
export function describeUnknownError(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(describeUnknownError).join('; ');
  }
  return error instanceof Error ? withoutFiller(error.message) || error.name : String(error);
}

/** What grpc-js puts around the one fact when it has no connection. */
function withoutFiller(message: string): string {
  return message
    .replace(/No connection established\. Last error: (?:Error: )?/, '')
    .replace(/\.? Resolution note: *$/, '');
}
