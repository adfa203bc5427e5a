import { expect, test } from 'vitest';
import { answerInOrder } from './answer-in-order.ts';

const never = new AbortController().signal;

async function* from<T>(...values: T[]): AsyncGenerator<T> {
  yield* values;
}

async function collect<T>(answers: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const answer of answers) all.push(answer);
  return all;
}

test('requests are worked on at the same time and answered in their order', async () => {
  const begun: number[] = [];
  const gates = [0, 1, 2].map(() => Promise.withResolvers<void>());
  const answers = collect(
    answerInOrder(
      from(0, 1, 2),
      async (n) => {
        begun.push(n);
        await gates[n]?.promise;
        return n * 10;
      },
      never,
    ),
  );
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  for (const gate of gates.reverse()) gate.resolve();
  expect(await answers).toEqual([0, 10, 20]);
});

test('a failing answer ends the stream, after the answers before it', async () => {
  const answers = answerInOrder(
    from(1, 2, 3),
    async (n) => {
      if (n === 2) throw new Error('not this one');
      return n;
    },
    never,
  );
  expect((await answers.next()).value).toBe(1);
  await expect(answers.next()).rejects.toThrow('not this one');
});

test('who sends without waiting for answers is refused', async () => {
  const gate = Promise.withResolvers<void>();
  let begun = 0;
  const answers = collect(
    answerInOrder(
      from(...Array.from({ length: 17 }, (_, n) => n)),
      async () => {
        begun += 1;
        await gate.promise;
      },
      never,
    ),
  );
  await expect.poll(() => begun).toBe(16);
  gate.resolve();
  await expect(answers).rejects.toThrow('At most 16 unanswered requests on one stream');
});

test('a stream that is over ends when what it has taken is answered', async () => {
  const over = new AbortController();
  const gate = Promise.withResolvers<void>();
  async function* open() {
    yield 1;
    await new Promise(() => {});
  }
  const begun = Promise.withResolvers<void>();
  const answer = () => {
    begun.resolve();
    return gate.promise;
  };
  const answers = answerInOrder(open(), answer, over.signal);
  const first = answers.next();
  await begun.promise;
  over.abort();
  gate.resolve();
  expect(await first).toMatchObject({ done: false });
  expect(await answers.next()).toMatchObject({ done: true });
});
