import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

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
}

export function createRecorder(folder: string): Recorder {
  const callsFile = join(folder, 'calls.ndjson');
  const pollsFile = join(folder, 'polls.ndjson');
  for (const file of [callsFile, pollsFile]) appendFileSync(file, '');
  return {
    callsFile,
    pollsFile,
    call: (event) => appendFileSync(callsFile, `${JSON.stringify({ ...event, at: Date.now() })}\n`),
    poll: (read) => appendFileSync(pollsFile, `${JSON.stringify({ ...read, at: Date.now() })}\n`),
  };
}
