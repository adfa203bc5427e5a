import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Broker, BrokerMessage, Consumer } from '@jobber/shared/broker';
import { describeUnknownError } from '@jobber/shared/errors';
import { type Hint, readHints } from '@jobber/shared/hints';
import type { Logger } from '@jobber/shared/log';
import { type BackoffLimits, createBackoff } from '../backoff.ts';
import { dropForeign } from './drop-foreign.ts';
import type { Intake, TaskSink } from './intake.ts';
import { createPermitShares, SILENT_MS } from './share-permits.ts';
import type { StartHinted } from './start-hinted.ts';

/** What became of a hint: its task runs here, somebody else has it, it was passed on, or it is none (and why). */
export type HintResult = 'followed' | 'superseded' | 'passed-on' | 'unanswered' | string;

export interface PulsarIntakeOptions {
  readonly broker: Broker;
  readonly slugs: readonly string[];
  /** Offers the job types: before the first subscription, from time to time, and after Jobs was away. */
  readonly register: () => Promise<void>;
  /** Starts the task that a hint names. */
  readonly start: StartHinted;
  readonly onHint: (type: string, result: HintResult) => void;
  readonly log: Logger;
  readonly timing?: Partial<PulsarIntakeTiming>;
}

export interface PulsarIntakeTiming extends BackoffLimits {
  /** Between two offers of the job types. */
  readonly presenceMs: number;
  /** How long hints that came without a free slot wait for one, before another executor may have them. */
  readonly holdMs: number;
  /** How long starts that are under way may still be answered after a stop. */
  readonly lastTasksMs: number;
}

const TIMING: PulsarIntakeTiming = {
  minMs: 100,
  maxMs: 1_000,
  presenceMs: 60_000,
  holdMs: 200,
  lastTasksMs: 1_000,
};
/** While all daemons of a platform start, Jobs is there any moment: that it is not yet is no problem for so many tries. */
const PATIENT_TRIES = 10;

/** A message that has arrived. */
interface Arrival {
  readonly slug: string;
  readonly message: BrokerMessage;
  /** What it names and nobody has begun here. */
  readonly left: Hint[];
  /** Hints of it that are not settled: superseded, or the outcomes of their tasks stored. */
  unsettled: number;
  /** Another executor may have it; here it is acknowledged no more. */
  passedOn: boolean;
}

/**
 * The intake over a broker: one subscription for each job type, permits as far as there are free slots. What a hint names
 * is started at Jobs; the message is acknowledged when the outcomes of all its tasks are stored. When it names more tasks
 * than there are free slots, the rest waits a moment, and then the whole message goes to another executor: what has been
 * begun here is superseded there.
 */
