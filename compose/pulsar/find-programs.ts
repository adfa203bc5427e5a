import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PulsarError } from './pulsar-error.ts';

const OLDEST_JAVA = 17;
const ELSEWHERE =
  'Or use a broker that runs elsewhere: set PULSAR_SERVICE_URL to its address, for example that of ' +
  '`docker run -p 6650:6650 -p 8080:8080 apachepulsar/pulsar:4.2.4 bin/pulsar standalone`.';
const GET_JAVA = `Install it (Debian: apt-get install openjdk-17-jre-headless, macOS: brew install openjdk) or set JAVA_HOME. ${ELSEWHERE}`;

export interface Java {
  readonly program: string;
  /** In full, such as `17.0.15`. */
  readonly version: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The Java of JAVA_HOME, or the one in the PATH. @throws PulsarError `java-missing` when it is absent or too old */
export async function findJava(environment: Environment): Promise<Java> {
  const home = environment['JAVA_HOME'];
  const program = home ? join(home, 'bin', 'java') : 'java';
  const output = await outputOf(program, ['-version'], environment);
  const version = /version "([^"]+)"/.exec(output ?? '')?.[1];
  if (version === undefined) {
    const where = home ? `in JAVA_HOME (${home})` : 'in the PATH';
    throw new PulsarError(
      'java-missing',
      `A Pulsar broker needs Java ${OLDEST_JAVA} or newer, and there is no Java ${where}. ${GET_JAVA}`,
    );
  }
  if (Number.parseInt(version, 10) < OLDEST_JAVA) {
    throw new PulsarError(
      'java-missing',
      `A Pulsar broker needs Java ${OLDEST_JAVA} or newer; ${program} is Java ${version}. ${GET_JAVA}`,
    );
  }
  return { program, version };
}

/** @throws PulsarError `maven-missing` */
export async function findMaven(environment: Environment): Promise<string> {
  if (await outputOf('mvn', ['-version'], environment)) return 'mvn';
  throw new PulsarError(
    'maven-missing',
    `Maven is needed once, to fetch the broker's jars, and there is no mvn in the PATH. Install it (Debian: apt-get install maven, macOS: brew install maven). ${ELSEWHERE}`,
  );
}

/** Both streams, as `java -version` writes to the second; undefined when the program can't be run or fails. */
async function outputOf(
  program: string,
  args: string[],
  environment: Environment,
): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { env: { ...environment } });
    return `${stdout}${stderr}`;
  } catch {
    return undefined;
  }
}
