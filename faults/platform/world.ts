import { appendFileSync } from 'node:fs';
import { readBroker } from '../checker/read-broker.ts';
import { type Changer, createChanger } from '../load/changer.ts';
import { type Client, connectClient } from '../load/client.ts';
import { type Judgement, judge } from '../load/judge.ts';
import { type Poller, startPoller } from '../load/poller.ts';
import { createRecorder, type Recorder } from '../load/recorder.ts';
import { createSubmitter, type Submitter } from '../load/submitter.ts';
import type { Random } from '../random.ts';
import { waitUntil } from '../wait-until.ts';
import { DATABASES } from './databases.ts';
import { type FaultPlatform, type PlatformOptions, startFaultPlatform } from './fault-platform.ts';
import { findSecrets } from './find-secrets.ts';

export interface Fault {
  readonly name: string;
  /** While it lasts, the public door cannot answer. */
  readonly silences?: boolean;
}

/** A platform with a user who submits and reads, all of it recorded, and what breaks and judges it. */
export interface World {
  readonly platform: FaultPlatform;
  readonly client: Client;
  readonly submitter: Submitter;
  readonly changer: Changer;
  readonly recorder: Recorder;
  readonly random: Random;
  /** Runs `work` as one fault: its beginning and end are recorded, and after it everything is healed. */
  during(fault: Fault, work: () => Promise<unknown>): Promise<void>;
  /** Waits until nothing is left to do. @returns whether that was within the promised two minutes */
  comeToRest(withinMs?: number): Promise<boolean>;
  /** What the checker says about everything since the start. */
  judge(): Promise<Judgement>;
  /** Where secrets can be read that nobody should read: none. */
  leaks(): Promise<string[]>;
  /** Comes to rest and is judged. @throws with the checker's table when the verdict is not valid, or where a secret is read */
  hold(): Promise<Judgement>;
  stop(options?: { keepFolder: boolean }): Promise<void>;
}

/** Two minutes are promised; a machine that is busy with other things gets some more, and the checker says who was late. */
const REST_MS = 150_000;

const UNFINISHED = `
  select 1 from job where status not in ('COMPLETED', 'FAILED', 'CANCELLED')
  union all select 1 from task where lease_until is not null limit 1`;

export interface WorldOptions extends PlatformOptions {
  /** Whether its last verdict goes into the report of the run. Default true; a build that is broken on purpose does not. */
  readonly reported?: boolean;
}

export async function createWorld(random: Random, options: WorldOptions = {}): Promise<World> {
  const platform = await startFaultPlatform(options);
  const { databases, edges, daemons, folder } = platform;
  const client = await connectClient(platform.urls);
  const recorder = createRecorder(folder);
  const submitter = createSubmitter(client, recorder);
  const poller: Poller = startPoller(client, submitter.accepted, recorder);
  const changer = createChanger(client, recorder, poller.again);
  let last: Judgement | undefined;

  async function heal(): Promise<void> {
    for (const edge of Object.values(edges)) edge.heal();
    await databases.start();
    for (const daemon of daemons) {
      try {
        daemon.signal('SIGCONT');
      } catch {
        // It is between two runs; its supervisor starts it again.
      }
    }
  }

  async function comeToRest(withinMs = REST_MS): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    const read = await poller.untilAllEnded(withinMs);
    const isAtRest = async () =>
      (await databases.query('jobs', UNFINISHED)).length === 0 && (await isBrokerEmpty());
    const left = Math.max(1_000, deadline - performance.now());
    const rested = await waitUntil('everything is at rest', isAtRest, { withinMs: left }).catch(() => false);
    return read && rested;
  }

  const adminUrl = options.broker?.adminUrl;
  const { topicPrefix } = platform;

  async function isBrokerEmpty(): Promise<boolean> {
    const topics = adminUrl === undefined ? [] : await readBroker({ adminUrl, topicPrefix });
    return topics.every(({ backlog }) => backlog === 0);
  }

  async function judgeNow(): Promise<Judgement> {
    last = await judge({
      ...recorder,
      folder,
      environment: {
        CHECKER_JOBS_DATABASE_URL: databases.readOnlyUrls.jobs,
        CHECKER_PRODUCTS_DATABASE_URL: databases.readOnlyUrls.products,
        CHECKER_AUTH_DATABASE_URL: databases.readOnlyUrls.auth,
        CHECKER_JOBS_URL: platform.urls.jobsDirect,
        CHECKER_PRODUCTS_URL: platform.urls.products,
        CHECKER_TOKEN: client.token,
        ...(adminUrl !== undefined && {
          CHECKER_BROKER_ADMIN_URL: adminUrl,
          CHECKER_BROKER_TOPIC_PREFIX: topicPrefix,
        }),
      },
    });
    return last;
  }

  const leaks = () =>
    findSecrets({
      daemons,
      files: [...daemons.map(({ logFile }) => logFile), databases.logFile, recorder.callsFile],
      secrets: [
        platform.serviceSecret,
        ...DATABASES.map((name) => new URL(databases.urls[name]).password),
        ...client.secrets,
      ],
    });

  return {
    platform,
    client,
    submitter,
    changer,
    recorder,
    random,
    async during({ name, silences = false }, work) {
      recorder.call({ event: 'fault', name, silences });
      try {
        await work();
      } finally {
        await heal();
        recorder.call({ event: 'healed' });
      }
    },
    comeToRest,
    judge: judgeNow,
    leaks,
    async hold() {
      await platform.untilReady();
      await comeToRest();
      const judgement = await judgeNow();
      if (!judgement.valid)
        throw new Error(`The checker's verdict (histories and logs in ${folder}):\n${judgement.table}`);
      const leaking = await leaks();
      if (leaking.length > 0) throw new Error(`Secrets can be read: ${leaking.slice(0, 10).join('; ')}`);
      return judgement;
    },
    async stop(stopOptions) {
      await poller.stop();
      const report = process.env['FAULTS_REPORT'];
      const { problems: _, table: __, ...sums } = last ?? {};
      if (report && last && options.reported !== false) appendFileSync(report, `${JSON.stringify(sums)}\n`);
      await platform.stop(stopOptions);
    },
  };
}
