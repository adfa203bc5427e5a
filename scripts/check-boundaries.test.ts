import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { boundaryViolations } from './check-boundaries.ts';

let repository = '';

beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), 'jobber-boundaries-'));
  write(
    'package.json',
    JSON.stringify({ workspaces: ['cli', 'daemons/*'], devDependencies: { vitest: '1' } }),
  );
  workspace('cli', { '@jobber/compose': '1', '@jobber/proto': '1', ora: '1' });
  workspace('daemons/auth', { '@jobber/db': '1', '@jobber/proto': '1', '@jobber/shared': '1', hono: '1' });
  workspace('daemons/executor', { '@jobber/job-types': '1', '@jobber/shared': '1' });
  workspace('daemons/shared', { '@jobber/proto': '1', graphql: '1' });
});

afterEach(() => {
  rmSync(repository, { recursive: true });
});

function write(path: string, content: string): void {
  const file = join(repository, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

function workspace(folder: string, dependencies: Record<string, string>): void {
  const name = `@jobber/${folder.split('/').at(-1)}`;
  write(`${folder}/package.json`, JSON.stringify({ name, dependencies }));
}

test('imports that follow the rule are no violations', () => {
  write(
    'daemons/auth/main.ts',
    [
      "import { readFile } from 'node:fs/promises';",
      "import { Hono } from 'hono';",
      "import { User } from '@jobber/db/auth';",
      "import { connect } from '@jobber/db/connection';",
      "import { log } from '@jobber/shared/log';",
      "import './use-cases/log-in.ts';",
      "// import '@jobber/jobs/main';",
      'export const text = "import x from \'@jobber/jobs\'";',
    ].join('\n'),
  );
  write(
    'daemons/auth/main.test.ts',
    "import { test } from 'vitest';\nimport '@jobber/compose/test-database';\n",
  );
  write('daemons/auth/test-accounts.ts', "import { inject } from 'vitest';\n");
  write('daemons/auth/testing/open-database.ts', "import '@jobber/compose/test-database';\n");
  write('daemons/shared/grpc/client.ts', "import { x } from '@jobber/shared/errors';");
  write('cli/src/up.ts', "export const up = async () => await import('@jobber/compose/up');");
  expect(boundaryViolations(repository)).toEqual([]);
});

test.each([
  [
    'a daemon imports another',
    'daemons/auth/a.ts',
    "import '@jobber/jobs/main';",
    /must not import @jobber\/jobs/,
  ],
  [
    "a daemon reads another's database",
    'daemons/auth/a.ts',
    "import { J } from '@jobber/db/jobs';",
    /db\/jobs/,
  ],
  [
    'a daemon imports job types',
    'daemons/auth/a.ts',
    "import type { T } from '@jobber/job-types';",
    /job-types/,
  ],
  [
    'the executor has no database',
    'daemons/executor/a.ts',
    "import { J } from '@jobber/db/jobs';",
    /db\/jobs/,
  ],
  ['shared imports a database', 'daemons/shared/a/index.ts', "export * from '@jobber/db/auth';", /db\/auth/],
  [
    'shared imports a daemon',
    'daemons/shared/a/index.ts',
    "import '@jobber/auth/main';",
    /@jobber\/auth\/main/,
  ],
  [
    'the CLI imports a daemon',
    'cli/src/a.ts',
    "const a = await import('@jobber/auth/main');",
    /@jobber\/auth/,
  ],
  [
    'the CLI imports compose eagerly',
    'cli/src/a.ts',
    "import { up } from '@jobber/compose/up';",
    /only lazily/,
  ],
  [
    'a path leaves its workspace',
    'daemons/auth/a.ts',
    "import { x } from '../shared/log/index.ts';",
    /package/,
  ],
  ['a package is not declared', 'daemons/auth/a.ts', "import { z } from 'zod';", /zod is not among/],
  ['a tool is imported outside tests', 'daemons/auth/a.ts', "import { vi } from 'vitest';", /vitest is not/],
])('%s: caught', (_, file, line, expected) => {
  write(file, `export const first = 1;\n${line}\n`);
  expect(boundaryViolations(repository)).toEqual([expect.stringMatching(expected)]);
  expect(boundaryViolations(repository)[0]).toContain(`${file}:2: `);
});

test.each([
  "import { Hono } from 'hono';",
  "import type { Context } from 'hono';",
  "import { serve } from '@hono/node-server';",
  "import {\n  type GraphQLSchema,\n  parse,\n} from 'graphql';",
  "import * as grpc from '@grpc/grpc-js';",
  "import { createChannel } from 'nice-grpc';",
  "import Pulsar from 'pulsar-client';",
  "import { serveGrpc } from '@jobber/shared/grpc';",
  "import type { Context } from '../graphql/context.ts';",
  "import { readForm } from '../edges/multipart-form.ts';",
])('a use case that knows a transport is caught: %s', (line) => {
  write('daemons/auth/use-cases/log-in.ts', line);
  expect(boundaryViolations(repository)).toEqual([
    expect.stringContaining('a use case must not import a transport'),
  ]);
});

test('a forbidden dependency in package.json is caught before anything imports it', () => {
  workspace('daemons/auth', { '@jobber/jobs': '1' });
  expect(boundaryViolations(repository)).toEqual([
    'daemons/auth/package.json: depends on @jobber/jobs, which daemons/auth must not import',
  ]);
});

test('a workspace without a rule is a violation', () => {
  workspace('daemons/mail', {});
  expect(boundaryViolations(repository)).toEqual([expect.stringMatching(/^daemons\/mail: no rule/)]);
});

test('what judges the product knows nothing of it', () => {
  write('package.json', JSON.stringify({ workspaces: ['faults'], devDependencies: { vitest: '1' } }));
  workspace('faults', { '@jobber/proto': '1', pg: '1' });
  write('faults/checker/read.ts', "import { Client } from 'pg';\nimport { a } from './own.ts';\n");
  write('faults/checker/read.test.ts', "import { test } from 'vitest';\n");
  write('faults/load.ts', "import '@jobber/proto/jobs/v1/jobs';\n");
  expect(boundaryViolations(repository)).toEqual([]);
  write('faults/checker/judge.ts', "import '../load.ts';\nimport '@jobber/proto/jobs/v1/jobs';\n");
  expect(boundaryViolations(repository)).toEqual([
    'faults/checker/judge.ts:1: faults/checker must know nothing of the product: ../load.ts',
    'faults/checker/judge.ts:2: faults/checker must know nothing of the product: @jobber/proto/jobs/v1/jobs',
  ]);
});
