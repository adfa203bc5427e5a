import { isAppError } from '@jobber/shared/errors';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { normalizeEmail, requireEmail } from './normalize-email.ts';

test('an address is trimmed and put in lower case, so that one person is one user', () => {
  expect(normalizeEmail('  Ada.Lovelace+jobs@Example.COM ')).toBe('ada.lovelace+jobs@example.com');
  expect(normalizeEmail('root@localhost')).toBe('root@localhost');
});

test.each([
  ['nothing', ''],
  ['no @', 'ada.example.com'],
  ['two @', 'ada@b@example.com'],
  ['no name', '@example.com'],
  ['no domain', 'ada@'],
  ['a space within', 'a da@example.com'],
  ['two dots', 'a..da@example.com'],
  ['a label that begins with a hyphen', 'ada@-example.com'],
  ['a control character', 'ada\u0007@example.com'],
  ['NUL', 'ada\0@example.com'],
  ['a line break at the end', 'ada@example.com\n'],
  ['an escape sequence', '\u001b[31mada@example.com'],
  ['letters that look like others', 'аda@example.com'],
  ['markup', '<ada@example.com>'],
  ['255 characters', `${'a'.repeat(243)}@example.com`],
  ['a megabyte', 'a'.repeat(1_000_000)],
])('%s is refused', (_, email) => {
  expect(normalizeEmail(email)).toBeUndefined();
});

test('254 characters are accepted', () => {
  expect(normalizeEmail(`${'a'.repeat(242)}@example.com`)).toHaveLength(254);
});

test('a refusal says what is expected and the limit, and does not repeat what was sent', () => {
  let refusal: unknown;
  try {
    requireEmail('\u001b]0;nonsense');
  } catch (error) {
    refusal = error;
  }
  expect(isAppError(refusal) && refusal.reason).toBe('INVALID_INPUT');
  expect((refusal as Error).message).toMatch(/^email must be .* at most 254 characters$/);
});

test('normalizing twice changes nothing, and only printable ASCII comes out', () => {
  fc.assert(
    fc.property(fc.oneof(fc.emailAddress(), fc.string({ unit: 'binary' })), (text) => {
      const once = normalizeEmail(text);
      if (once === undefined) return;
      expect(normalizeEmail(once)).toBe(once);
      expect(once).toMatch(/^[!-~]+$/);
    }),
  );
});
