import type { HandlerFailure } from './handler-run.ts';

/** How a process ended while a handler ran in it. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Why we ended it; undefined when we did not. */
  readonly endedFor: EndedFor | undefined;
  /** The last that it printed to standard error. */
  readonly errorOutput: string;
}

/** `nonsense`: it sent what is no message, or too much. `late`: it did not begin with the task. */
export type EndedFor = 'memory' | 'nonsense' | 'late';

/** As the handler's failure. */
export function describeProcessEnd(end: ProcessEnd, memoryMb: number): HandlerFailure {
  if (end.endedFor === 'memory' || /JavaScript heap out of memory/.test(end.errorOutput)) {
    return failure('OutOfMemory', `The handler needed more than ${memoryMb} MiB`);
  }
  if (end.endedFor === 'nonsense') {
    return failure('InvalidResult', "The handler's process sent what is no message, or too much of it");
  }
  if (end.endedFor === 'late') {
    return failure('HandlerExited', "The handler's process did not begin with the task in time");
  }
  const how =
    end.signal === null ? `ended its process with code ${end.exitCode}` : `was ended by ${end.signal}`;
  return failure('HandlerExited', `The handler ${how}`);
}

function failure(reason: string, message: string): HandlerFailure {
  return { reason, message, consequence: 'retry' };
}
