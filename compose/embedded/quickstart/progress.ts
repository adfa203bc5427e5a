import type { Output } from '../platform/screen.ts';

/** Steps as they are done: one line that changes on a terminal, otherwise a line when there is something new to say. */
export interface Progress {
  update(text: string): void;
  /** Ends the step with what came of it. */
  done(text: string): void;
  /** Ends the step without a word. */
  clear(): void;
  print(...lines: string[]): void;
}

export function createProgress(out: Output): Progress {
  const live = out.isTTY === true;
  let startedAt = performance.now();

  function clear(): void {
    if (live) out.write('\r\x1b[K');
  }

  return {
    update(text) {
      out.write(live ? `\r\x1b[K  … ${text}` : `  … ${text}\n`);
    },
    done(text) {
      const now = performance.now();
      clear();
      out.write(`  ✓ ${text} (${formatDuration(now - startedAt)})\n`);
      startedAt = now;
    },
    clear,
    print: (...lines) => void out.write(`${lines.join('\n')}\n`),
  };
}

export function formatDuration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** `[██████░░░░] 60 %` */
export function bar(done: number, all: number): string {
  const share = all === 0 ? 1 : done / all;
  const full = Math.round(share * 20);
  return `[${'█'.repeat(full)}${'░'.repeat(20 - full)}] ${Math.floor(share * 100)} %`;
}
