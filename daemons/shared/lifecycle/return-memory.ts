import { performance } from 'node:perf_hooks';
import type { Scope } from './scope.ts';

const LOOK_MS = 5_000;
/** Shares of the time in which the event loop has had something to do. */
const BUSY = 0.1;
const IDLE = 0.05;
/** Looks in a row that must have found the process idle: half a minute. */
const IDLE_LOOKS = 6;

/** Starts `look` at intervals. @returns what ends it */
export type Repeat = (look: () => void, ms: number) => () => void;

export interface ReturnMemoryParts {
  /** Collects all garbage and gives the pages back, away from the current turn of the event loop. */
  readonly collect: () => Promise<void>;
  /** The share of the time since the last call in which the event loop had something to do, 0 to 1. */
  readonly utilization: () => number;
  readonly repeat: Repeat;
}

/**
 * Gives memory back after busy times. V8 keeps the pages of a heap that has shrunk, ready for the next ones, and does not look
 * at them while nothing happens: a daemon that was busy once would hold twice the memory it needs for ever. Only a collection
 * of last resort, of some 50 ms, frees them. Compiled code goes, too, which makes the next second or two slower: hence after
 * a pause that is longer than those between bursts of work.
 *
 * Needs Node's `--expose-gc`; does nothing without it.
 */
export function returnMemoryWhenIdle(scope: Scope, parts = nodeParts()): void {
  if (!parts) return;
  const { collect, utilization, repeat } = parts;
  let wasBusy = false;
  let idleLooks = 0;
  utilization();

  function look(): void {
    const share = utilization();
    idleLooks = share < IDLE ? idleLooks + 1 : 0;
    if (share > BUSY) wasBusy = true;
    if (!wasBusy || idleLooks < IDLE_LOOKS) return;
    wasBusy = false;
    collect().catch(() => {});
  }

  scope.defer('memory', repeat(look, LOOK_MS));
}

function nodeParts(): ReturnMemoryParts | undefined {
  const { gc } = globalThis;
  if (!gc) return undefined;
  let before = performance.eventLoopUtilization();
  return {
    collect: () => gc({ type: 'major', flavor: 'last-resort', execution: 'async' }),
    utilization() {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization;
    },
    repeat(look, ms) {
      const timer = setInterval(look, ms).unref();
      return () => clearInterval(timer);
    },
  };
}
