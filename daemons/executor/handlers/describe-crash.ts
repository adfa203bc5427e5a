import { describeFailure, type HandlerFailure } from './handler-run.ts';

/** Why a thread ended while a handler ran in it, as that handler's failure. */
export function describeCrash(error: unknown, memoryMb: number): HandlerFailure {
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return {
      reason: 'OutOfMemory',
      message: `The handler needed more than ${memoryMb} MiB`,
      consequence: 'retry',
    };
  }
  const exitCode = /^worker exited with code: (-?\d+)$/.exec(message)?.[1];
  if (exitCode !== undefined) {
    return {
      reason: 'HandlerExited',
      message: `The handler ended its thread with code ${exitCode}`,
      consequence: 'retry',
    };
  }
  return describeFailure(error);
}
