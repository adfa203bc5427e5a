import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { staleGeneratedFiles } from './check-generated.ts';

function copyOfProto(): string {
  const folder = mkdtempSync(join(tmpdir(), 'jobber-proto-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const outside = /\/(node_modules|dist|\.turbo)$/;
  cpSync(fileURLToPath(new URL('../proto', import.meta.url)), folder, {
    recursive: true,
    filter: (path) => !outside.test(path),
  });
  return folder;
}

test('the checked-in code is what the .proto files give', () => {
  expect(staleGeneratedFiles(copyOfProto())).toEqual([]);
});

test('a generated file that was edited, deleted or left over is named', () => {
  const proto = copyOfProto();
  appendFileSync(join(proto, 'gen/jobber/auth/v1/auth.ts'), '// by hand\n');
  rmSync(join(proto, 'gen/jobber/jobs/v1/jobs.ts'));
  cpSync(join(proto, 'gen/jobber/auth'), join(proto, 'gen/jobber/old'), { recursive: true });
  expect(staleGeneratedFiles(proto)).toEqual([
    'jobber/auth/v1/auth.ts',
    'jobber/jobs/v1/jobs.ts',
    'jobber/old/v1/auth.ts',
  ]);
});

test('a changed .proto file makes its generated code stale', () => {
  const proto = copyOfProto();
  appendFileSync(join(proto, 'jobber/auth/v1/auth.proto'), 'message Later {\n  string name = 1;\n}\n');
  expect(staleGeneratedFiles(proto)).toEqual(['jobber/auth/v1/auth.ts']);
});
