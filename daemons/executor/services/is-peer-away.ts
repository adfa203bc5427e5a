import { ClientError, Status } from 'nice-grpc';

const AWAY: readonly Status[] = [
  Status.UNAVAILABLE,
  Status.DEADLINE_EXCEEDED,
  Status.ABORTED,
  Status.CANCELLED,
];

/**
 * Whether a call failed because the other daemon, or what it depends on, could not be reached in time: that says nothing
 * about the request. An internal error does: the same request may well meet it again.
 */
export function isPeerAway(error: unknown): boolean {
  if (error instanceof ClientError) return AWAY.includes(error.code);
  // The deadline of the call.
  return error instanceof Error && error.name === 'AbortError';
}
