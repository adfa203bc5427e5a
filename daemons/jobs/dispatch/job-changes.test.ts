import { expect, test } from 'vitest';
import { createJobChanges, isLater, type JobState } from './job-changes.ts';
import type { Notifications } from './notifications.ts';

const state = (change: Partial<JobState> = {}): JobState => ({
  id: 7,
  status: 'IN_PROGRESS',
  size: 10,
  completed: 0,
  failed: 0,
  startedAt: new Date(0),
  endedAt: null,
  round: 1,
  ...change,
});

function setUp() {
  const sent: number[][] = [];
  let tellLocally: (ids: ReadonlySet<number>) => void = () => {};
  const changes = createJobChanges({
    onJobsChanged: (listener: (ids: ReadonlySet<number>) => void) => {
      tellLocally = listener;
    },
    jobsChanged(ids: Iterable<number>) {
      const told = new Set(ids);
      sent.push([...told]);
      tellLocally(told);
    },
  } as Notifications);
  return { changes, sent, hear: (...ids: number[]) => tellLocally(new Set(ids)) };
}

test('who watches a job is told its state by this replica, and by others that it has changed', () => {
  const { changes, sent, hear } = setUp();
  const heard: (JobState | undefined)[] = [];
  const unwatch = changes.watch(7, (state) => heard.push(state));
  changes.tell([state({ completed: 1 }), state({ id: 8 })]);
  hear(7, 9);
  unwatch();
  hear(7);
  expect(heard).toEqual([state({ completed: 1 }), undefined]);
  expect(sent).toEqual([[7, 8]]);
});

test.each([
  ['more items are decided', { completed: 2 }, { completed: 1 }],
  ['an item has failed', { completed: 1, failed: 1 }, { completed: 1 }],
  ['it has ended', { status: 'CANCELLED' }, { completed: 9 }],
  ['it has begun', {}, { status: 'SCHEDULED' }],
  ['it was approved', { status: 'SCHEDULED' }, { status: 'AWAITING_APPROVAL' }],
  ['a new round has begun', { round: 2, completed: 3 }, { status: 'FAILED', completed: 3, failed: 7 }],
] as const)('a job is later when %s', (_what, later, earlier) => {
  expect(isLater(state(later), state(earlier))).toBe(true);
  expect(isLater(state(earlier), state(later))).toBe(false);
  expect(isLater(state(later), state(later))).toBe(false);
});
