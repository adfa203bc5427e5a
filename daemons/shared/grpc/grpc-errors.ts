import { AppError, isAppError, type Reason } from '@jobber/shared/errors';
import { ClientError, ServerError, Status } from 'nice-grpc-common';

const STATUS_OF_CODE = {
  400: Status.INVALID_ARGUMENT,
  401: Status.UNAUTHENTICATED,
  403: Status.PERMISSION_DENIED,
  404: Status.NOT_FOUND,
  409: Status.FAILED_PRECONDITION,
  413: Status.RESOURCE_EXHAUSTED,
  429: Status.RESOURCE_EXHAUSTED,
  500: Status.INTERNAL,
  503: Status.UNAVAILABLE,
} as const;

const REASON_OF_STATUS: Partial<Record<Status, Reason>> = {
  [Status.INVALID_ARGUMENT]: 'INVALID_INPUT',
  [Status.UNAUTHENTICATED]: 'UNAUTHENTICATED',
  [Status.PERMISSION_DENIED]: 'FORBIDDEN',
  [Status.NOT_FOUND]: 'NOT_FOUND',
  [Status.RESOURCE_EXHAUSTED]: 'TOO_LARGE',
};

/** An error on its way out of a gRPC method. What is not an expected refusal tells nothing about the inside. */
export function toServerError(error: unknown): ServerError {
  if (error instanceof ServerError) return error;
  if (isAppError(error)) return new ServerError(STATUS_OF_CODE[error.code], error.message);
  return new ServerError(Status.INTERNAL, 'Internal error');
}

/** A refusal by another daemon. Anything that says nothing about the request itself counts as unavailable. */
export class AppErrorFromGrpc extends AppError {
  constructor(peer: string, error: unknown) {
    const reason = error instanceof ClientError ? REASON_OF_STATUS[error.code] : undefined;
    const message =
      reason && error instanceof ClientError
        ? error.details
        : `${peer} can't be reached at the moment; try again`;
    super(reason ?? 'UNAVAILABLE', message, undefined, { cause: error });
  }
}
