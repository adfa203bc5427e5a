import { readHints } from '@jobber/shared/hints';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { DispatchedTask } from '../transitions/dispatch-tasks.ts';
import { createHintSender } from './hint-sender.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

function taskOf(seq: number): DispatchedTask {
  return { jobId: 7, seq, attempt: 1, type: 'echo', traceparent: TRACE };
}

/** @param isConfirmed by the number of the message; may throw */
async function sendSeven(tasksPerHint: number, isConfirmed: (message: number) => boolean = () => true) {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const published: Buffer[] = [];
  const recalled: number[] = [];
  let confirmed = 0;
  const sender = createHintSender({
    publisher: {
      async publish(bodies) {
        published.push(...bodies);
        return bodies.map((_, message) => isConfirmed(message));
      },
      check: async () => {},
      close: async () => {},
    },
    tasksPerHint: () => tasksPerHint,
    recall: async ({ seq }) => void recalled.push(seq),
    onConfirmed: () => {
      confirmed += 1;
    },
    onUnconfirmed: () => {},
  });
  for (let seq = 0; seq < 7; seq += 1) sender.send(taskOf(seq));
  await sender.drain();
  const messages = published.map((body) => {
    const read = readHints(body);
    return 'hints' in read ? read.hints.map(({ seq }) => seq) : [];
  });
  return { messages, recalled, confirmed, published, sound: sender.isSound(), room: sender.room() };
}

test('a message names as many tasks as it may, in their order, and the trace of the first', async () => {
  const { messages, confirmed, recalled, published } = await sendSeven(3);
  expect(messages).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  expect({ confirmed, recalled }).toEqual({ confirmed: 7, recalled: [] });
  expect(published.map((body) => JSON.parse(String(body)).traceparent)).toEqual([TRACE, TRACE, TRACE]);
});

test('where each may name one task, messages are those of earlier releases', async () => {
  const { messages, published } = await sendSeven(1);
  expect(messages).toEqual([[0], [1], [2], [3], [4], [5], [6]]);
  expect(JSON.parse(String(published[4]))).toEqual({ v: 1, job: 7, task: 4, attempt: 1, traceparent: TRACE });
});

test('all tasks of a message that the broker does not confirm are recalled, and no others', async () => {
  const { confirmed, recalled, sound } = await sendSeven(3, (message) => message !== 1);
  expect({ confirmed, recalled, sound }).toEqual({ confirmed: 4, recalled: [3, 4, 5], sound: false });
});

test('a publisher that throws has confirmed nothing, and nothing more is sent for a while', async () => {
  const { confirmed, recalled, sound, room } = await sendSeven(3, () => {
    throw new Error('it should never');
  });
  expect({ confirmed, recalled, sound, room }).toEqual({
    confirmed: 0,
    recalled: [0, 1, 2, 3, 4, 5, 6],
    sound: false,
    room: 0,
  });
});
