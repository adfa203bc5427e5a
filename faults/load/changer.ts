import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeAnswer, Client } from './client.ts';
import type { Recorder } from './recorder.ts';

/** Asks for changes of jobs that exist, and writes down what was asked and answered. */
export interface Changer {
  /** Once. @returns whether it is cancelled now */
  cancel(jobId: number): Promise<boolean>;
  /** Again and again until there is an answer. @returns whether a new round was told of */
  retry(jobId: number): Promise<boolean>;
  /** The same with the dead letters of several jobs. */
  redrive(jobIds: readonly number[]): Promise<boolean>;
}

const RETRY_MS = 200;
/** Half a minute and more of an outage. */
const TRIES = 200;

/** @param onNewRound hears of each job that may have begun a new round: it has not ended any more */
export function createChanger(
  client: Client,
  recorder: Recorder,
  onNewRound: (jobId: number) => void,
): Changer {
  const prefix = client.userId.slice(0, 8);
  let number = 0;

  async function ask(what: string, jobIds: readonly number[], send: () => Promise<ChangeAnswer>) {
    number += 1;
    const call = `${prefix}-change-${number}`;
    recorder.call({ event: 'asked', call, what, jobIds });
    return await recorder.answer(call, send);
  }

  async function begin(what: string, jobIds: readonly number[], send: () => Promise<ChangeAnswer>) {
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      const answer = await ask(what, jobIds, send);
      const isOpen = answer.kind === 'unknown' || (answer.kind === 'refused' && answer.code === 503);
      if (isOpen || answer.kind === 'done') for (const jobId of jobIds) onNewRound(jobId);
      if (!isOpen) return answer.kind === 'done';
      await delay(RETRY_MS);
    }
    return false;
  }

  return {
    cancel: async (jobId) => (await ask('cancelJob', [jobId], () => client.cancelJob(jobId))).kind === 'done',
    retry: (jobId) => begin('retryJob', [jobId], () => client.retryJob(jobId)),
    redrive: (jobIds) => begin('redriveDeadLetters', jobIds, () => client.redriveDeadLetters(jobIds)),
  };
}
