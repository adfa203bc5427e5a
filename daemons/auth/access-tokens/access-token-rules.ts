/** What an access token must be; signing and verifying both keep to it. */
export const ACCESS_TOKEN_ALGORITHM = 'EdDSA';
/** RFC 9068. A token of another type, such as a refresh token, is not taken for one. */
export const ACCESS_TOKEN_TYPE = 'at+jwt';
export const ACCESS_TOKEN_AUDIENCE = 'jobber';

export interface AccessTokenRules {
  readonly issuer: string;
  readonly ttlSeconds: number;
}
