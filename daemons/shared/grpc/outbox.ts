/** Messages on their way into a stream, in order. `send` never waits: whoever sends bounds what is under way. */
export interface Outbox<Message> extends AsyncIterable<Message> {
  send(message: Message): void;
  /** What has not been taken yet is dropped. May be called twice. */
  end(): void;
}

/** @returns an outbox that one stream may empty */
export function createOutbox<Message>(): Outbox<Message> {
  const waiting: Message[] = [];
  let ended = false;
  let wake: () => void = () => {};

  async function* messages(): AsyncGenerator<Message, void, undefined> {
    while (!ended) {
      const next = waiting.shift();
      if (next !== undefined) yield next;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }

  return {
    send(message) {
      if (ended) return;
      waiting.push(message);
      wake();
    },
    end() {
      ended = true;
      waiting.length = 0;
      wake();
    },
    [Symbol.asyncIterator]: messages,
  };
}
