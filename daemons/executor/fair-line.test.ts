import { expect, test } from 'vitest';
import { createFairLine } from './fair-line.ts';

interface Task {
  readonly ownerId: string;
  readonly jobId: number;
  readonly name: string;
}

/** Tasks are named by owner, job and number: a1.1 */
function createLine() {
  const line = createFairLine<Task>();
  return {
    line,
    add(...names: string[]): Task[] {
      const tasks = names.map((name) => ({ ownerId: name.slice(0, 1), jobId: Number(name[1]), name }));
      for (const task of tasks) line.add(task);
      return tasks;
    },
    take: (most: number, fits?: (task: Task) => boolean) =>
      line
        .take(most, fits)
        .map(({ name }) => name)
        .join(' '),
  };
}

test('what is of one job goes in the order of arrival', () => {
  const { line, add, take } = createLine();
  add('a1.1', 'a1.2', 'a1.3');
  expect([line.length, line.first()?.name]).toEqual([3, 'a1.1']);
  expect([take(2), line.length, take(2), take(2), line.length]).toEqual(['a1.1 a1.2', 1, 'a1.3', '', 0]);
});

test('owners take turns, however many tasks and jobs the others have', () => {
  const { add, take } = createLine();
  add('a1.1', 'a1.2', 'a1.3', 'a2.1', 'a3.1');
  expect(take(1)).toBe('a1.1');
  add('b9.1', 'b9.2', 'c8.1');
  expect(take(9)).toBe('a2.1 b9.1 c8.1 a3.1 b9.2 a1.2 a1.3');
});

test('jobs of one owner take turns', () => {
  const { add, take } = createLine();
  add('a1.1', 'a1.2', 'a1.3', 'a1.4');
  expect(take(2)).toBe('a1.1 a1.2');
  add('a2.1', 'a1.5');
  expect(take(9)).toBe('a1.3 a2.1 a1.4 a1.5');
});

test('whose tasks are taken as they come has saved up nothing, and owes nothing', () => {
  const { add, take } = createLine();
  for (let n = 0; n < 100; n += 1) {
    add('b1.0');
    take(1);
  }
  add('a1.1', 'b1.1', 'a1.2', 'b1.2');
  expect(take(9)).toBe('a1.1 b1.1 a1.2 b1.2');
});

test('jobs that do not fit are passed over, and keep their turn', () => {
  const { line, add, take } = createLine();
  add('a1.1', 'b2.1', 'a3.1', 'b2.2', 'a1.2', 'c1.1');
  expect(take(4, ({ jobId }) => jobId === 1)).toBe('a1.1 c1.1 a1.2');
  expect([line.length, line.first()?.name, take(9)]).toEqual([3, 'b2.1', 'b2.1 a3.1 b2.2']);
});

test('a job that is passed over is next, however many others of its owner are taken meanwhile', () => {
  const { add, take } = createLine();
  add('b1.1', 'b1.2', 'a2.1', 'a1.1', 'a1.2', 'c2.1');
  const onlyOnes = ({ jobId }: Task) => jobId === 1;
  expect(take(2, onlyOnes)).toBe('b1.1 a1.1');
  expect(take(1)).toBe('a2.1');
  expect(take(9)).toBe('c2.1 b1.2 a1.2');
});

test('what is put back comes before the others of its job, and delays no other', () => {
  const { line, add, take } = createLine();
  const [first, second] = add('a1.1', 'a1.2', 'a1.3') as [Task, Task, Task];
  add('b1.1', 'b1.2');
  expect(take(3)).toBe('a1.1 b1.1 a1.2');
  line.putBack(second);
  line.putBack(first);
  expect([line.length, take(9)]).toEqual([4, 'b1.2 a1.1 a1.2 a1.3']);
});

test('what is removed is not taken', () => {
  const { line, add, take } = createLine();
  const [first, second, third] = add('a1.1', 'a1.2', 'a1.3') as [Task, Task, Task];
  line.remove(second);
  line.remove(second);
  add('b1.1');
  expect([line.length, take(9)]).toEqual([3, 'a1.1 b1.1 a1.3']);
  line.putBack(first);
  line.remove(first);
  line.remove(third);
  expect([line.length, line.first()]).toEqual([0, undefined]);
  const [last] = add('a1.4') as [Task];
  line.remove(last);
  expect([line.length, take(9)]).toEqual([0, '']);
});
