import type { JobType } from '@jobber/job-types';
import { abortableBy } from '../abortable.ts';
import { createTurns } from '../turns.ts';
import { type HandlerProcess, ProcessLost, startHandlerProcess } from './handler-process.ts';
import { HandlerFailed, type HandlerPool, type HandlerPoolOptions } from './handler-run.ts';

export interface ProcessPoolOptions extends HandlerPoolOptions {
  readonly processes: number;
}

const MAX_LOSSES = 3;

/**
 * Runs handlers in processes of their own, one task at a time each. A process is used again for tasks of the same job
 * type only: one type's code never meets what another's has left behind.
 */
export function createProcessPool(options: ProcessPoolOptions): HandlerPool {
  const turns = createTurns(options.processes);
  const living = new Set<HandlerProcess>();
  const idle = new Map<HandlerProcess, NodeJS.Timeout>();
  const endAll = () => {
    for (const handlerProcess of living) handlerProcess.end();
  };
  process.on('exit', endAll);

  async function take(type: JobType): Promise<HandlerProcess> {
    const used = [...idle.keys()].find(({ slug }) => slug === type.slug);
    if (used) {
      clearTimeout(idle.get(used));
      idle.delete(used);
      return used;
    }
    const longestIdle = idle.keys().next().value;
    if (longestIdle && living.size >= options.processes) discard(longestIdle);
    return await start(type);
  }

  async function start({ slug, memoryMb = options.memoryMb }: JobType): Promise<HandlerProcess> {
    const { modules, environment } = options;
    const started = await startHandlerProcess({ slug, memoryMb, modules, environment });
    living.add(started);
    void started.ended.then(() => {
      living.delete(started);
      clearTimeout(idle.get(started));
      idle.delete(started);
    });
    return started;
  }

  async function putBack(used: HandlerProcess): Promise<void> {
    if (!(await used.isReusable())) return discard(used);
    idle.set(used, setTimeout(() => discard(used), options.idleMs).unref());
  }

  function discard(unwanted: HandlerProcess): void {
    clearTimeout(idle.get(unwanted));
    idle.delete(unwanted);
    living.delete(unwanted);
    unwanted.end();
  }

  return {
    async run(run) {
      await turns.take(abortableBy(run.signal), run);
      let used: HandlerProcess | undefined;
      try {
        for (let losses = 1; ; losses++) {
          try {
            used = await take(run.type);
            return await used.run(run);
          } catch (error) {
            if (!(error instanceof ProcessLost)) throw error;
            if (losses === MAX_LOSSES) throw new HandlerFailed(error.failure);
          }
        }
      } finally {
        // Before the answer: whoever waits for that may come with the next task.
        if (used) await putBack(used);
        turns.end();
      }
    },
    async close() {
      process.off('exit', endAll);
      const ends = [...living].map(({ ended }) => ended);
      endAll();
      await Promise.all(ends);
    },
  };
}
