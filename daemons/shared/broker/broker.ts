/**
 * What jobber asks of a message broker, and nothing more: hints go out and come in. A driver knows its protocol and holds no
 * rule of the engine: which task is ready, which attempt counts and when to try again stand in PostgreSQL. A message may be
 * lost, doubled, late or forged.
 */
export interface Broker {
  /**
   * To the topic of a job type, `<slug>-jobs` in the configured namespace. Opens nothing yet: the connection is made, and made
   * again after a loss, in the background.
   */
  openPublisher(slug: string): Publisher;
  /** A member of the topic's one shared subscription: each message goes to one of its members. */
  subscribe(slug: string, onMessage: (message: BrokerMessage) => void): Consumer;
  /** Closes all publishers and consumers. */
  close(): Promise<void>;
}

export interface Publisher {
  /**
   * Sends messages in their order.
   * @returns for each message, in the same order, whether the broker has confirmed it. One that was not confirmed may have
   * been stored all the same. Never rejects; answers within the driver's time limit.
   */
  publish(bodies: readonly Buffer[]): Promise<readonly boolean[]>;
  /** Resolves while messages can be published; rejects with the reason when they can't. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface Consumer {
  /** Asks for so many more messages. What was asked for and has not come survives a reconnect. */
  grant(permits: number): void;
  /** The message is done with. Not confirmed by the broker: it may come again. */
  ack(message: BrokerMessage): void;
  /** Another member may have the message soon. */
  nack(message: BrokerMessage): void;
  /** Resolves while messages can arrive; rejects with the reason when they can't. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface BrokerMessage {
  /** Any bytes: whoever may write to the topic has written them. */
  readonly body: Buffer;
}
