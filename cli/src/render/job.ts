import {
  type Item,
  type ItemError,
  isTerminal,
  type Job,
  type JobReport,
  type JobStatus,
  MOST_RUNNING,
} from '../api/jobs.ts';
import { asTyped } from '../environment.ts';
import { cleanText, cleanValue } from './clean-text.ts';
import { describeCause, renderHistory } from './history.ts';
import { renderFacts } from './job-facts.ts';
import { paint } from './paint.ts';
import { renderRunningTasks } from './running-tasks.ts';
import { renderTable, terminalWidth } from './table.ts';
import { count, counted, duration, groupDigits, localTime, seconds } from './units.ts';

const STATUS_STYLE: Record<JobStatus, 'green' | 'red' | 'yellow' | 'cyan'> = {
  COMPLETED: 'green',
  FAILED: 'red',
  CANCELLED: 'yellow',
  IN_PROGRESS: 'cyan',
  SCHEDULED: 'cyan',
  AWAITING_APPROVAL: 'yellow',
};

/** A job that has not begun has the time it may begin, and how long until then. @param now in milliseconds */
export function renderJobs(jobs: readonly Job[], now: number): string {
  return renderTable<Job>(
    [
      { title: 'ID', value: ({ id }) => id, align: 'right' },
      { title: 'TYPE', value: ({ name }) => name, flexible: true },
      { title: 'STATUS', value: ({ status }) => status, style: paintStatus },
      { title: 'ITEMS', value: ({ size }) => count(size), align: 'right' },
      { title: 'DONE', value: ({ completed }) => count(completed), align: 'right' },
      { title: 'FAILED', value: ({ failed }) => count(failed), align: 'right' },
      {
        title: 'STARTED',
        value: ({ status, runAt, startedAt }) => localTime(status === 'SCHEDULED' ? runAt : startedAt),
      },
      { title: 'TOOK', value: (job) => startsIn(job, now) || took(job), align: 'right' },
    ],
    jobs,
    terminalWidth(),
  );
}

interface ReportOptions {
  /** The item that was run, if it is known: it makes a better headline. */
  readonly input?: unknown;
  /** Ids of the job's dead letters. */
  readonly deadLetters?: readonly string[];
  /** The history was asked for: with the executors of the attempts. */
  readonly historyAsked?: boolean;
  /** It was asked for up to the event with this id. */
  readonly before?: number | undefined;
}

export function renderReport(job: JobReport, options: ReportOptions = {}): string {
  const { input, deadLetters = [] } = options;
  const head = `${headline(job)}\n`;
  const parts = [
    renderFacts(job, Date.now()),
    renderResult(job, input),
    renderCounters(job.counters),
    renderRunningTasks(job.running, MOST_RUNNING),
    renderItems(job.items),
    renderErrors(job),
    renderHistoryOf(job, options),
    renderRetryHint(job, deadLetters),
  ].filter(Boolean);
  return `${head}${parts.map((part) => `\n${part}\n`).join('')}`.trimEnd();
}

function headline(job: Job): string {
  const status = paintStatus(cleanText(job.status));
  const started = job.status === 'SCHEDULED' ? '' : `, started ${localTime(job.startedAt)}`;
  const ended = isTerminal(job.status) ? ` in ${took(job)}` : started;
  const failed = job.failed > 0 ? `, ${count(job.failed)} failed` : '';
  return `Job ${job.id}  ${cleanText(job.name)}  ${status}${ended}  (${count(job.completed)} of ${counted(job.size, 'item')} done${failed})`;
}

function renderItems(items: readonly Item[] = []): string {
  if (items.length === 0) return '';
  return renderTable<Item>(
    [
      { title: 'INDEX', value: ({ index }) => index, align: 'right' },
      { title: 'STATUS', value: ({ status }) => status, style: paintStatus },
      {
        title: 'RESULT',
        value: ({ result, error }) => (error ? describeCause(error) : result),
        flexible: true,
      },
    ],
    items,
    terminalWidth(),
  );
}

