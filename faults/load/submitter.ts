import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from './client.ts';
import type { Recorder } from './recorder.ts';

/** What is to be run, however many calls it takes. */
export interface Work {
  /** Name and slug of the job type. */
  readonly name: string;
  readonly slug: string;
  readonly items: readonly object[];
  /** Default `success`. */
  readonly expects?: 'success' | 'failure' | 'any';
  /** The items come as a file, not inline. */
  readonly asFile?: boolean;
}

export interface Submitter {
  /**
   * Submits under a key of its own, again and again until it is accepted or refused for good.
   * @returns the job's id; undefined when it was refused, or given up
   */
  submit(work: Work, options?: { tries?: number }): Promise<number | undefined>;
  /** Ids of the jobs that were accepted. */
  readonly accepted: ReadonlySet<number>;
}

const RETRY_MS = 200;
/** Half a minute and more of an outage. */
const TRIES = 200;

export function createSubmitter(client: Client, recorder: Recorder): Submitter {
  const accepted = new Set<number>();
  let number = 0;
  const prefix = client.userId.slice(0, 8);

  async function dataOf({ items, asFile }: Work): Promise<unknown> {
    if (!asFile) return items.length === 1 ? items[0] : items;
    const fileName = await client.upload('records.json', JSON.stringify(items));
    return { fileName };
  }

  return {
    accepted,
    async submit(work, { tries = TRIES } = {}) {
      number += 1;
      const idempotencyKey = `${prefix}-${number}`;
      const data = await dataOf(work);
      let first: string | undefined;
      for (let attempt = 1; attempt <= tries; attempt += 1) {
        const call = `${idempotencyKey}#${attempt}`;
        recorder.call({
          event: 'started',
          call,
          owner: client.userId,
          key: idempotencyKey,
          type: work.slug,
          expects: work.expects ?? 'success',
          ...(first === undefined ? { items: work.items } : { itemsOf: first }),
        });
        first ??= call;
        const answer = await recorder.answer(call, () =>
          client.executeJob({ name: work.name, data, idempotencyKey }),
        );
        if ('jobId' in answer) {
          accepted.add(answer.jobId);
          return answer.jobId;
        }
        if ('code' in answer && answer.code !== 503) return undefined;
        await delay(RETRY_MS);
      }
      return undefined;
    },
  };
}
