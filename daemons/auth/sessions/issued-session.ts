/** What a login or a refresh hands to the client. */
export interface IssuedSession {
  /** UUID. */
  readonly userId: string;
  readonly email: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** When the access token expires. */
  readonly expiresAt: Date;
}
