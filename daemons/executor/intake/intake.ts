import type { LeasedTask } from '@jobber/proto/jobs/v1/jobs';

/**
 * Where leased tasks come from. Everything after it is the same code, whether Jobs streams the tasks itself or a broker
 * carries hints, each of which becomes a task by StartTask or is dropped as superseded.
 */
export interface Intake {
  /** Begins to deliver, at any time as many tasks as the sink has free slots. Survives losses by itself. */
  start(sink: TaskSink): void;
  /** The sink has more free slots than before. Cheap: calls in one turn of the event loop are answered together. */
  slotsFreed(): void;
  /** The sink has fewer free slots than before: what was asked for and has not come is not wanted any more. */
  withdraw(): void;
  /** Asks for nothing any more. Resolves when no further task will be delivered; what was under way still is. */
  stop(): Promise<void>;
  /** Resolves while tasks can arrive; rejects with the reason when they can't. */
  check(): Promise<void>;
}

export interface TaskSink {
  /** How many tasks it would take now; those that were asked for and have not arrived count against it. */
  freeSlots(): number;
  deliver(delivery: Delivery): void;
}

/** A task whose attempt has been started for this executor. */
export interface Delivery {
  readonly task: LeasedTask;
  /** When the lease began at the earliest known to us, in milliseconds of `performance.now()`. */
  readonly leasedAt: number;
  /** The outcome is stored, or nobody waits for it any more: a broker's message may be acknowledged. */
  settled(): void;
}
