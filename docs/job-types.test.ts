import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { runTask } from '../daemons/executor/handlers/run-task.ts';
import { loadJobTypes } from '../daemons/executor/job-types/load-job-types.ts';
import { readTable } from '../scripts/markdown-blocks.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const page = read('docs/job-types.md');
const [, example = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? [];

test('the example is a job type that the executor takes, and does what it says', async () => {
  const types = await loadJobTypes([`data:text/javascript,${encodeURIComponent(example)}`]);
  const type = types.find(({ slug }) => slug === 'resize-images');
  if (!type) throw new Error('The page has no example');
  const lines: string[] = [];
  const items = [1, 2].map((index) => ({
    index,
    value: { url: `https://example.com/${index}`, width: index },
  }));
  const outcome = await runTask(type, { jobId: 1, ownerId: 'owner', items }, new AbortController().signal, {
    log: (message, fields) => lines.push(`${message} ${fields}`),
    progress: () => {},
  });
  expect(outcome).toMatchObject({
    report: {
      items: [{ resultJson: '{"width":1}' }, { resultJson: '{"width":2}' }],
      countersJson: '{"resized":2}',
    },
  });
  expect(lines).toEqual(['resized {"index":1}', 'resized {"index":2}']);
});

test('what a handler sees is described, all of it', () => {
  const [, context = ''] =
    /interface TaskContext<Item> \{\n([\s\S]*?)\n\}/.exec(read('daemons/job-types/job-type.ts')) ?? [];
  const members = [...context.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, name = '']) => name);
  expect(readTable(page, 'context').map(([name]) => name)).toEqual(members);
});

test.each([
  ['a `note` of more than 200 characters', 'daemons/shared/progress/progress.ts', 'MAX_NOTE_LENGTH = 200'],
  ['passed on twice a second', 'daemons/executor/handlers/handler-voice.ts', 'PROGRESS_MS = 500'],
  ['at most 2,000 characters', 'daemons/executor/handlers/handler-voice.ts', 'MAX_LOG_CHARS = 2_000'],
  ['200 lines are written', 'daemons/executor/handlers/handler-voice.ts', 'MAX_LOG_LINES = 200'],
])('the limit "%s" is that of the code', (text, file, code) => {
  expect(page).toContain(text);
  expect(read(file)).toContain(code);
});
