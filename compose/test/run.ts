// `npm run test:compose`: builds the image and runs docker-compose.yaml on a Docker engine of its own, with base images
// that stand in for those of a registry, and uses what runs as people do. Needs root, docker.io and iptables, and
// postgresql-client for the stand-in; what is missing is told as a skip. The last line counts the checks.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../embedded/free-port.ts';
import { checkFiles, checkImage } from './check-build.ts';
import { checkAddon, checkBuildKit } from './check-builders.ts';
import { checkDevelopment } from './check-development.ts';
import { checkHardening, checkStops, checkUse } from './check-platform.ts';
import { checkDatabaseRefusals, checkSmallDisk, checkStartRefusals } from './check-refusals.ts';
import { checkPulsar, checkRestarts, checkScale } from './check-restarts.ts';
import { startEngine } from './engine.ts';
import { openPlatform } from './platform.ts';
import { createReport, type Report } from './report.ts';
import { makePulsarStandIn, makeStandIns } from './stand-ins/make-stand-ins.ts';

async function main(environment: NodeJS.ProcessEnv): Promise<number> {
  const report = createReport();
  const folder = mkdtempSync(join(tmpdir(), 'jobber-compose-'));
  mkdirSync(join(folder, 'engine'));
  try {
    const engine = await startEngine(join(folder, 'engine'), environment);
    if (typeof engine === 'string') {
      report.skip(
        'the image and the platform in containers',
        `${engine}; compose/compose-files.test.ts reads the files`,
      );
      return report.end();
    }
    console.log(`Docker Compose ${engine.composeVersion}, an engine in ${folder}`);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        void engine.stop().finally(() => {
          rmSync(folder, { recursive: true, force: true });
          process.exit(130);
        });
      });
    }
    try {
      await checkAll(report, folder, engine.environment);
    } finally {
      await engine.stop();
    }
    return report.end();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function checkAll(report: Report, folder: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const ports = { auth: await findFreePort(), jobs: await findFreePort(), products: await findFreePort() };
  const inProject = { project: 'jobbertest', ports };
  // What they are made in goes with the folder.
  const making = { ...environment, TMPDIR: folder };
  let missing: string | undefined;
  const made = await report.check('base images are made of programs of this machine', async () => {
    missing = await makeStandIns(making);
  });
  if (!made) return;
  if (missing !== undefined) {
    report.skip('the image and the platform in containers', missing);
    return;
  }
  const direct = openPlatform({ ...inProject, environment: { ...environment, JOBBER_BROKER: 'direct' } });
  const overPulsar = openPlatform({ ...inProject, environment: { ...environment, JOBBER_BROKER: 'ws' } });
  await checkFiles(report, direct);
  if (!(await checkImage(report, direct))) {
    report.skip('the platform in containers', 'there is no image');
    return;
  }
  await checkBuildKit(report, direct);
  await checkAddon(report, direct, folder);
  const disk = join(folder, 'disk');
  const onSmallDisk = openPlatform({
    ...inProject,
    environment: { ...environment, JOBBER_BROKER: 'direct', SMALL_DISK: disk },
    files: ['docker-compose.yaml', 'compose/test/small-disk.yaml'],
  });
  await checkSmallDisk(report, onSmallDisk, disk);
  try {
    await checkStartRefusals(report, direct);
    const started = await report.check(
      'docker compose up -d --wait ends when everything is ready',
      async () => {
        await direct.compose('up', '-d', '--wait', '--wait-timeout', '240');
      },
    );
    if (!started) {
      console.log(await direct.compose('logs', '--tail', '30'));
      return;
    }
    await checkHardening(report, direct);
    await checkUse(report, direct, folder);
    await checkDatabaseRefusals(report, direct);
    await checkScale(report, direct);
    await checkRestarts(report, direct);
    await checkStops(report, direct);
    const withoutPulsar = await makePulsarStandIn(making);
    if (withoutPulsar !== undefined) {
      report.skip('the platform over Apache Pulsar, and docker-compose.local.yaml', withoutPulsar);
      return;
    }
    await checkPulsar(report, overPulsar);
    await checkDevelopment(report, environment, folder);
  } finally {
    await report.check('docker compose down -v leaves no container and no volume', async () => {
      // The broker is part of the platform only where it is used.
      await overPulsar.compose('down', '-v', '--timeout', '35');
      const left = [await direct.docker('ps', '-aq'), await direct.docker('volume', 'ls', '-q')]
        .join('')
        .trim();
      if (left !== '') throw new Error(`left are ${left}`);
    });
  }
}

process.exitCode = await main(process.env);
