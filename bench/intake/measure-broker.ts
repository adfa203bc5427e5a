import { setTimeout as sleep } from 'node:timers/promises';
import { openBroker, type Publisher, readBrokerConfig } from '@jobber/shared/broker';
import { createLogger } from '@jobber/shared/log';
import type { Figure } from '../report.ts';
import { round } from '../statistics.ts';

const MESSAGES = 20_000;
const BATCH = 500;
const BODY = Buffer.from(JSON.stringify({ v: 1, job: 1_234_567, task: 0, attempt: 1 }));

/** What the broker confirms when nothing else is done: no relay can publish more. */
export async function measureBroker(serviceUrl: string): Promise<Figure[]> {
  const config = readBrokerConfig({ PULSAR_SERVICE_URL: serviceUrl });
  if (!config) throw new Error('there is no broker');
  const broker = await openBroker(config, createLogger({ daemon: 'bench', level: 'warn' }));
  try {
    const publisher = broker.openPublisher('bench');
    while (!(await canPublish(publisher))) await sleep(20);
    // A broker that has just started compiles what it does often.
    await publishAll(publisher);
    const started = performance.now();
    await publishAll(publisher);
    const seconds = (performance.now() - started) / 1_000;
    return [
      {
        name: `${MESSAGES} messages in batches of ${BATCH}, confirmed`,
        value: round(MESSAGES / seconds, 0),
        unit: 'messages/s',
      },
    ];
  } finally {
    await broker.close();
  }
}

async function publishAll(publisher: Publisher): Promise<void> {
  let confirmed = 0;
  for (let sent = 0; sent < MESSAGES; sent += BATCH) {
    confirmed += (await publisher.publish(Array(BATCH).fill(BODY))).filter(Boolean).length;
  }
  if (confirmed !== MESSAGES) throw new Error(`${confirmed} of ${MESSAGES} messages were confirmed`);
}

function canPublish(publisher: Publisher): Promise<boolean> {
  return publisher.check().then(
    () => true,
    () => false,
  );
}
