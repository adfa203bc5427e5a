import type { BrokerMessage, Consumer } from '@jobber/shared/broker';
import type { HintProblem } from '@jobber/shared/hints';
import type { Logger } from '@jobber/shared/log';

/** Does away with messages that are no hint for this executor. */
export interface ForeignMessages {
  drop(foreign: ForeignMessage): void;
}

interface ForeignMessage {
  readonly slug: string;
  readonly message: BrokerMessage;
  readonly consumer: Pick<Consumer, 'ack' | 'nack'>;
  readonly problem: HintProblem;
}

/** A hint of a later release waits so long here: meanwhile an executor of that release may have come. */
const FUTURE_MS = 2_000;

/**
 * Whoever may write to a topic can write anything: it is counted, told once for each kind, and dropped. A hint of a later
 * release goes back, as an executor of that release understands it.
 */
export function dropForeign(parts: {
  onHint: (type: string, result: HintProblem) => void;
  log: Logger;
  stopping: AbortSignal;
}): ForeignMessages {
  const { onHint, log, stopping } = parts;
  const told = new Set<string>();
  const waiting = new Set<() => void>();
  stopping.addEventListener('abort', () => {
    for (const pass of waiting) pass();
  });

  function tellOnce(slug: string, problem: HintProblem, bytes: number): void {
    const kind = `${slug}/${problem}`;
    if (told.has(kind)) return;
    told.add(kind);
    const advice =
      problem === 'future-version' ? 'a later release wrote it: upgrade this executor' : 'it was dropped';
    log.warn(
      { type: slug, problem, bytes },
      `a message on the topic is no hint; ${advice} (told once for each kind)`,
    );
  }

  function passOnLater({ message, consumer }: ForeignMessage): void {
    const pass = () => {
      clearTimeout(timer);
      waiting.delete(pass);
      consumer.nack(message);
    };
    const timer = setTimeout(pass, FUTURE_MS);
    waiting.add(pass);
  }

  return {
    drop(foreign) {
      const { slug, message, consumer, problem } = foreign;
      onHint(slug, problem);
      tellOnce(slug, problem, message.body.length);
      if (problem !== 'future-version') consumer.ack(message);
      else if (stopping.aborted) consumer.nack(message);
      else passOnLater(foreign);
    },
  };
}
