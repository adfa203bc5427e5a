import { usageFailure } from '../failure.ts';
import { cleanText } from '../render/clean-text.ts';

const MOST_IDS = 1_000;

/** `12/3`: the job's id and the number of the task in it. @param name what the message names */
export function parseDeadLetterId(text: string, name = 'The id of a dead letter'): string {
  const [, job, task] = /^([1-9]\d{0,15})\/(0|[1-9]\d{0,9})$/.exec(text) ?? [];
  if (Number.isSafeInteger(Number(job)) && Number(task) < 2 ** 31) return text;
  const shown = cleanText(text).slice(0, 60);
  const advice = /^[1-9]\d*$/.test(text) ? `; all those of job ${shown} are --job ${shown}` : '';
  throw usageFailure(
    `${name} must be <job>/<task>, for example 12/3: "${shown}" is not${advice}`,
    'INVALID_ID',
  );
}

/** Several ids, each once; no more than one request may name. */
export function parseDeadLetterIds(texts: readonly string[]): string[] {
  const ids = [...new Set(texts.map((text) => parseDeadLetterId(text)))];
  if (ids.length <= MOST_IDS) return ids;
  throw usageFailure(
    `At most 1,000 dead letters can be named at once: these are ${ids.length}; choose with --job, --type or --error`,
  );
}
