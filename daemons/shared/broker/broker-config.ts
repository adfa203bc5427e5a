import { readFileSync } from 'node:fs';
import { ConfigError, loadConfig, setting } from '@jobber/shared/config';
import { z } from 'zod';

/** Which broker the platform runs over, and where on it. */
export interface BrokerConfig {
  /** Without user, password and token; may be shown. */
  readonly serviceUrl: string;
  readonly driver: 'native' | 'websocket';
  readonly token: BrokerToken | undefined;
  /** A PEM file with the authorities that are trusted in place of the system's. */
  readonly tlsCaFile: string | undefined;
  readonly tenant: string;
  readonly namespace: string;
  /** Goes in front of `<slug>-jobs`. */
  readonly topicPrefix: string;
}

/** A file is read again for each connection: who renews the token renews the file. */
export type BrokerToken = { readonly value: string } | { readonly file: string };

const URL_FORM =
  'must be a URL such as pulsar://host:6650, pulsar+ssl://host:6651, ws://host:8080 or wss://host:8443, without a user, ' +
  'password, query or fragment (a token goes into PULSAR_TOKEN or PULSAR_TOKEN_FILE)';
const NAME_FORM = 'must have 1 to 100 letters, digits or any of the characters - = : . _';
const TOKEN_FORM = 'must be one line of 1 to 16384 visible ASCII characters';
/** What fits into a header; JSON Web Tokens are far from it. */
const TOKEN = /^[\x21-\x7e]{1,16384}$/;

const SETTINGS = {
  serviceUrl: setting('PULSAR_SERVICE_URL', z.string().refine(isServiceUrl, URL_FORM).optional(), {
    secret: true,
  }),
  token: setting('PULSAR_TOKEN', z.string().regex(TOKEN, TOKEN_FORM).optional(), { secret: true }),
  tokenFile: setting('PULSAR_TOKEN_FILE', z.string().optional()),
  tlsCaFile: setting('PULSAR_TLS_CA_FILE', z.string().optional()),
  tenant: setting('PULSAR_TENANT', name().default('public')),
  namespace: setting('PULSAR_NAMESPACE', name().default('default')),
  topicPrefix: setting('PULSAR_TOPIC_PREFIX', name().default('')),
};

/** The part of a daemon's configuration that concerns the broker; for `loadDaemonConfig`. */
export const brokerSection = {
  secretVariables: Object.values(SETTINGS).flatMap(({ secret, variable }) => (secret ? [variable] : [])),
  read: readBrokerConfig,
};

/**
 * @returns undefined when PULSAR_SERVICE_URL is not set: then there is no broker
 * @throws ConfigError that names every problem at once; URL and token are never part of it
 */
export function readBrokerConfig(
  environment: Readonly<Record<string, string | undefined>>,
): BrokerConfig | undefined {
  const { serviceUrl, token, tokenFile, ...place } = loadConfig(SETTINGS, environment);
  if (serviceUrl === undefined) return undefined;
  const problems = [
    ...(token !== undefined && tokenFile !== undefined
      ? ['PULSAR_TOKEN and PULSAR_TOKEN_FILE must not both be set']
      : []),
    ...(tokenFile === undefined ? [] : tokenFileProblems(tokenFile)),
    ...caFileProblems(place.tlsCaFile, serviceUrl),
  ];
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    serviceUrl: serviceUrl.replace(/\/+$/, ''),
    driver: /^pulsar/.test(serviceUrl) ? 'native' : 'websocket',
    token: token !== undefined ? { value: token } : tokenFile !== undefined ? { file: tokenFile } : undefined,
    ...place,
  };
}

/** @throws when the file can't be read any more or holds no token; the error's text shows neither */
export function currentToken(token: BrokerToken): string {
  if ('value' in token) return token.value;
  const text = readFileSync(token.file, 'utf8').trim();
  if (!TOKEN.test(text)) throw new Error(`The token in PULSAR_TOKEN_FILE ${TOKEN_FORM}.`);
  return text;
}

/** The one that all executors share, on each topic. */
export const SUBSCRIPTION = 'jobber-executors';

/** The full name of the topic of a job type: `persistent://public/default/fibonacci-jobs`. */
export function topicOf({ tenant, namespace, topicPrefix }: BrokerConfig, slug: string): string {
  return `persistent://${tenant}/${namespace}/${topicPrefix}${slug}-jobs`;
}

function isServiceUrl(raw: string): boolean {
  // Several brokers may stand in one URL of the binary protocol, which URL.parse does not know.
  const binary = /^pulsar(\+ssl)?:\/\/([^/?#@]+)\/?$/.exec(raw);
  if (binary) return (binary[2] ?? '').split(',').every(isHostAndPort);
  const url = URL.parse(raw);
  return url !== null && /^wss?:$/.test(url.protocol) && url.hostname !== '' && !/[?#@\s]/.test(raw);
}

function isHostAndPort(raw: string): boolean {
  return URL.parse(`tcp://${raw}`)?.host === raw && /^(\[[0-9a-fA-F:]+\]|[^\s:]+)(:\d{1,5})?$/.test(raw);
}

function name() {
  return z.string().regex(/^[-=:.\w]{1,100}$/, NAME_FORM);
}

function tokenFileProblems(file: string): string[] {
  try {
    currentToken({ file });
    return [];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return [
      code === undefined
        ? `PULSAR_TOKEN_FILE must hold a token, and ${TOKEN_FORM}; its content is not shown`
        : `PULSAR_TOKEN_FILE must name a readable file; got ${code}`,
    ];
  }
}

function caFileProblems(file: string | undefined, serviceUrl: string): string[] {
  if (file === undefined) return [];
  if (!/^(pulsar\+ssl|wss):/.test(serviceUrl))
    return ['PULSAR_TLS_CA_FILE needs a PULSAR_SERVICE_URL that begins with pulsar+ssl:// or wss://'];
  try {
    return /-----BEGIN CERTIFICATE-----/.test(readFileSync(file, 'utf8'))
      ? []
      : ['PULSAR_TLS_CA_FILE must hold certificates in PEM form'];
  } catch (error) {
    return [`PULSAR_TLS_CA_FILE must name a readable file; got ${(error as NodeJS.ErrnoException).code}`];
  }
}
