import { expect, test } from 'vitest';
import { passwordBytes, requirePasswordBytes } from './password-bytes.ts';

test('8 to 1,024 bytes are accepted, counted in UTF-8', () => {
  expect(passwordBytes('a'.repeat(7))).toBeUndefined();
  expect(passwordBytes('a'.repeat(8))).toHaveLength(8);
  expect(passwordBytes('éééé')).toHaveLength(8);
  expect(passwordBytes('a'.repeat(1_024))).toHaveLength(1_024);
  expect(passwordBytes('a'.repeat(1_025))).toBeUndefined();
  expect(passwordBytes('é'.repeat(513))).toBeUndefined();
});

test('a password is the same however its accents were composed', () => {
  expect(passwordBytes('cafe\u0301 cafe')).toEqual(passwordBytes('caf\u00e9 cafe'));
});

test('spaces and NUL are part of the password', () => {
  expect(passwordBytes('  pass\0word ')?.toString()).toBe('  pass\0word ');
});

test('lone surrogates are refused: they would all become one character', () => {
  expect(passwordBytes('password\ud800')).toBeUndefined();
});

test('a refusal says the limits and nothing of the password', () => {
  expect(() => requirePasswordBytes('hunter2')).toThrow(
    'password must be valid text of 8 to 1024 bytes in UTF-8',
  );
});
