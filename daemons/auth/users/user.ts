/** A user as others may see them. */
export interface User {
  /** UUID. */
  readonly id: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly createdAt: Date;
}
