import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { HELM } from './test-helm.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A copy of the folder `charts`, with the subcharts where Helm wants them. */
    charts: string;
  }
}

/** Does in a copy what a user does first: `helm dependency update`. */
export default function prepareCharts(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'jobber-charts-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const source = fileURLToPath(new URL('..', import.meta.url));
    cpSync(source, folder, { recursive: true, filter: (path) => !path.endsWith('/jobber/charts') });
    execFileSync(HELM, ['dependency', 'update', join(folder, 'jobber')], { stdio: 'pipe' });
  } catch (error) {
    remove();
    throw new Error(`helm dependency update failed with ${HELM}; charts/test/fetch-tools.sh gets Helm`, {
      cause: error,
    });
  }
  project.provide('charts', folder);
  return remove;
}
