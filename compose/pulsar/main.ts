// `npm run pulsar`: a real Apache Pulsar on this machine, without Docker.
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import ora from 'ora';
import { type Interruptions, watchInterruptions } from '../embedded/platform/watch-interruptions.ts';
import { forgetBroker, runningBroker } from './broker-folder.ts';
import { PULSAR_VERSION } from './fetch-jars.ts';
import { PulsarError } from './pulsar-error.ts';
import { type PulsarBroker, startPulsar } from './start-pulsar.ts';

const EXIT = { ok: 0, usage: 2, unavailable: 6, interrupted: 130 } as const;
const STOPS_WITHIN_MS = 150_000;

const HELP = `Runs an Apache Pulsar ${PULSAR_VERSION} broker on this machine (127.0.0.1) until Ctrl-C. It needs Java 17 or newer, and Maven
the first time, when its jars are fetched (about 240 MB). Data is kept between starts.

  npm run pulsar                      start it, and wait
  npm run pulsar -- stop              stop the one that runs in the data folder

  --port <n>        the binary protocol, pulsar:// (default 6650)
  --web-port <n>    ws:// and the admin REST API (default 8080)
  --data-dir <dir>  where everything is kept (default ~/.local/share/jobber/pulsar)
  --help            this text
`;

interface Command {
  readonly action: 'start' | 'stop' | 'help';
  readonly port: number;
  readonly webPort: number;
  readonly dataDir: string;
}

async function main(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const command = readCommand(args, environment);
  if (typeof command === 'string') {
    process.stderr.write(`Error: ${command}\n\n${HELP}`);
    return EXIT.usage;
  }
  if (command.action === 'help') {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  const interruptions = watchInterruptions(environment);
  try {
    return command.action === 'stop' ? await stop(command) : await start(command, environment, interruptions);
  } catch (error) {
    if (interruptions.first.aborted) return EXIT.interrupted;
    if (!(error instanceof PulsarError)) throw error;
    process.stderr.write(`Error: ${error.message}\n`);
    return error.reason === 'folder-unusable' ? EXIT.usage : EXIT.unavailable;
  } finally {
    interruptions.dispose();
  }
}

/** @returns what is wrong with the arguments, when something is */
function readCommand(args: string[], environment: NodeJS.ProcessEnv): Command | string {
  const options = {
    port: { type: 'string', default: '6650' },
    'web-port': { type: 'string', default: '8080' },
    'data-dir': { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  } as const;
  let parsed: ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>>;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { values, positionals } = parsed;
  const [action = 'start', ...others] = positionals;
  if (others.length > 0 || (action !== 'start' && action !== 'stop')) {
    return `there is no command "${positionals.join(' ')}"; start and stop are the commands`;
  }
  const port = portOf(values.port);
  const webPort = portOf(values['web-port']);
  if (port === undefined) return `--port must be a port from 1 to 65535; got "${values.port}"`;
  if (webPort === undefined) return `--web-port must be a port from 1 to 65535; got "${values['web-port']}"`;
  if (port === webPort) return '--port and --web-port must be different ports';
  const shared = environment['XDG_DATA_HOME'] || join(homedir(), '.local', 'share');
  const dataDir = resolve(values['data-dir'] ?? join(shared, 'jobber', 'pulsar'));
  return { action: values.help ? 'help' : action, port, webPort, dataDir };
}

function portOf(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

async function start(
  { port, webPort, dataDir }: Command,
  environment: NodeJS.ProcessEnv,
  interruptions: Interruptions,
): Promise<number> {
  const startedAt = performance.now();
  const spinner = ora(`Apache Pulsar ${PULSAR_VERSION}`).start();
  let broker: PulsarBroker;
  try {
    broker = await startPulsar({
      dataDir,
      ports: { port, webPort },
      fullSpeed: true,
      environment,
      signal: interruptions.first,
      onPhase: (phase) => {
        spinner.text = `Apache Pulsar ${PULSAR_VERSION}: ${phase}`;
      },
    });
  } catch (error) {
    spinner.stop();
    throw error;
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  spinner.succeed(`Apache Pulsar ${PULSAR_VERSION} is ready after ${seconds} s`);
  process.stdout.write(`${describe(broker)}\n`);
  const asked = Promise.race([aborted(interruptions.first), broker.ended.then(() => 'ended' as const)]);
  if ((await asked) === 'ended') {
    forgetBroker(dataDir);
    process.stdout.write(`The broker was stopped from elsewhere. Its logs are in ${dataDir}/logs.\n`);
    return EXIT.ok;
  }
  const stopping = ora('stopping; Ctrl-C again ends it at once').start();
  await Promise.race([broker.stop(), aborted(interruptions.second).then(() => broker.kill())]);
  stopping.succeed('stopped; its data is kept');
  return interruptions.second.aborted ? EXIT.interrupted : EXIT.ok;
}

function describe({ serviceUrl, binaryUrl, adminUrl, dataDir }: PulsarBroker): string {
  return `
  WebSocket API    ${serviceUrl}
  binary protocol  ${binaryUrl}
  admin, metrics   ${adminUrl}
  data             ${dataDir}

  For Jobs and the executors:  PULSAR_SERVICE_URL=${serviceUrl}
  To stop it:                  Ctrl-C here, or npm run pulsar -- stop in another terminal
`;
}

async function stop({ dataDir }: Command): Promise<number> {
  const broker = runningBroker(dataDir);
  if (!broker) {
    process.stdout.write(`No broker runs in ${dataDir}.\n`);
    return EXIT.ok;
  }
  const spinner = ora(`stopping the broker of ${dataDir}`).start();
  process.kill(broker.pid, 'SIGTERM');
  const deadline = performance.now() + STOPS_WITHIN_MS;
  while (runningBroker(dataDir)) {
    if (performance.now() > deadline) {
      spinner.stop();
      const limit = `${STOPS_WITHIN_MS / 1000} seconds`;
      throw new PulsarError('stop-failed', `Process ${broker.pid} did not end within ${limit}.`);
    }
    await delay(100);
  }
  spinner.succeed('stopped; its data is kept');
  return EXIT.ok;
}

function aborted(signal: AbortSignal): Promise<'aborted'> {
  if (signal.aborted) return Promise.resolve('aborted');
  return new Promise((done) => signal.addEventListener('abort', () => done('aborted'), { once: true }));
}

process.exitCode = await main(process.argv.slice(2), process.env);
