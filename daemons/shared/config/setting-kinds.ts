import { BlockList, isIPv6 } from 'node:net';
import { z } from 'zod';

const PUBLISHED_SECRETS = ['change-me', 'changeme', 'secret', 'development', 'example', 'password', 'jobber'];

/** A TCP port. 0 lets the system choose a free one. */
export function port(fallback: number) {
  const message = 'must be a port from 0 to 65535';
  return z
    .string()
    .regex(/^\d{1,5}$/, message)
    .transform(Number)
    .refine((value) => value <= 65_535, message)
    .default(fallback);
}

export function integer(fallback: number, range: { min: number; max: number }) {
  const message = `must be a whole number from ${range.min} to ${range.max}`;
  return z
    .string()
    .regex(/^-?\d{1,15}$/, message)
    .transform(Number)
    .refine((value) => value >= range.min && value <= range.max, message)
    .default(fallback);
}

export function text(fallback?: string) {
  const schema = z.string('must be set');
  return fallback === undefined ? schema : schema.default(fallback);
}

export function flag(fallback: boolean) {
  return z
    .enum(['true', 'false', '1', '0'], 'must be true or false')
    .transform((value) => value === 'true' || value === '1')
    .default(fallback);
}

export function oneOf<const T extends readonly [string, ...string[]]>(values: T, fallback: T[number]) {
  const schema = z.enum(values as unknown as [string, ...string[]], `must be one of ${values.join(', ')}`);
  return schema.default(fallback) as unknown as z.ZodType<T[number]>;
}

/** A PostgreSQL connection URL. Declare it as a secret: it can carry a password. */
export function postgresUrl() {
  const message = 'must be a URL such as postgresql://user:password@host:5432/database';
  return z.string(message).refine(isPostgresUrl, message);
}

function isPostgresUrl(raw: string): boolean {
  const url = URL.parse(raw);
  return (
    url !== null && /^postgres(ql)?:$/.test(url.protocol) && url.hostname !== '' && url.pathname.length > 1
  );
}

/** host:port of a gRPC server. */
export function grpcAddress(fallback: string) {
  return z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:/]+):\d{1,5}$/, 'must be an address such as localhost:5000')
    .default(fallback);
}

/** Ranges of addresses such as `10.0.0.0/8,fd00::/8`. None: an empty list. */
export function addressRanges() {
  return z
    .string()
    .default('')
    .transform((value) => (value === '' ? [] : value.split(',').map((range) => range.trim())))
    .refine(
      (ranges) => ranges.every(isAddressRange),
      'must be ranges of addresses such as 10.0.0.0/8, separated by commas',
    );
}

function isAddressRange(text: string): boolean {
  const [, network = '', bits] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  try {
    new BlockList().addSubnet(network, Number(bits), isIPv6(network) ? 'ipv6' : 'ipv4');
    return true;
  } catch {
    return false;
  }
}

/** A secret of at least 32 characters that is not one of those published in examples. Declare it as a secret. */
export function secret() {
  return z
    .string('must be set to a random text of at least 32 characters')
    .min(32, 'must have at least 32 characters')
    .refine(
      (value) => !PUBLISHED_SECRETS.some((word) => value.toLowerCase().startsWith(word)),
      'is a published example; make one with `openssl rand -hex 32`',
    )
    .refine((value) => new Set(value).size >= 8, 'must not repeat the same few characters');
}

/** What `secret()` is in development, where the secrets of the `.env.example` files will do. */
export function publishedSecret() {
  return z.string('must be set to a random text of at least 32 characters').min(32);
}
