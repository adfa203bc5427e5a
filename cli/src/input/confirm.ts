import { interrupted, usageFailure } from '../failure.ts';

/** Whether there is somebody to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/**
 * Asks on the terminal, with No as the answer of Enter.
 *
 * @param text what would be done, a sentence without its end
 * @throws a Failure when there is no terminal: then --yes is needed; after Ctrl-C, and after No
 */
export async function confirm(text: string): Promise<void> {
  if (!canAsk()) {
    throw usageFailure(`${text}, and there is no terminal to ask: say --yes`, 'NOT_CONFIRMED');
  }
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const gone = new AbortController();
  terminal.once('SIGINT', () => gone.abort()).once('close', () => gone.abort());
  try {
    const answer = await terminal.question(`${text}. Go on? [y/N] `, { signal: gone.signal });
    if (/^\s*y(es)?\s*$/i.test(answer)) return;
  } catch (error) {
    if (!gone.signal.aborted) throw error;
    process.stderr.write('\n');
    throw interrupted('Interrupted: nothing was done');
  } finally {
    terminal.close();
  }
  throw interrupted('Nothing was done');
}
