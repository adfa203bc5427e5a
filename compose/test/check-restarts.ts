import { expectEqual } from './check-build.ts';
import { Client, keepLoading, type LoadedJob } from './client.ts';
import type { Platform } from './platform.ts';
import type { Report } from './report.ts';
import { waitUntil } from './wait-until.ts';

export async function checkScale(report: Report, platform: Platform): Promise<void> {
  await report.check('docker compose up --scale executor=3: three are healthy', async () => {
    await platform.compose('up', '-d', '--wait', '--no-recreate', '--scale', 'executor=3');
    const executors = await platform.containers('executor');
    expectEqual(
      executors.map(({ State }) => State.Health?.Status),
      ['healthy', 'healthy', 'healthy'],
    );
  });
}

/** Nothing that was accepted may be lost or done twice, whatever is restarted meanwhile. */
export async function checkRestarts(report: Report, platform: Platform): Promise<void> {
  const whole = ['up', '-d', '--wait', '--no-recreate', '--scale', 'executor=3'];
  const client = await newClient(platform);
  const check = (what: string, restart: () => Promise<unknown>) =>
    checkUnderLoad(report, client, `restarted under load, nothing is lost or doubled: ${what}`, restart);
  await check('each daemon in turn', async () => {
    for (const name of ['auth', 'products', 'jobs', 'executor']) await platform.compose('restart', name);
  });
  await check('PostgreSQL', () => platform.compose('restart', 'postgres'));
  await check('everything', () => platform.compose('restart'));
  await check('each daemon and PostgreSQL by Docker, after a crash', async () => {
    for (const name of ['auth', 'products', 'jobs', 'executor', 'postgres']) await crash(platform, name);
  });
  await check('everything at once, killed', async () => {
    await platform.compose('kill');
    await platform.compose(...whole);
  });
}

/** The data and the image stay; only JOBBER_BROKER is another. */
export async function checkPulsar(report: Report, platform: Platform): Promise<void> {
  const started = await report.check(
    'the same platform over Apache Pulsar: docker compose up -d --wait',
    async () => {
      await platform.compose('up', '-d', '--wait', '--wait-timeout', '300');
    },
  );
  if (!started) {
    console.log(await platform.compose('logs', '--tail', '30'));
    return;
  }
  const client = await newClient(platform);
  await checkUnderLoad(
    report,
    client,
    'over Apache Pulsar nothing is lost or doubled while it is restarted, and when it crashes',
    async () => {
      await platform.compose('restart', 'pulsar');
      await crash(platform, 'pulsar');
    },
  );
  await moveToOtherAddresses(report, platform);
}

/** As after `docker compose down`: the volume stays, the container and its address are new. */
async function moveToOtherAddresses(report: Report, platform: Platform): Promise<void> {
  await report.check('Pulsar in a new container, at another address, finds its data', async () => {
    const addressOf = async () =>
      (await platform.containers('pulsar')).flatMap(({ NetworkSettings }) =>
        Object.values(NetworkSettings.Networks).map(({ IPAddress }) => IPAddress),
      );
    const before = await addressOf();
    await platform.compose('rm', '--stop', '--force', 'pulsar');
    // Takes the address that has become free.
    const holder = ['run', '--detach', '--name', 'holder', '--no-deps', '--entrypoint', 'node', 'migrate'];
    await platform.compose(...holder, '-e', 'setInterval(() => {}, 1000)');
    try {
      await platform.compose('up', '-d', '--wait', '--wait-timeout', '240');
      const after = await addressOf();
      if (after.some((address) => before.includes(address))) throw new Error(`still at ${after}`);
    } finally {
      await platform.docker('rm', '--force', 'holder');
    }
  });
}

/** Kills a container's program from outside, as the kernel would: `docker kill` counts as a wish to have it stopped. */
async function crash(platform: Platform, service: string): Promise<void> {
  const [before] = await platform.containers(service);
  if (before === undefined) throw new Error(`there is no container of ${service}`);
  process.kill(before.State.Pid, 'SIGKILL');
  await waitUntil(
    `Docker starts ${service} again`,
    async () => (await platform.containers(service)).find(({ Name }) => Name === before.Name),
    (now) => now?.State.Status === 'running' && now.RestartCount > before.RestartCount,
  );
}

async function newClient(platform: Platform): Promise<Client> {
  const client = new Client(platform);
  await client.enter(`load-${Date.now()}@example.com`, 'correct horse battery');
  return client;
}

async function checkUnderLoad(
  report: Report,
  client: Client,
  name: string,
  disturb: () => Promise<unknown>,
): Promise<void> {
  await report.check(name, async () => {
    const load = keepLoading(client, `load-${Date.now()}`);
    await disturb();
    const jobs = await load.stop();
    if (jobs.length === 0) throw new Error('no job was accepted');
    for (const job of jobs) await client.waitUntilCompleted(job);
    await expectProducts(client, jobs);
  });
}

/** One product for each item, of each job. */
async function expectProducts(client: Client, jobs: LoadedJob[]): Promise<void> {
  for (const { id, items } of jobs) {
    const { products } = await client.ask(
      'products',
      'query ($job: Float!) { products(filter: { jobId: $job }, limit: 100) { name } }',
      { job: id },
    );
    const names = (products as { name: string }[]).map(({ name }) => name);
    expectEqual([id, names.length, new Set(names).size], [id, items, items]);
  }
}
