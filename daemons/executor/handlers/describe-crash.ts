import { describeFailure } from './handler-run.ts';

/** Why a thread ended while a handler ran in it, as that handler's failure. */
export function describeCrash(error: unknown, memoryMb: number): ReturnType<typeof describeFailure> {
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return {
      reason: 'OutOfMemory',
      message: `The handler needed more than ${memoryMb} MiB`,
      permanent: false,
    };
  }
  const exitCode = /^worker exited with code: (-?\d+)$/.exec(message)?.[1];
  if (exitCode !== undefined) {
    return {
      reason: 'HandlerExited',
      message: `The handler ended its thread with code ${exitCode}`,
      permanent: false,
    };
  }
  return describeFailure(error);
}
