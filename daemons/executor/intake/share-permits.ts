/**
 * Shares the free slots of an executor among topics. A permit can't be taken back, and nobody knows which topic has messages:
 * topics that have been silent each keep permits for all free slots, so that whatever comes first is run at once; those that
 * deliver share what is free, in turns, so that no message arrives that would have to wait here. A permit stands for as many
 * slots as the topic's last message named tasks.
 */
export interface PermitShares {
  /** A message of the topic has arrived, with so many tasks. */
  arrived(topic: string, tasks: number): void;
  /** @returns how many permits each topic is to get now; the caller grants them */
  grant(freeSlots: number): Map<string, number>;
}

interface Share {
  outstanding: number;
  /** Tasks that a message names. */
  tasks: number;
  /** When a permit was last used or, with none outstanding, given; in milliseconds. */
  movedAt: number;
}

/** A topic that leaves permits unused for so long is silent. */
export const SILENT_MS = 100;

export function createPermitShares(
  topics: readonly string[],
  now: () => number = () => performance.now(),
): PermitShares {
  const shares = new Map<string, Share>(
    topics.map((topic) => [topic, { outstanding: 0, tasks: 1, movedAt: Number.NEGATIVE_INFINITY }]),
  );
  /** Whoever was given a permit last stands at the end. */
  const line = [...topics];

  const shareOf = (topic: string) => shares.get(topic) as Share;
  const slotsOf = ({ outstanding, tasks }: Share) => outstanding * tasks;
  const isSilent = ({ movedAt }: Share) => now() - movedAt >= SILENT_MS;

  function give(topic: string, permits: number, given: Map<string, number>): void {
    const share = shareOf(topic);
    // A topic that gets its first permit has to show now whether it has messages; a silent one stays so until it delivers.
    if (share.outstanding === 0 && !isSilent(share)) share.movedAt = now();
    share.outstanding += permits;
    given.set(topic, (given.get(topic) ?? 0) + permits);
  }

  return {
    arrived(topic, tasks) {
      const share = shareOf(topic);
      share.outstanding = Math.max(0, share.outstanding - 1);
      share.tasks = tasks;
      share.movedAt = now();
    },
    grant(freeSlots) {
      const given = new Map<string, number>();
      const lively = topics.filter((topic) => !isSilent(shareOf(topic)));
      let left = lively.reduce((rest, topic) => rest - slotsOf(shareOf(topic)), freeSlots);
      while (left > 0 && lively.length > 0) {
        const topic = line.find((one) => lively.includes(one)) as string;
        give(topic, 1, given);
        line.splice(line.indexOf(topic), 1);
        line.push(topic);
        left -= shareOf(topic).tasks;
      }
      for (const topic of topics) {
        const share = shareOf(topic);
        const more = Math.ceil((freeSlots - slotsOf(share)) / share.tasks);
        if (isSilent(share) && more > 0) give(topic, more, given);
      }
      return given;
    },
  };
}
