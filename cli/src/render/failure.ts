import { EXIT, type Failure } from '../failure.ts';
import { cleanText, toJsonText } from './clean-text.ts';
import { paint } from './paint.ts';
import { readProblems, renderProblems } from './problems.ts';

/** One line on stderr, or with --json one object on stdout. Problems of a file or of items follow as a table. */
export function printFailure(failure: Failure, json: boolean): void {
  if (json) {
    const { message, code = null, reason, exitCode, details = null } = failure;
    process.stdout.write(`${toJsonText({ error: { message, code, reason, exitCode, details } })}\n`);
    return;
  }
  // Who presses Ctrl-C has made no error.
  const head = failure.exitCode === EXIT.interrupted ? '' : `${paint('red', 'Error:', process.stderr)} `;
  process.stderr.write(`${head}${cleanText(failure.message)}\n`);
  const problems = readProblems(failure.details);
  if (problems) process.stderr.write(`\n${renderProblems(problems)}\n`);
}

/** A remark for people: on stderr, so that stdout stays what it is. */
export function printWarning(text: string): void {
  process.stderr.write(`${paint('yellow', 'Warning:', process.stderr)} ${cleanText(text)}\n`);
}
