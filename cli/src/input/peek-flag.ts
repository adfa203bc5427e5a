/** The value of `--name value` or `--name=value`, read before the command line can be parsed as a whole. */
export function peekFlag(argv: readonly string[], name: string): string | undefined {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  const at = words.indexOf(`--${name}`);
  if (at !== -1) return words[at + 1];
  return words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
}
