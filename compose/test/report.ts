// Checks that run one after the other, told as they end; the last line counts them.

export interface Report {
  /** Runs a check. One that throws has failed, and is told with its error. @returns whether it passed */
  check(name: string, run: () => void | Promise<void>): Promise<boolean>;
  skip(name: string, reason: string): void;
  /** Prints the counts. @returns the exit code: 1 when a check failed */
  end(): number;
}

export function createReport(print: (line: string) => void = console.log): Report {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  return {
    async check(name, run) {
      const startedAt = performance.now();
      const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
      try {
        await run();
        counts.passed += 1;
        print(`ok      ${name} (${seconds()})`);
        return true;
      } catch (error) {
        counts.failed += 1;
        print(`FAILED  ${name} (${seconds()})`);
        print(String((error as Error).message).replace(/^/gm, '        | '));
        return false;
      }
    },
    skip(name, reason) {
      counts.skipped += 1;
      print(`SKIPPED ${name}: ${reason}`);
    },
    end() {
      print(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
      return counts.failed > 0 ? 1 : 0;
    },
  };
}
