import { renderTable, terminalWidth } from './table.ts';

/** What is wrong with an item or a record. */
export interface Problem {
  readonly index: number;
  readonly line?: number;
  readonly field?: string;
  readonly expected?: unknown;
  readonly got?: unknown;
  readonly message?: string;
}

export interface Problems {
  readonly problems: Problem[];
  /** How many there are; `problems` may be the first of them. */
  readonly total: number;
}

const SHOWN = 20;

/** The problems that a refusal names in its details, if it names any. */
export function readProblems(details: unknown): Problems | undefined {
  if (typeof details !== 'object' || details === null) return undefined;
  const { problems, total } = details as { problems?: unknown; total?: unknown };
  if (!Array.isArray(problems) || problems.length === 0) return undefined;
  const known = problems.filter(
    (problem): problem is Problem => typeof problem === 'object' && problem !== null,
  );
  return { problems: known, total: typeof total === 'number' ? total : problems.length };
}

export function renderProblems({ problems, total }: Problems): string {
  const shown = problems.slice(0, SHOWN);
  const plain = shown.filter(({ expected, got }) => expected === undefined && got === undefined);
  const table = renderTable<Problem>(
    [
      { title: 'index', value: ({ index }) => index, align: 'right' },
      ...(shown.some(({ line }) => line !== undefined)
        ? [{ title: 'line', value: ({ line }: Problem) => line, align: 'right' as const }]
        : []),
      { title: 'field', value: ({ field }) => field },
      ...(plain.length === shown.length
        ? []
        : [
            { title: 'expected', value: ({ expected }: Problem) => expected, flexible: true as const },
            { title: 'got', value: ({ got }: Problem) => got, flexible: true as const },
          ]),
      ...(plain.length > 0
        ? [{ title: 'problem', value: ({ message }: Problem) => message, flexible: true as const }]
        : []),
    ],
    shown,
    terminalWidth(),
  );
  return total > shown.length ? `${table}\n… and ${total - shown.length} more` : table;
}
