import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** What a submitter expects of its items: all succeed, all fail for good, or only that each is decided. */
export type Expectation = 'success' | 'failure' | 'any';

/** The calls that change jobs: the first one cancels, the others begin a new round. */
export type Change = 'cancelJob' | 'retryJob' | 'redriveDeadLetters';

/**
 * One line of the history of calls. `at` is the submitter's clock, in milliseconds since 1970; `stalledMs` is how long its
 * own process got no processor while it waited for the answer.
 */
export type CallEvent =
  | {
      readonly event: 'started';
      readonly call: string;
      readonly at: number;
      /** UUID of the user who calls. */
      readonly owner: string;
      readonly key: string;
      /** Slug of the job type. */
      readonly type: string;
      /** Either the items, or the call that has submitted the same ones under the same key. */
      readonly items?: readonly unknown[];
      readonly itemsOf?: string;
      readonly expects?: Expectation;
    }
  | (Answered & { readonly event: 'accepted'; readonly jobId: number })
  | (Answered & { readonly event: 'refused'; readonly code: number; readonly reason: string })
  /** Nobody knows what became of the call: no answer, a reset, a refused connection. */
  | (Answered & { readonly event: 'unknown'; readonly why: string })
  /** Somebody asks for a change of jobs that exist; answered by `done`, `refused` or `unknown`. */
  | {
      readonly event: 'asked';
      readonly call: string;
      readonly at: number;
      readonly what: Change;
      readonly jobIds: readonly number[];
    }
  /** `jobIds`: the jobs that were changed. `round`: in which round a job that was retried is now. */
  | (Answered & { readonly event: 'done'; readonly jobIds: readonly number[]; readonly round?: number })
  /** From here to `healed` something is broken on purpose; `silences`: the public door cannot answer meanwhile. */
  | { readonly event: 'fault'; readonly at: number; readonly name: string; readonly silences?: boolean }
  | { readonly event: 'healed'; readonly at: number };

interface Answered {
  readonly call: string;
  readonly at: number;
  readonly stalledMs?: number;
}

/** One answered read of `job`. The reads of one job stand in the order in which they were asked and answered. */
export interface Poll {
  readonly at: number;
  readonly jobId: number;
  readonly status: string;
  readonly size: number;
  readonly completed: number;
  readonly failed: number;
  readonly endedAt: string | null;
  /** 1, and one more with each redrive. */
  readonly round: number;
}

/** What one user submitted under one idempotency key, in however many calls. */
export interface Intent {
  readonly owner: string;
  readonly key: string;
  readonly type: string;
  readonly items: readonly unknown[];
  readonly expects: Expectation;
  readonly calls: Call[];
}

export interface Call {
  readonly id: string;
  readonly startedAt: number;
  /** How long the caller itself could do nothing while it waited, in milliseconds. */
  stalledMs: number;
  outcome:
    | { readonly kind: 'accepted'; readonly at: number; readonly jobId: number }
    | {
        readonly kind: 'done';
        readonly at: number;
        readonly jobIds: readonly number[];
        readonly round?: number;
      }
    | { readonly kind: 'refused'; readonly at: number; readonly code: number; readonly reason: string }
    | { readonly kind: 'unknown'; readonly at: number; readonly why: string };
}

/** A call that asks for a change of jobs. */
export interface ChangeCall extends Call {
  readonly what: Change;
  readonly jobIds: readonly number[];
}

export interface FaultWindow {
  readonly from: number;
  /** Infinity while it has not healed. */
  readonly to: number;
  readonly names: readonly string[];
  readonly silences: boolean;
}

export interface History {
  readonly intents: ReadonlyMap<string, Intent>;
  readonly changes: readonly ChangeCall[];
  readonly faults: readonly FaultWindow[];
}

export function intentKey(owner: string, key: string): string {
  return `${owner} ${key}`;
}

/** @throws when the history contradicts itself, which is a fault of whoever wrote it */
export function assembleHistory(events: readonly CallEvent[]): History {
  const intents = new Map<string, Intent>();
  const byCall = new Map<string, { intent?: Intent; call: Call }>();
  const changes: ChangeCall[] = [];
  for (const event of events) {
    if (event.event === 'asked') {
      const { what, jobIds } = event;
      const call = { ...openCall(event.call, event.at), what, jobIds };
      changes.push(call);
      byCall.set(event.call, { call });
    }
    if (event.event === 'started') {
      const earlier = event.itemsOf === undefined ? undefined : byCall.get(event.itemsOf)?.intent;
      const items = event.items ?? earlier?.items;
      if (!items)
        throw new Error(`The history says of call ${event.call} neither its items nor whose they are.`);
      const id = intentKey(event.owner, event.key);
      const { owner, key, type, expects = 'success' } = event;
      const intent = intents.get(id) ?? { owner, key, type, items, expects, calls: [] };
      const call = openCall(event.call, event.at);
      intent.calls.push(call);
      intents.set(id, intent);
      byCall.set(event.call, { intent, call });
    }
    if (
      event.event === 'accepted' ||
      event.event === 'done' ||
      event.event === 'refused' ||
      event.event === 'unknown'
    ) {
      const found = byCall.get(event.call);
      if (!found) throw new Error(`The history has an answer to call ${event.call}, which it does not know.`);
      const { event: kind, call: _, stalledMs = 0, ...rest } = event;
      found.call.stalledMs = stalledMs;
      found.call.outcome = { kind, ...rest } as Call['outcome'];
    }
  }
  return { intents, changes, faults: faultWindows(events) };
}

/** Until an answer is found in the history there was none. */
function openCall(id: string, startedAt: number): Call {
  const why = 'the history ends before an answer';
  return { id, startedAt, stalledMs: 0, outcome: { kind: 'unknown', at: Number.POSITIVE_INFINITY, why } };
}

function faultWindows(events: readonly CallEvent[]): FaultWindow[] {
  const windows: FaultWindow[] = [];
  let open: { from: number; names: string[]; silences: boolean } | undefined;
  for (const event of events) {
    if (event.event === 'fault') {
      open ??= { from: event.at, names: [], silences: false };
      open.names.push(event.name);
      open.silences ||= event.silences ?? false;
    }
    if (event.event === 'healed' && open) {
      windows.push({ ...open, to: event.at });
      open = undefined;
    }
  }
  return open ? [...windows, { ...open, to: Number.POSITIVE_INFINITY }] : windows;
}

/** One JSON value a line; empty lines are passed over. @throws with the number of a line that is no JSON */
export async function readLines<T>(file: string): Promise<T[]> {
  const values: T[] = [];
  let line = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    line += 1;
    if (text.trim() === '') continue;
    try {
      values.push(JSON.parse(text) as T);
    } catch {
      throw new Error(`${file}, line ${line} is no JSON.`);
    }
  }
  return values;
}