/** Not those that stand among the items already. */
function renderErrors({ errors, failed, items = [] }: JobReport): string {
  const shown = new Set(items.map(({ index }) => index));
  if (errors.every(({ index }) => shown.has(index))) return '';
  const table = renderTable<ItemError>(
    [
      { title: 'INDEX', value: ({ index }) => index, align: 'right' },
      { title: 'REASON', value: ({ reason }) => reason },
      { title: 'MESSAGE', value: ({ message }) => message, flexible: true },
    ],
    errors,
    terminalWidth(),
  );
  const more = failed > errors.length ? `\n… and ${count(failed - errors.length)} more failed items` : '';
  return `${table}${more}`;
}

function renderHistoryOf(
  { id, history, historySize }: JobReport,
  { historyAsked = false, before }: ReportOptions,
): string {
  const table = renderHistory(history, { executors: historyAsked });
  const earlier = historySize - history.length;
  if (earlier <= 0 || history.length === 0) return table;
  const next = historyAsked ? `--events ${history.length} --before ${history[0]?.id}` : '--history';
  // How many are later than those that were asked for is not known here.
  const howMany =
    before === undefined ? `and ${count(earlier)} earlier events` : 'and perhaps earlier events';
  return `${table}\n… ${howMany}; see them with: ${asTyped(`job show ${id} ${next}`)}`;
}

function renderRetryHint({ id, status }: JobReport, letters: readonly string[]): string {
  const lines = [];
  const tasks =
    letters.length === 1 ? '1 task is a dead letter' : `${count(letters.length)} tasks are dead letters`;
  if (letters.length > 0) lines.push(`${tasks}: ${asTyped(`dead-letter list --job ${id}`)}`);
  if (status === 'FAILED') lines.push(`Run the failed items again with: ${asTyped(`job retry ${id}`)}`);
  return lines.join('\n');
}

function renderResult(job: JobReport, input: unknown): string {
  const { result } = job;
  if (result === null || result === undefined) return '';
  if (typeof result !== 'object' || 'rawJSON' in result) return renderScalar(job, 'result', result);
  const { number, digits, ms } = result as Record<string, unknown>;
  if (job.slug === 'fibonacci' && number !== undefined) {
    const iterations = (input as { iterations?: unknown } | undefined)?.iterations;
    const name = iterations === undefined ? 'Fibonacci number' : `F(${cleanValue(iterations)})`;
    const facts = `${groupDigits(cleanValue(digits))} digits, ${cleanValue(ms)} ms`;
    return `${renderScalar(job, name, number)}\n${paint('dim', facts)}`;
  }
  return Object.entries(result)
    .map(([key, value]) => renderScalar(job, cleanText(key), value))
    .join('\n');
}

const LONGEST = 400;

function renderScalar(job: Job, name: string, value: unknown): string {
  const text = cleanValue(value);
  if (text.length > LONGEST) {
    const hidden = count(text.length - 100);
    return `${name} = ${text.slice(0, 70)} … ${text.slice(-30)}\n${paint('dim', `(${hidden} characters left out; whole: ${asTyped(`job show ${job.id} --json`)})`)}`;
  }
  // An id is copied, not read.
  const grouped = /^\d{4,}$/.test(text) && !/id$/i.test(name);
  return `${name} = ${paint('bold', grouped ? groupDigits(text) : text)}`;
}

function renderCounters(counters: unknown): string {
  if (typeof counters !== 'object' || counters === null) return '';
  return Object.entries(counters)
    .map(([name, value]) => `${cleanText(name)} ${cleanValue(value)}`)
    .join(', ');
}

export function paintStatus(status: string): string {
  const style = STATUS_STYLE[status as JobStatus];
  if (style) return paint(style, status);
  return status === 'SUCCEEDED' ? paint('green', status) : status;
}

function startsIn({ status, runAt }: Job, now: number): string {
  const ahead = Date.parse(runAt ?? '') - now;
  return status === 'SCHEDULED' && ahead > 0 ? `in ${duration(ahead)}` : '';
}

function took({ startedAt, endedAt }: Pick<Job, 'startedAt' | 'endedAt'>): string {
  if (endedAt === null) return '';
  return seconds(Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)));
}
