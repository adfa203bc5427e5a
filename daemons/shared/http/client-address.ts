import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Context } from 'hono';

/** Whether an address is that of a proxy of ours, whose word about its callers counts. */
export type IsTrustedProxy = (address: string) => boolean;

/** @param ranges such as `10.0.0.0/8` and `fd00::/8`. @throws Error when one is malformed */
export function trustProxies(ranges: readonly string[]): IsTrustedProxy {
  const trusted = new BlockList();
  for (const range of ranges) {
    const [, network = '', bits] = /^([^/]+)\/(\d{1,3})$/.exec(range) ?? [];
    if (network === '') throw new Error(`${JSON.stringify(range)} is no range of addresses`);
    trusted.addSubnet(network, Number(bits), familyOf(network));
  }
  return (address) => isIP(address) !== 0 && trusted.check(address, familyOf(address));
}

/**
 * The address that a request came from, as the socket knows it. Only a trusted proxy is believed what it says in
 * X-Forwarded-For: its last entry is who connected to it, and the entries before that count as long as each next one is a
 * trusted proxy too. What stands further left was sent by whoever wanted to be somebody else.
 */
export function clientAddress(c: Context, isTrustedProxy: IsTrustedProxy): string {
  const { incoming } = c.env as { incoming?: IncomingMessage };
  let address = incoming?.socket.remoteAddress ?? 'unknown';
  const told = (c.req.header('x-forwarded-for') ?? '').split(',');
  while (isTrustedProxy(address)) {
    const before = withoutPort(told.pop()?.trim() ?? '');
    // A proxy that does not know who called it is all that is known.
    if (isIP(before) === 0) return address;
    address = before;
  }
  return address;
}

/** Some load balancers write `192.0.2.1:4711` and `[2001:db8::1]:4711`. */
function withoutPort(entry: string): string {
  return /^\[(.+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(entry)?.[1] ?? entry;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
