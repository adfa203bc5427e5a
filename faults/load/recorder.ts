import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { startStallClock } from './stall-clock.ts';

/**
 * Writes the histories that the checker reads: one line an event, at once, so that they are whole whatever happens.
 * What the lines say is described in faults/checker/history.ts; this side does not import it, so that neither can
 * mend the other's mistakes.
 */
export interface Recorder {
  readonly callsFile: string;
  readonly pollsFile: string;
  call(event: object): void;
  poll(read: object): void;
  /** Asks, and writes down the answer to the call, and for how long this process stood still meanwhile. */
  answer<T extends { readonly kind: string }>(call: string, ask: () => Promise<T>): Promise<T>;
}

export function createRecorder(folder: string): Recorder {
  const callsFile = join(folder, 'calls.ndjson');
  const pollsFile = join(folder, 'polls.ndjson');
  const stalls = startStallClock();
  for (const file of [callsFile, pollsFile]) appendFileSync(file, '');
  const call = (event: object) =>
    appendFileSync(callsFile, `${JSON.stringify({ ...event, at: Date.now() })}\n`);
  return {
    callsFile,
    pollsFile,
    call,
    async answer(id, ask) {
      const before = stalls.stalledMs();
      const answered = await ask();
      const stalledMs = Math.round(stalls.stalledMs() - before);
      const { kind, ...rest } = answered;
      call({ event: kind, call: id, ...rest, ...(stalledMs > 0 && { stalledMs }) });
      return answered;
    },
    poll: (read) => appendFileSync(pollsFile, `${JSON.stringify({ ...read, at: Date.now() })}\n`),
  };
}
