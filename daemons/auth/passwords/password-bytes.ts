import { refuse } from '@jobber/shared/errors';

const MIN_BYTES = 8;
const MAX_BYTES = 1_024;

/**
 * The bytes of a password that are hashed: UTF-8 of its NFC, so that a password is the same whichever keyboard composes
 * its accents (RFC 8265 does the same). Nothing is cut off or trimmed. `undefined` when it is no acceptable password:
 * under 8 or over 1,024 bytes, or with lone surrogates, which UTF-8 would all turn into one character.
 */
export function passwordBytes(password: string): Buffer | undefined {
  // A UTF-16 unit takes a byte at least; NFC of a longer text is not worth the time.
  if (password.length > MAX_BYTES || !password.isWellFormed()) return undefined;
  const bytes = Buffer.from(password.normalize('NFC'), 'utf8');
  return bytes.length >= MIN_BYTES && bytes.length <= MAX_BYTES ? bytes : undefined;
}

/** @throws AppError 400 INVALID_INPUT */
export function requirePasswordBytes(password: string): Buffer {
  return (
    passwordBytes(password) ??
    refuse('INVALID_INPUT', `password must be valid text of ${MIN_BYTES} to ${MAX_BYTES} bytes in UTF-8`, {
      field: 'password',
      minBytes: MIN_BYTES,
      maxBytes: MAX_BYTES,
    })
  );
}
