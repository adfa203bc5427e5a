/**
 * Files that only tests load: the tests, the programs that they start (*.fixture.ts) and what they share
 * (test-*.ts, test/, testing/), and how they are run (vitest.config.ts).
 * They may use the tools of the repository, and are no part of a release.
 */
export function isTestFile(path: string): boolean {
  return /(\.test|\.fixture)\.ts$|(^|\/)(test-[^/]*|vitest\.config)\.ts$|(^|\/)test(ing)?\//.test(path);
}
