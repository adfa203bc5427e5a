/** Why a broker does not start or stop; stable, for callers that act on it. */
export type PulsarErrorReason =
  | 'java-missing'
  | 'maven-missing'
  | 'download-failed'
  | 'port-taken'
  | 'folder-in-use'
  | 'folder-unusable'
  | 'start-failed'
  | 'stop-failed';

/** One sentence for people in `message`, what to do included; it holds no secret. */
export class PulsarError extends Error {
  override readonly name = 'PulsarError';
  readonly reason: PulsarErrorReason;

  constructor(reason: PulsarErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
