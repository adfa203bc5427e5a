import { usageFailure } from '../failure.ts';

const MIN_BYTES = 8;
const MAX_BYTES = 1024;

/**
 * The first line of stdin, or a prompt that shows nothing. Never an argument or a variable: others can read those.
 *
 * @param confirm ask twice, because a mistyped new password locks its owner out
 */
export async function readPassword(options: { stdin: boolean; confirm: boolean }): Promise<string> {
  const password = options.stdin ? await readFirstLine() : await prompt(options.confirm);
  if (password === '') throw usageFailure('The password is empty', 'NO_PASSWORD');
  return password;
}

async function prompt(confirm: boolean): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw usageFailure(
      'There is no terminal to ask for the password: pipe it in with --password-stdin',
      'NO_TERMINAL',
    );
  }
  const { default: ask } = await import('@inquirer/password');
  const context = { output: process.stderr, clearPromptOnDone: false };
  // Before it is typed a second time. An old password is not judged here.
  const validate = (text: string) =>
    !confirm || Buffer.byteLength(text) >= MIN_BYTES || `At least ${MIN_BYTES} characters`;
  const password = await ask({ message: 'Password:', validate }, context);
  if (confirm && (await ask({ message: 'Again:' }, context)) !== password) {
    throw usageFailure('The two passwords differ: nothing was done', 'PASSWORDS_DIFFER');
  }
  return password;
}

async function readFirstLine(): Promise<string> {
  if (process.stdin.isTTY) {
    throw usageFailure(
      '--password-stdin reads a pipe, and stdin is a terminal: leave the flag out to be asked',
      'NO_PASSWORD',
    );
  }
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const chunk of process.stdin as AsyncIterable<string>) {
    text += chunk;
    if (text.includes('\n') || text.length > 2 * MAX_BYTES) break;
  }
  const line = text.split(/\r?\n/, 1)[0] ?? '';
  if (Buffer.byteLength(line) > MAX_BYTES) {
    throw usageFailure(`The password on stdin is longer than ${MAX_BYTES} bytes`, 'PASSWORD_TOO_LONG');
  }
  return line;
}
