/** What the table of commands needs of `cli/oclif.manifest.json`. */
export interface CommandManifest {
  readonly commands: Readonly<
    Record<
      string,
      {
        readonly id: string;
        readonly summary?: string;
        readonly hidden?: boolean;
        readonly args?: Readonly<
          Record<string, { readonly name: string; readonly required?: boolean; readonly multiple?: boolean }>
        >;
      }
    >
  >;
}

/** The commands with their arguments and summaries, as a Markdown table. */
export function commandTable({ commands }: CommandManifest): string {
  const rows = Object.values(commands)
    .filter(({ hidden }) => !hidden)
    .map(({ id, summary = '', args = {} }) => {
      const words = Object.values(args).map(({ name, required, multiple }) => {
        const shown = `${name}${multiple ? '...' : ''}`;
        return required ? `<${shown}>` : `[${shown}]`;
      });
      return [`\`jobber ${[id.replaceAll(':', ' '), ...words].join(' ')}\``, summary.replace(/\.$/, '')];
    });
  return formatTable([['command', 'what it does'], ...rows]);
}

/** Pads the columns as the formatter does. */
function formatTable(rows: readonly (readonly string[])[]): string {
  const columns = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) => `| ${row.map((cell, at) => cell.padEnd(columns[at] ?? 0)).join(' | ')} |`);
  const rule = `| ${columns.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}
