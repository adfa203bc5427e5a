const WIDTH = 80;

/**
 * Breaks a text between words, for help.
 *
 * @param indent columns in front of each line; those of the first are there already
 */
export function wrapWords(text: string, indent: number): string {
  const room = Math.max(20, WIDTH - indent);
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}
