import { createInterface } from 'node:readline/promises';
import { interrupted, usageFailure } from '../failure.ts';

/** The --email flag; without it a question on the terminal. */
export async function readEmail(flag: string | undefined): Promise<string> {
  const email = (flag ?? (await ask())).trim();
  if (/^[^\s@]+@[^\s@]+$/.test(email)) return email;
  throw usageFailure(
    email === '' ? 'The email address is empty: give it with --email' : `"${email}" is not an email address`,
    'INVALID_EMAIL',
  );
}

async function ask(): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw usageFailure('--email is missing', 'MISSING_FLAG');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const stop = new AbortController();
  terminal.on('SIGINT', () => stop.abort());
  try {
    return await terminal.question('Email: ', { signal: stop.signal });
  } catch {
    throw interrupted('Interrupted');
  } finally {
    terminal.close();
  }
}
