import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** One figure: what was measured, its value and unit, the goal if there is one, and how it was measured. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: string;
  readonly met?: boolean;
  readonly note?: string;
}

export function printFigures(title: string, figures: readonly Figure[]): void {
  console.log(`\n${title}`);
  for (const { name, value, unit, goal, met, note } of figures) {
    const verdict = goal === undefined ? '' : `  goal ${goal}: ${met ? 'met' : 'not met'}`;
    console.log(
      `  ${name.padEnd(58)} ${format(value).padStart(10)} ${unit.padEnd(7)}${verdict}${note ? `  (${note})` : ''}`,
    );
  }
}

export async function writeJson(path: string, results: Record<string, readonly Figure[]>): Promise<void> {
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
  };
  await writeFile(path, `${JSON.stringify({ at: new Date().toISOString(), machine, results }, null, 2)}\n`);
}

function format(value: number): string {
  return value >= 1_000 ? Math.round(value).toLocaleString('en') : String(value);
}
