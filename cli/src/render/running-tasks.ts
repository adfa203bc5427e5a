import type { RunningTask, TaskProgress } from '../api/running-tasks.ts';
import { cleanText } from './clean-text.ts';
import { type Column, renderTable, terminalWidth } from './table.ts';
import { count } from './units.ts';

/** More are counted, not shown. */
const SHOWN = 20;
/** Of a note in a line that changes. */
const SHORT_NOTE = 60;

/**
 * The tasks that run, as a table; columns that say nothing are left out.
 *
 * @param asked how many of them were asked for: perhaps there are more than so many
 */
export function renderRunningTasks(tasks: readonly RunningTask[], asked: number): string {
  if (tasks.length === 0) return '';
  const told = tasks.some(({ progress }) => progress !== null);
  const columns: Column<RunningTask>[] = [
    { title: 'TASK', value: ({ task }) => task, align: 'right' },
    { title: 'ATTEMPT', value: ({ attempt }) => attempt, align: 'right' },
    { title: 'ITEMS', value: ({ items }) => count(items), align: 'right' },
    { title: 'EXECUTOR', value: ({ executor }) => executor, flexible: true },
    ...(told
      ? [
          { title: 'PROGRESS', value: ({ progress }: RunningTask) => progress && describeDone(progress) },
          { title: 'NOTE', value: ({ progress }: RunningTask) => progress?.note, flexible: true as const },
        ]
      : []),
  ];
  const table = renderTable(columns, tasks.slice(0, SHOWN), terminalWidth());
  const rest = tasks.length - SHOWN;
  const more = tasks.length === asked ? 'at least ' : '';
  return rest > 0 ? `${table}\n… and ${more}${count(rest)} more tasks run` : table;
}

/** The newest word of the handlers, short: `45 %  page 3`, of a job with several tasks `task 7: 45 %  page 3`. */
export function describeNewest(tasks: readonly RunningTask[], ofSeveral: boolean): string {
  const [newest] = tasks
    .filter(({ progress }) => progress !== null)
    .toSorted((a, b) => Date.parse(b.progress?.at ?? '') - Date.parse(a.progress?.at ?? ''));
  if (!newest?.progress) return '';
  const note = cleanText(newest.progress.note ?? '');
  const short = note.length > SHORT_NOTE ? `${note.slice(0, SHORT_NOTE - 1)}…` : note;
  const text = [describeDone(newest.progress), short].filter(Boolean).join('  ');
  return ofSeveral ? `task ${newest.task}: ${text}` : text;
}

/** `25 % (3 of 12)`; `25 %` of a total of 1 or 100; `3` without a total. */
function describeDone({ done, total }: TaskProgress): string {
  if (total === null) return count(done);
  const percent = `${Math.floor((100 * done) / total)} %`;
  return total === 1 || total === 100 ? percent : `${percent} (${count(done)} of ${count(total)})`;
}
