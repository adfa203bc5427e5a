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

/** On a narrower terminal the room is needed for the reasons. */
const ROOM_FOR_EXECUTORS = 110;

/**
 * What did not go straight, as a table; columns that say nothing are left out.
 *
 * @param executors with the executors of the attempts, where there is room for them
 */
export function renderHistory(events: readonly JobEvent[], { executors }: { executors: boolean }): string {
  if (events.length === 0) return '';
  const room = (terminalWidth() ?? ROOM_FOR_EXECUTORS) >= ROOM_FOR_EXECUTORS;
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
    ...when(executors && room, {
      title: 'EXECUTOR',
      value: ({ executor }: JobEvent) => executor,
      flexible: true,
    }),
    { title: 'WHY', value: describeEvent, flexible: true },
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

/** What somebody decided has no cause but them. */
function describeEvent(event: JobEvent): string {
  const by = (event.detail as { by?: unknown } | null)?.by;
  return describeCause(event) || (typeof by === 'string' ? `by user ${by}` : '');
}

/** `Timeout: …`; a reason that the message begins with is not said twice. */
export function describeCause(cause: { reason: string | null; message: string | null }): string {
  const { reason, message } = cause;
  if (!reason || message?.startsWith(reason)) return message ?? reason ?? '';
  return message ? `${reason}: ${message}` : reason;
}
