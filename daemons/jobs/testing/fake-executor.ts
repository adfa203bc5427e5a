import {
  type AttemptOutcome,
  ItemStatus,
  type JobsServiceClient,
  type LeasedTask,
  type ReceiveTasksRequest,
} from '@jobber/proto/jobs/v1/jobs';

/** An executor at the other end of the direct intake, moved by the test. */
export interface FakeExecutor {
  /** Tasks that have arrived and were not taken yet. */
  readonly tasks: LeasedTask[];
  grant(credit: number): void;
  /** Closes our side; resolves when Jobs has closed its own. */
  close(): Promise<void>;
  /** Breaks the stream off. */
  abort(): void;
  /** Ends with the stream; rejects with its error. */
  readonly ended: Promise<void>;
}

export function startFakeExecutor(
  client: JobsServiceClient,
  { executorId = 'executor-1', slugs = ['echo'] }: { executorId?: string; slugs?: string[] } = {},
): FakeExecutor {
  const tasks: LeasedTask[] = [];
  const controller = new AbortController();
  const requests: ReceiveTasksRequest[] = [{ request: { $case: 'subscribe', value: { executorId, slugs } } }];
  let closed = false;
  let wake: () => void = () => {};

  async function* outgoing(): AsyncGenerator<ReceiveTasksRequest> {
    for (;;) {
      yield* requests.splice(0);
      if (closed) return;
      if (requests.length > 0) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  async function receive(): Promise<void> {
    for await (const batch of client.receiveTasks(outgoing(), { signal: controller.signal })) {
      tasks.push(...batch.tasks);
    }
  }

  const ended = receive();
  ended.catch(() => {});
  return {
    tasks,
    ended,
    grant(credit) {
      requests.push({ request: { $case: 'credit', value: credit } });
      wake();
    },
    close() {
      closed = true;
      wake();
      return ended;
    },
    abort() {
      controller.abort();
      closed = true;
      wake();
    },
  };
}

/** All items of the task succeeded with this result. */
export function success(task: LeasedTask, result: unknown = null): AttemptOutcome {
  const offsets = task.offsets.length > 0 ? task.offsets : [...Array(task.itemCount).keys()];
  return {
    ref: task.ref,
    items: offsets.map((offset) => ({
      offset,
      status: ItemStatus.SUCCEEDED,
      resultJson: JSON.stringify(result),
      error: undefined,
    })),
    interrupted: false,
    notStarted: false,
    deferred: false,
    countersJson: '',
    durationMs: 1,
  };
}
