/** What the shell sees. */
export const EXIT = {
  ok: 0,
  jobFailed: 1,
  usage: 2,
  unauthenticated: 3,
  forbidden: 4,
  refused: 5,
  unavailable: 6,
  partialLoad: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface FailureFacts {
  exitCode: ExitCode;
  /** Stable; scripts compare it. */
  reason: string;
  /** The server's numeric code, when it was the server that refused. */
  code?: number | undefined;
  details?: unknown;
  cause?: unknown;
}

/** A command that ends badly, in a way we know. The message is one line: what, where, why, what to do. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: ExitCode;
  readonly reason: string;
  readonly code: number | undefined;
  readonly details: unknown;

  constructor(message: string, facts: FailureFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.exitCode = facts.exitCode;
    this.reason = facts.reason;
    this.code = facts.code;
    this.details = facts.details;
  }
}

/** Wrong use of a command, or wrong input to it. */
export function usageFailure(message: string, reason = 'USAGE', details?: unknown): Failure {
  return new Failure(message, { exitCode: EXIT.usage, reason, details });
}

export function interrupted(message: string, details?: unknown): Failure {
  return new Failure(message, { exitCode: EXIT.interrupted, reason: 'INTERRUPTED', details });
}
