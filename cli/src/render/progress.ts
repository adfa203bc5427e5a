import type { Ora } from 'ora';

/** A line on stderr that changes; nothing at all when stderr is no terminal. */
export interface Progress {
  update(text: string): void;
  /** Takes the line away. May be called twice. */
  stop(): void;
}

const SILENT: Progress = { update: () => {}, stop: () => {} };

export async function startProgress(text: string, quiet: boolean): Promise<Progress> {
  // A terminal without a size, as some containers have: ora would divide by its width.
  if (quiet || !process.stderr.isTTY || !process.stderr.columns) return SILENT;
  const { default: ora } = await import('ora');
  // Input stays the terminal's: Ctrl-C is ours to handle.
  const spinner: Ora = ora({ text, stream: process.stderr, discardStdin: false, isEnabled: true }).start();
  return {
    update: (next) => {
      spinner.text = next;
    },
    stop: () => {
      spinner.stop();
    },
  };
}

/** `██████░░░░  60 %` */
export function bar(done: number, total: number, width = 20): string {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const full = Math.floor(share * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${String(Math.floor(share * 100)).padStart(3)} %`;
}
