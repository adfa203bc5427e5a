const GLOBAL_FLAGS: Record<string, 'switch' | 'value'> = {
  '--json': 'switch',
  '--profile': 'value',
  '--server': 'value',
};

/**
 * Allows what oclif does not: `jobber help job run` for `jobber job run --help`, and global flags in front of the command.
 */
export function arrangeArguments(args: readonly string[]): string[] {
  const rest = [...args];
  const leading: string[] = [];
  for (let first = rest[0]; first !== undefined; first = rest[0]) {
    const kind = GLOBAL_FLAGS[first.split('=', 1)[0] ?? ''];
    if (kind === undefined) break;
    leading.push(...rest.splice(0, kind === 'value' && !first.includes('=') ? 2 : 1));
  }
  if (rest[0] === 'help') rest.splice(0, 1, '--help');
  if (rest[0] === '--help' || rest[0] === '-h') rest.push(...rest.splice(0, 1));
  const end = rest.indexOf('--');
  rest.splice(end === -1 ? rest.length : end, 0, ...leading);
  return rest;
}
