import { isIPv6 } from 'node:net';

/**
 * What counts as one address: an IPv4 address, or the /64 that one IPv6 customer gets, who could otherwise be
 * 18 quintillion guessers.
 */
export function addressKey(address: string): string {
  const bare = address.replace(/%.*$/, '').toLowerCase();
  if (!isIPv6(bare)) return bare;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1];
  if (mapped) return mapped;
  const [head = '', tail = ''] = bare.split('::');
  const before = groups(head);
  const after = groups(tail);
  const zeros = bare.includes('::') ? 8 - before.length - after.length : 0;
  const all = [...before, ...Array<string>(Math.max(0, zeros)).fill('0'), ...after];
  return `${all.slice(0, 4).join(':')}::/64`;
}

function groups(text: string): string[] {
  if (text === '') return [];
  // Only the first four matter; a dotted quad stands for the last two.
  return text
    .split(':')
    .flatMap((group) => (group.includes('.') ? ['0', '0'] : [group.replace(/^0+(?=.)/, '')]));
}
