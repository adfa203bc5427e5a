import { refuse } from '@jobber/shared/errors';

/** RFC 5321: a path of 256 octets, less its angle brackets. */
const MAX_LENGTH = 254;
/** RFC 5322's dot-atom at a domain of at least one label; no quoting, no comments, no address literals. */
const PLAIN_ADDRESS =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/**
 * The one spelling of an email address that is stored and compared: trimmed, in lower case. ASCII only, so that two
 * addresses that look the same are the same. `undefined` for what is no address.
 */
export function normalizeEmail(email: string): string | undefined {
  // Longer text is not worth a regular expression's time.
  if (email.length > 2 * MAX_LENGTH) return undefined;
  const normalized = email.replace(/^ +| +$/g, '').toLowerCase();
  return normalized.length <= MAX_LENGTH && PLAIN_ADDRESS.test(normalized) ? normalized : undefined;
}

/** @throws AppError 400 INVALID_INPUT */
export function requireEmail(email: string): string {
  return (
    normalizeEmail(email) ??
    refuse(
      'INVALID_INPUT',
      `email must be a plain address such as ada@example.com, in ASCII and at most ${MAX_LENGTH} characters`,
      { field: 'email', maxLength: MAX_LENGTH },
    )
  );
}
