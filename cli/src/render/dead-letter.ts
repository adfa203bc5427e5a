import type { DeadLetter, DeadLetterReport } from '../api/dead-letters.ts';
import type { ItemError } from '../api/jobs.ts';
import { asTyped } from '../environment.ts';
import { cleanText, cleanValue } from './clean-text.ts';
import { describeCause, renderHistory } from './history.ts';
import { paint } from './paint.ts';
import { renderTable, terminalWidth } from './table.ts';
import { count, counted, localTime } from './units.ts';

export function renderDeadLetters(letters: readonly DeadLetter[], owners: boolean): string {
  return renderTable<DeadLetter>(
    [
      { title: 'ID', value: ({ id }) => id },
      { title: 'TYPE', value: ({ name }) => name, flexible: true },
      { title: 'DIED', value: ({ diedAt }) => localTime(diedAt) },
      { title: 'ATTEMPTS', value: ({ attempts }) => count(attempts), align: 'right' },
      { title: 'ITEMS', value: ({ failed }) => count(failed), align: 'right' },
      ...(owners
        ? [{ title: 'OWNER', value: ({ job }: DeadLetter) => job.owner, flexible: true as const }]
        : []),
      { title: 'REASON', value: ({ reason }) => reason, flexible: true },
      { title: 'MESSAGE', value: ({ message }) => message, flexible: true },
    ],
    letters,
    terminalWidth(),
  );
}

/** Why the task died, what its failed items were, and what happened to each attempt. */
export function renderDeadLetter(letter: DeadLetterReport): string {
  const { id, name, diedAt, failed, attempts } = letter;
  const round = letter.round > 1 ? `, round ${count(letter.round)}` : '';
  const facts = `${counted(failed, 'item')} failed for good, after ${counted(attempts, 'attempt')}${round}`;
  const head = `Dead letter ${id}  ${cleanText(name)}  ${paint('red', `died ${localTime(diedAt)}`)}`;
  return [
    `${head}\n${facts}`,
    cleanText(describeCause(letter)),
    renderItems(letter),
    renderHistory(letter.history, { executors: true }),
    `Run it again with: ${asTyped(`dead-letter redrive ${id}`)}`,
  ]
    .filter(Boolean)
    .join('\n\n');
}

interface FailedItem extends ItemError {
  readonly input: unknown;
}

function renderItems({ errors, input, failed }: DeadLetterReport): string {
  const inputs = new Map(readInput(input).map(({ index, value }) => [index, value]));
  const rows = errors.map((error): FailedItem => ({ ...error, input: inputs.get(error.index) }));
  if (rows.length === 0) return '';
  const table = renderTable<FailedItem>(
    [
      { title: 'ITEM', value: ({ index }) => index, align: 'right' },
      ...(input === null
        ? []
        : [{ title: 'INPUT', value: (item: FailedItem) => toJson(item.input), flexible: true as const }]),
      { title: 'REASON', value: ({ reason }) => reason },
      { title: 'MESSAGE', value: ({ message }) => message, flexible: true },
    ],
    rows,
    terminalWidth(),
  );
  const more = failed > rows.length ? `\n… and ${count(failed - rows.length)} more failed items` : '';
  const gone = input === null ? '\nThe input is no longer kept.' : '';
  return `${table}${more}${gone}`;
}

function toJson(value: unknown): string {
  return value === undefined ? '' : cleanValue(JSON.stringify(value));
}

/** `[{index, value}]`, as the server sends it. */
function readInput(input: unknown): { index: number; value: unknown }[] {
  if (!Array.isArray(input)) return [];
  return input.filter(
    (item): item is { index: number; value: unknown } =>
      typeof item === 'object' && item !== null && typeof (item as { index?: unknown }).index === 'number',
  );
}