export function createPulsarIntake(options: PulsarIntakeOptions): Intake {
  const { broker, slugs, start, onHint, log } = options;
  const timing = { ...TIMING, ...options.timing };
  const shares = createPermitShares(slugs);
  const consumers = new Map<string, Consumer>();
  const stopping = new AbortController();
  const foreign = dropForeign({ onHint, log, stopping: stopping.signal });
  /** Messages with hints that came without a free slot, the oldest first. */
  const held = new Map<Arrival, NodeJS.Timeout>();
  const underWay = new Set<Promise<void>>();
  let sink: TaskSink | undefined;
  let running: Promise<void> | undefined;
  /** Why nothing can be started at Jobs; undefined while it can. */
  let away: string | undefined = 'Jobs was not reached yet';
  let reachJobs: () => void = () => {};
  let filling = false;
  let silence: NodeJS.Timeout | undefined;

  const isOpen = () => away === undefined && !stopping.signal.aborted;
  const freeSlots = () => (sink?.freeSlots() ?? 0) - underWay.size;
  const consumerOf = (slug: string) => consumers.get(slug) as Consumer;

  function receive(slug: string, message: BrokerMessage): void {
    const read = readHints(message.body);
    shares.arrived(slug, 'hints' in read ? read.hints.length : 1);
    if ('problem' in read) {
      foreign.drop({ slug, message, consumer: consumerOf(slug), problem: read.problem });
      fillSoon();
      return;
    }
    const left = [...read.hints];
    const arrival = { slug, message, left, unsettled: left.length, passedOn: false };
    if (!isOpen()) passOn(arrival);
    else {
      begin(arrival);
      if (left.length > 0) hold(arrival);
    }
  }

  function hold(arrival: Arrival): void {
    const tooLong = setTimeout(() => {
      held.delete(arrival);
      passOn(arrival);
    }, timing.holdMs);
    held.set(arrival, tooLong);
  }

  function passOn(arrival: Arrival): void {
    for (const _ of arrival.left.splice(0)) onHint(arrival.slug, 'passed-on');
    giveBack(arrival);
  }

  function giveBack(arrival: Arrival): void {
    if (arrival.passedOn) return;
    arrival.passedOn = true;
    consumerOf(arrival.slug).nack(arrival.message);
  }

  function settle(arrival: Arrival): void {
    arrival.unsettled -= 1;
    if (arrival.unsettled === 0 && !arrival.passedOn) consumerOf(arrival.slug).ack(arrival.message);
  }

  function takeHeld(): Arrival[] {
    const arrivals = [...held.keys()];
    for (const timer of held.values()) clearTimeout(timer);
    held.clear();
    return arrivals;
  }

  /** As many of its hints as there are free slots. */
  function begin(arrival: Arrival): void {
    while (arrival.left.length > 0 && freeSlots() > 0) {
      const following = follow(arrival, arrival.left.shift() as Hint);
      underWay.add(following);
      void following.finally(() => {
        underWay.delete(following);
        fillSoon();
      });
    }
  }

  /** Never rejects. */
  async function follow(arrival: Arrival, hint: Hint): Promise<void> {
    const { slug } = arrival;
    try {
      const started = await start(hint);
      if (started) {
        onHint(slug, 'followed');
        sink?.deliver({ ...started, settled: () => settle(arrival) });
      } else {
        onHint(slug, 'superseded');
        settle(arrival);
      }
    } catch (error) {
      onHint(slug, 'unanswered');
      giveBack(arrival);
      lost(describeUnknownError(error));
    }
  }

  function lost(problem: string): void {
    if (away !== undefined) return;
    away = problem;
    log.warn({ problem }, 'Jobs starts no tasks; trying again');
    for (const arrival of takeHeld()) passOn(arrival);
    reachJobs();
  }

  /** Whatever else becomes free in this turn is shared together. */
  function fillSoon(): void {
    if (filling) return;
    filling = true;
    void nextTurn().then(() => {
      filling = false;
      fill();
    });
  }

  function fill(): void {
    if (!isOpen()) return;
    for (const [arrival, timer] of held) {
      begin(arrival);
      if (arrival.left.length > 0) return;
      held.delete(arrival);
      clearTimeout(timer);
    }
    const free = freeSlots();
    if (free <= 0) return;
    for (const [slug, permits] of shares.grant(free)) consumerOf(slug).grant(permits);
    // Topics that have become silent leave their part to the others then.
    silence ??= setTimeout(() => {
      silence = undefined;
      fill();
    }, SILENT_MS);
    silence.unref();
  }

  function subscribe(): void {
    for (const slug of slugs) {
      if (!consumers.has(slug))
        consumers.set(
          slug,
          broker.subscribe(slug, (message) => receive(slug, message)),
        );
    }
  }

  async function keepRegistered(): Promise<void> {
    const backoff = createBackoff(timing);
    let patience = PATIENT_TRIES;
    while (!stopping.signal.aborted) {
      try {
        await options.register();
        if (stopping.signal.aborted) return;
        if (away !== undefined) log.info('following hints of the broker');
        away = undefined;
        patience = 0;
        backoff.reset();
        subscribe();
        fillSoon();
        await presence();
      } catch (error) {
        const problem = describeUnknownError(error);
        patience -= 1;
        if (patience < 0) lost(problem);
        away = problem;
      }
      if (away !== undefined) await backoff.wait(stopping.signal);
    }
  }

  /** Until the types are to be offered again, or Jobs is away. */
  async function presence(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timing.presenceMs);
      reachJobs = () => {
        clearTimeout(timer);
        resolve();
      };
      stopping.signal.addEventListener('abort', reachJobs, { once: true });
    });
    stopping.signal.removeEventListener('abort', reachJobs);
  }

  return {
    start(tasks) {
      sink = tasks;
      running ??= keepRegistered();
    },
    slotsFreed: fillSoon,
    withdraw() {
      // No task is started for a hint that has no slot: it is held for a moment, and passed on.
    },
    async stop() {
      stopping.abort();
      clearTimeout(silence);
      for (const arrival of takeHeld()) passOn(arrival);
      // What Jobs has started by then still comes; what it starts later is rescued.
      const late = new Promise<void>((resolve) => setTimeout(resolve, timing.lastTasksMs).unref());
      await Promise.race([Promise.all([running, ...underWay]), late]);
    },
    async check() {
      if (away !== undefined) throw Object.assign(new Error(away), { code: 'JOBS_NOT_REACHED' });
      await Promise.all([...consumers.values()].map((consumer) => consumer.check()));
    },
  };
}
