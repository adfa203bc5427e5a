import { expect, test } from 'vitest';
import { asTyped } from './environment.ts';

test('a hint says npx to whoever came by npx, for whom there is no jobber in the PATH', () => {
  expect(asTyped('login', { npm_command: 'exec' })).toBe('npx jobber login');
  expect(asTyped('login', { npm_command: 'run' })).toBe('jobber login');
  expect(asTyped('login', {})).toBe('jobber login');
});
