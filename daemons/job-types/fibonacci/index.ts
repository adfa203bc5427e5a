import type { JobType, TaskContext, TaskResult } from '../job-type.ts';
import { fibonacciNumber } from './fibonacci-number.ts';

/** The number has 208,988 digits then: some 100 ms of work, and less than the 256 KiB that a result may have. */
const MAX_ITERATIONS = 1_000_000;

export interface FibonacciItem {
  readonly iterations: number;
}

export interface FibonacciResult {
  /** Decimal digits; as text, because a JSON number would lose them. */
  readonly number: string;
  readonly digits: number;
  /** Milliseconds, to a thousandth. */
  readonly ms: number;
}

export const fibonacci: JobType<FibonacciItem> = {
  name: 'Fibonacci',
  slug: 'fibonacci',
  version: 1,
  description:
    'Computes a Fibonacci number exactly: F(1) = F(2) = 1, and each further one is the sum of the two before.',
  inputSchema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Fibonacci',
    type: 'object',
    properties: {
      iterations: {
        title: 'Iterations',
        description: `Which number of the sequence: a whole number from 0 to ${MAX_ITERATIONS}`,
        type: 'integer',
        minimum: 0,
        maximum: MAX_ITERATIONS,
      },
    },
    required: ['iterations'],
    additionalProperties: false,
  },
  // The first round one whose number a 64-bit float cannot hold.
  defaultItem: { iterations: 100 },
  // As many of the longest results as fit into one message.
  itemsPerTask: 25,
  retry: { maxAttempts: 3, backoffMs: 1_000, maxBackoffMs: 30_000 },
  limits: { timeoutMs: 60_000, maxItems: 1_000_000 },
  runs: 'thread',
  run: runFibonacci,
};

async function runFibonacci({ items }: TaskContext<FibonacciItem>): Promise<TaskResult> {
  return {
    items: items.map(({ value }) => ({ status: 'succeeded', result: computeFibonacci(value.iterations) })),
  };
}

function computeFibonacci(iterations: number): FibonacciResult {
  const started = performance.now();
  const number = fibonacciNumber(iterations).toString();
  const ms = Math.round((performance.now() - started) * 1_000) / 1_000;
  return { number, digits: number.length, ms };
}
