/** Why the platform does not start or goes down; stable, for callers that act on it. */
export type PlatformErrorReason =
  | 'folder-in-use'
  | 'folder-unusable'
  | 'port-taken'
  | 'port-invalid'
  | 'postgres'
  | 'migration'
  | 'broker'
  | 'broker-url-invalid'
  | 'daemon-misconfigured'
  | 'daemon-not-ready'
  | 'profile-damaged'
  | 'profile-taken'
  | 'interrupted';

/** One sentence for people in `message`, what to do included; it holds no secret. */
export class PlatformError extends Error {
  readonly reason: PlatformErrorReason;

  constructor(reason: PlatformErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PlatformError';
    this.reason = reason;
  }
}
