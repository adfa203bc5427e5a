import { expect, test } from 'vitest';
import { createFairLine } from './fair-line.ts';

interface Task {
  readonly ownerId: string;
  readonly name: string;
  rank: number;
}

function createLine() {
  const line = createFairLine<Task>();
  const task = (name: string): Task => ({ ownerId: name.slice(0, 1), name, rank: 0 });
  return {
    line,
    add(...names: string[]): Task[] {
      const tasks = names.map(task);
      for (const one of tasks) line.add(one);
      return tasks;
    },
    take: (most: number, fits?: (one: Task) => boolean) =>
      line
        .take(most, fits)
        .map(({ name }) => name)
        .join(' '),
  };
}

test('what is of one owner goes in the order of arrival', () => {
  const { line, add, take } = createLine();
  add('a1', 'a2', 'a3');
  expect([line.length, line.first()?.name, take(2), take(2), take(2)]).toEqual([3, 'a1', 'a1 a2', 'a3', '']);
});

test('whoever comes later stands behind as many of the others as of its own, not behind all of them', () => {
  const { add, take } = createLine();
  add('a1', 'a2', 'a3', 'a4', 'a5');
  expect(take(2)).toBe('a1 a2');
  add('b1', 'b2');
  add('c1');
  expect(take(9)).toBe('a3 b1 c1 a4 b2 a5');
});

test('an owner whose tasks are taken as they come has saved up nothing, and owes nothing', () => {
  const { add, take } = createLine();
  for (let n = 0; n < 100; n += 1) {
    add(`b${n}`);
    take(1);
  }
  add('a1', 'b1', 'a2', 'b2');
  expect(take(9)).toBe('a1 b1 a2 b2');
});

test('as many are taken as fit, and what is put back comes first again', () => {
  const { line, add, take } = createLine();
  const [first] = add('a1', 'a2', 'x1', 'a3') as [Task, ...Task[]];
  expect(take(9, ({ ownerId }) => ownerId === 'a')).toBe('a1');
  line.putBack(first);
  expect(take(9)).toBe('a1 x1 a2 a3');
});

test('what is removed is not taken', () => {
  const { line, add, take } = createLine();
  const [, second] = add('a1', 'a2', 'a3') as [Task, Task, Task];
  line.remove(second);
  line.remove(second);
  add('b1');
  expect(take(9)).toBe('a1 b1 a3');
  add('a4');
  expect(take(9)).toBe('a4');
});
