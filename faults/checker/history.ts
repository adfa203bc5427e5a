import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** What a submitter expects of its items: all succeed, all fail for good, or only that each is decided. */
export type Expectation = 'success' | 'failure' | 'any';

/** One line of the history of calls. `at` is the submitter's clock, in milliseconds since 1970. */
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
  | { readonly event: 'accepted'; readonly call: string; readonly at: number; readonly jobId: number }
  | {
      readonly event: 'refused';
      readonly call: string;
      readonly at: number;
      readonly code: number;
      readonly reason: string;
    }
  /** Nobody knows what became of the call: no answer, a reset, a refused connection. */
  | { readonly event: 'unknown'; readonly call: string; readonly at: number; readonly why: string }
  | { readonly event: 'cancel'; readonly at: number; readonly jobId: number }
  /** From here to `healed` something is broken on purpose; `silences`: the public door cannot answer meanwhile. */
  | { readonly event: 'fault'; readonly at: number; readonly name: string; readonly silences?: boolean }
  | { readonly event: 'healed'; readonly at: number };

/** One answered read of `job`. The reads of one job stand in the order in which they were asked and answered. */
export interface Poll {
  readonly at: number;
  readonly jobId: number;
  readonly status: string;
  readonly size: number;
  readonly completed: number;
  readonly failed: number;
  readonly endedAt: string | null;
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
  outcome:
    | { readonly kind: 'accepted'; readonly at: number; readonly jobId: number }
    | { readonly kind: 'refused'; readonly at: number; readonly code: number; readonly reason: string }
    | { readonly kind: 'unknown'; readonly at: number; readonly why: string };
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
  readonly cancelled: ReadonlySet<number>;
  readonly faults: readonly FaultWindow[];
}

export function intentKey(owner: string, key: string): string {
  return `${owner} ${key}`;
}

/** @throws when the history contradicts itself, which is a fault of whoever wrote it */
export function assembleHistory(events: readonly CallEvent[]): History {
  const intents = new Map<string, Intent>();
  const byCall = new Map<string, { intent: Intent; call: Call }>();
  const cancelled = new Set<number>();
  for (const event of events) {
    if (event.event === 'cancel') cancelled.add(event.jobId);
    if (event.event === 'started') {
      const earlier = event.itemsOf === undefined ? undefined : byCall.get(event.itemsOf)?.intent;
      const items = event.items ?? earlier?.items;
      if (!items)
        throw new Error(`The history says of call ${event.call} neither its items nor whose they are.`);
      const id = intentKey(event.owner, event.key);
      const { owner, key, type, expects = 'success' } = event;
      const intent = intents.get(id) ?? { owner, key, type, items, expects, calls: [] };
      const call: Call = {
        id: event.call,
        startedAt: event.at,
        // Until an answer is found in the history there was none.
        outcome: { kind: 'unknown', at: Number.POSITIVE_INFINITY, why: 'the history ends before an answer' },
      };
      intent.calls.push(call);
      intents.set(id, intent);
      byCall.set(event.call, { intent, call });
    }
    if (event.event === 'accepted' || event.event === 'refused' || event.event === 'unknown') {
      const found = byCall.get(event.call);
      if (!found) throw new Error(`The history has an answer to call ${event.call}, which it does not know.`);
      const { event: kind, call: _, ...rest } = event;
      found.call.outcome = { kind, ...rest } as Call['outcome'];
    }
  }
  return { intents, cancelled, faults: faultWindows(events) };
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
