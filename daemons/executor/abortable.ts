/** What may be given up before it has ended. Of tens of thousands a second it is lighter than an AbortSignal with a listener. */
export interface Abortable {
  /** Is called when it is given up: set by what waits for something on its behalf, one thing at a time. */
  onAbort: (() => void) | undefined;
  /** Why it was given up; undefined when it was not. */
  readonly abortReason: unknown;
}

/** What is given up by a signal. */
export function abortableBy(signal: AbortSignal): Abortable {
  const abortable: Abortable = {
    onAbort: undefined,
    get abortReason() {
      return signal.aborted ? signal.reason : undefined;
    },
  };
  signal.addEventListener('abort', () => abortable.onAbort?.(), { once: true });
  return abortable;
}
