import { expect, test } from 'vitest';
import { at, judge, poll, type World } from './flawless-world.ts';
import type { CallEvent } from './history.ts';

/** The Fibonacci job fails at first, and is then run again. */
function redrive({ events, polls, jobs: [job] }: World): void {
  events.push({ event: 'asked', call: 'r1', at: at(6), what: 'retryJob', jobIds: [1] });
  events.push({ event: 'done', call: 'r1', at: at(7), jobIds: [1], round: 2 });
  const failed = { completed: 1, failed: 1, endedAt: '2026-03-01T10:00:05.000Z' };
  polls.splice(2, 0, { ...poll(1, 'FAILED', 1), ...failed }, { ...poll(1, 'IN_PROGRESS', 1), round: 2 });
  Object.assign(polls[4]!, { round: 2 });
  Object.assign(job!, { round: 2 });
  Object.assign(job!.tasks!, { redrivenRounds: [2] });
}

test('a redrive lowers what has failed, and ends anew', () => {
  expect(judge(redrive).problems).toEqual([]);
});

const REDRIVE_DEFECTS: [string, string[], (world: World) => unknown][] = [
  [
    'failed falling without a new round',
    ['non-monotone'],
    ({ polls }) => polls.splice(1, 1, { ...poll(1, 'IN_PROGRESS', 1), failed: 1 }, poll(1, 'IN_PROGRESS', 1)),
  ],
  [
    'a FAILED that goes on without a new round',
    ['non-monotone'],
    (world) => {
      redrive(world);
      Object.assign(world.polls[3]!, { round: 1 });
    },
  ],
  [
    'a COMPLETED that begins a new round',
    ['non-monotone'],
    (world) => {
      redrive(world);
      Object.assign(world.polls[2]!, { status: 'COMPLETED', completed: 2, failed: 0 });
    },
  ],
  [
    'a COMPLETED flipped back after a redrive',
    ['non-monotone'],
    (world) => {
      redrive(world);
      world.polls.splice(5, 0, { ...poll(1, 'IN_PROGRESS', 2), round: 2 });
    },
  ],
  [
    'what had succeeded run again by a redrive',
    ['non-monotone'],
    (world) => {
      redrive(world);
      Object.assign(world.polls[3]!, { completed: 0 });
    },
  ],
  [
    'a round taken back',
    ['non-monotone'],
    (world) => {
      redrive(world);
      world.polls.splice(4, 0, { ...poll(1, 'FAILED', 1), failed: 1 });
    },
  ],
  [
    'a redrive that was answered and forgotten',
    ['lost', 'non-monotone'],
    (world) => {
      redrive(world);
      Object.assign(world.jobs[0]!, { round: 1 });
      Object.assign(world.jobs[0]!.tasks!, { redrivenRounds: [] });
    },
  ],
  [
    'a redrive that nobody asked for',
    ['unexpected'],
    (world) => {
      redrive(world);
      world.events.splice(-2);
    },
  ],
  [
    'a redrive that was refused and happened',
    ['unexpected'],
    (world) => {
      redrive(world);
      const refusal: CallEvent = {
        event: 'refused',
        call: 'r1',
        at: at(7),
        code: 409,
        reason: 'NOT_RETRYABLE',
      };
      world.events.splice(-1, 1, refusal);
    },
  ],
  [
    'a redrive that is not recorded',
    ['wrong'],
    (world) => {
      redrive(world);
      Object.assign(world.jobs[0]!.tasks!, { redrivenRounds: [] });
    },
  ],
  [
    'a redrive without an answer in time',
    ['hung'],
    (world) => {
      redrive(world);
      Object.assign(world.events.at(-1)!, { at: at(12) });
    },
  ],
  [
    'a cancellation that was answered and did not happen',
    ['wrong'],
    ({ events }) =>
      events.push(
        { event: 'asked', call: 'x1', at: at(3), what: 'cancelJob', jobIds: [1] },
        { event: 'done', call: 'x1', at: at(4), jobIds: [1] },
      ),
  ],
  [
    'a job cancelled by nobody',
    ['unexpected', 'non-monotone'],
    ({ jobs: [job] }) => Object.assign(job!, { status: 'CANCELLED' }),
  ],
];

test.each(REDRIVE_DEFECTS)('%s is caught', (_name, kinds, plant) => {
  const verdict = judge(plant);
  expect(verdict.valid).toBe(false);
  expect([...new Set(verdict.problems.map(({ kind }) => kind))].sort()).toEqual([...kinds].sort());
});
