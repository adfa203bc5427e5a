// A broker in memory, with the port's whole contract and nothing more, that tests can break.
import type { Broker, BrokerMessage, Consumer, Publisher } from '../broker.ts';

interface Member {
  permits: number;
  readonly unacked: Set<BrokerMessage>;
  readonly onMessage: (message: BrokerMessage) => void;
}

interface Topic {
  readonly waiting: BrokerMessage[];
  readonly members: Set<Member>;
}

export class InMemoryBroker {
  /** Whether what is published is stored and confirmed. `unconfirmed`: stored, and nobody learns of it. */
  mode: 'sound' | 'refusing' | 'silent' | 'unconfirmed' = 'sound';
  /** While silent, publishing ends unconfirmed after this many milliseconds. */
  silentMs = 200;
  /** What was published, by slug; also what was consumed since. */
  readonly published = new Map<string, Buffer[]>();
  private readonly topics = new Map<string, Topic>();

  private topic(slug: string): Topic {
    const topic = this.topics.get(slug) ?? { waiting: [], members: new Set() };
    this.topics.set(slug, topic);
    return topic;
  }

  /** Puts any bytes into a topic. */
  inject(slug: string, body: Buffer): void {
    const topic = this.topic(slug);
    topic.waiting.push({ body });
    this.deliver(topic);
  }

  /** Forgets all messages, also those that were delivered. */
  wipe(): void {
    for (const topic of this.topics.values()) {
      topic.waiting.splice(0);
      for (const member of topic.members) member.unacked.clear();
    }
  }

  /** Messages of a topic that nobody has acknowledged. */
  backlog(slug: string): number {
    const { waiting, members } = this.topic(slug);
    return [...members].reduce((sum, { unacked }) => sum + unacked.size, waiting.length);
  }

  private deliver(topic: Topic): void {
    for (;;) {
      const member = [...topic.members].find(({ permits }) => permits > 0);
      const message = member && topic.waiting.shift();
      if (!message) return;
      // Whoever was served stands at the end.
      topic.members.delete(member);
      topic.members.add(member);
      member.permits -= 1;
      member.unacked.add(message);
      setImmediate(() => member.onMessage(message));
    }
  }

  /** One client's connection. */
  connect(): Broker {
    const consumers = new Set<Consumer>();
    return {
      openPublisher: (slug) => this.openPublisher(slug),
      subscribe: (slug, onMessage) => {
        const consumer = this.subscribe(slug, onMessage);
        consumers.add(consumer);
        return consumer;
      },
      close: async () => void (await Promise.all([...consumers].map((consumer) => consumer.close()))),
    };
  }

  private openPublisher(slug: string): Publisher {
    return {
      publish: async (bodies) => {
        if (this.mode === 'silent') await new Promise((resolve) => setTimeout(resolve, this.silentMs));
        else await new Promise((resolve) => setImmediate(resolve));
        const stored = this.mode === 'sound' || this.mode === 'unconfirmed';
        if (stored) {
          this.published.set(slug, [...(this.published.get(slug) ?? []), ...bodies]);
          for (const body of bodies) this.inject(slug, body);
        }
        return bodies.map(() => this.mode === 'sound');
      },
      check: async () => this.check(),
      close: async () => {},
    };
  }

  private subscribe(slug: string, onMessage: (message: BrokerMessage) => void): Consumer {
    const topic = this.topic(slug);
    const member: Member = { permits: 0, unacked: new Set(), onMessage };
    topic.members.add(member);
    return {
      grant: (permits) => {
        member.permits += permits;
        this.deliver(topic);
      },
      ack: (message) => void member.unacked.delete(message),
      nack: (message) => {
        if (!member.unacked.delete(message)) return;
        topic.waiting.push(message);
        this.deliver(topic);
      },
      check: async () => this.check(),
      close: async () => {
        topic.members.delete(member);
        topic.waiting.unshift(...member.unacked);
        member.unacked.clear();
        this.deliver(topic);
      },
    };
  }

  private check(): void {
    if (this.mode !== 'sound') throw new Error('the broker can not be reached');
  }
}
