/** The numeric codes that clients see in `extensions.code`; they follow HTTP's meanings. */
export type NumericCode = 400 | 401 | 403 | 404 | 409 | 413 | 429 | 500 | 503;

/** Every reason a request can be refused for. Reasons are stable: scripts compare them. */
export const REASONS = {
  MALFORMED_REQUEST: 400,
  QUERY_TOO_COMPLEX: 400,
  INVALID_INPUT: 400,
  INVALID_DATA: 400,
  INVALID_FILE: 400,
  FILE_UNREADABLE: 400,
  UNAUTHENTICATED: 401,
  CREDENTIALS_INVALID: 401,
  TOKEN_INVALID: 401,
  FORBIDDEN: 403,
  CROSS_SITE: 403,
  NOT_FOUND: 404,
  JOB_TYPE_NOT_FOUND: 404,
  JOB_NOT_FOUND: 404,
  EMAIL_TAKEN: 409,
  JOB_ENDED: 409,
  NOT_RETRYABLE: 409,
  IDEMPOTENCY_CONFLICT: 409,
  TOO_LARGE: 413,
  THROTTLED: 429,
  QUOTA_EXCEEDED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
} as const satisfies Record<string, NumericCode>;

export type Reason = keyof typeof REASONS;

/** JSON that helps a client to act on a refusal: limits, indexes, fields. Never secrets or paths of the server. */
export type ErrorDetails = Record<string, unknown>;

/** An expected refusal on its way to an edge, which maps it to GraphQL, HTTP or gRPC. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: NumericCode;
  readonly reason: Reason;
  readonly details: ErrorDetails | undefined;

  constructor(reason: Reason, message: string, details?: ErrorDetails, options?: ErrorOptions) {
    super(message, options);
    this.code = REASONS[reason];
    this.reason = reason;
    this.details = details;
  }
}

export function isAppError(error: unknown): error is AppError {
  return error instanceof AppError;
}

/** Throws an `AppError`: for the places where a refusal ends a procedure. */
export function refuse(reason: Reason, message: string, details?: ErrorDetails): never {
  throw new AppError(reason, message, details);
}

/** Recognises errors of a library that are expected refusals; `undefined` for all others. */
export type ClassifyError = (error: unknown) => AppError | undefined;

/** Errors that `isUnavailable` recognises are refused as retryable: nothing was wrong with the request. */
export function unavailableWhen(isUnavailable: (error: unknown) => boolean): ClassifyError {
  return (error) =>
    isUnavailable(error)
      ? new AppError('UNAVAILABLE', 'The service is not available at the moment; try again', undefined, {
          cause: error,
        })
      : undefined;
}
