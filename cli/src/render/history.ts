import type { JobEvent } from '../api/job-history.ts';
import { paint } from './paint.ts';
import { type Column, renderTable, terminalWidth } from './table.ts';
import { localTime } from './units.ts';

const STYLE: Record<string, 'red' | 'yellow' | 'cyan'> = {
  DIED: 'red',
  RETRIED: 'yellow',
  RESCUED: 'yellow',
  CANCELLED: 'yellow',
  REDRIVEN: 'cyan',
};

/** What did not go straight, as a table; columns that say nothing are left out. */
export function renderHistory(events: readonly JobEvent[], { executors }: { executors: boolean }): string {
  if (events.length === 0) return '';
  const columns: Column<JobEvent>[] = [
    { title: 'AT', value: ({ at }) => localTime(at) },
    { title: 'EVENT', value: ({ event }) => event, style: paintEvent },
    ...when(
      events.some(({ round }) => round > 1),
      {
        title: 'ROUND',
        value: ({ round }: JobEvent) => round,
        align: 'right' as const,
      },
    ),
    { title: 'TASK', value: ({ task }) => task, align: 'right' },
    { title: 'ATTEMPT', value: ({ attempt }) => attempt, align: 'right' },
    ...when(executors, { title: 'EXECUTOR', value: ({ executor }: JobEvent) => executor, flexible: true }),
    { title: 'WHY', value: why, flexible: true },
  ];
  return renderTable(columns, events, terminalWidth());
}

function when(condition: boolean, column: Column<JobEvent>): Column<JobEvent>[] {
  return condition ? [column] : [];
}

function paintEvent(event: string): string {
  const style = STYLE[event.trim()];
  return style ? paint(style, event) : event;
}

/** `Timeout: …`; a reason that the message begins with is not said twice. */
function why({ reason, message }: JobEvent): string {
  if (!reason || message?.startsWith(reason)) return message ?? reason ?? '';
  return message ? `${reason}: ${message}` : reason;
}
