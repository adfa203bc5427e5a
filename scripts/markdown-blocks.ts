// Parts of a Markdown file that stand between `<!-- name -->` and `<!-- /name -->`: written by a script, or read by a test.

/** What stands between two markers. @throws Error when they are not there */
export function readBlock(markdown: string, name: string): string {
  const { from, to } = findBlock(markdown, name);
  return markdown.slice(from, to).trim();
}

/** The text with another block between the markers. @throws Error when they are not there */
export function replaceBlock(markdown: string, name: string, block: string): string {
  const { from, to } = findBlock(markdown, name);
  return `${markdown.slice(0, from)}\n\n${block}\n\n${markdown.slice(to)}`;
}

/**
 * The rows of the table in a block, without its head: one array of cells a row. A cell loses the blanks around it, and
 * the backticks when it is code as a whole.
 */
export function readTable(markdown: string, name: string): string[][] {
  const lines = readBlock(markdown, name)
    .split('\n')
    .filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map(readCell),
  );
}

function findBlock(markdown: string, name: string): { from: number; to: number } {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const from = markdown.indexOf(begin) + begin.length;
  const to = markdown.indexOf(end);
  if (from < begin.length || to < from) throw new Error(`There is no block ${begin} … ${end}`);
  return { from, to };
}

function readCell(cell: string): string {
  return cell.trim().replace(/^`([^`]*)`$/, '$1');
}
