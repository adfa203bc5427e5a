/** What a migration takes away from the release before, which runs beside the new one during an upgrade. */
const CONTRACTIONS: readonly [RegExp, string][] = [
  [/\bdrop\s+(table|column|view|type)\b/i, 'drops a table, column, view or type'],
  [/\brename\b/i, 'renames something'],
  [/\balter\s+(column\s+)?\w+\s+(set\s+data\s+)?type\b/i, 'changes the type of a column'],
  [/\bset\s+not\s+null\b/i, 'makes a column required'],
  [
    /\badd\s+column\s+(if\s+not\s+exists\s+)?(?![^,;]*\bdefault\b)[^,;]*\bnot\s+null\b/i,
    'adds a required column without a default',
  ],
  [/\bdrop\s+default\b/i, 'takes a default away'],
  [/\btruncate\b|\bdelete\s+from\b/i, 'deletes rows'],
];

/** A comment in the migration that allows it: nobody has used it since that release. */
const ALLOWED = /--\s*contract: unused since v\d+\.\d+\.\d+/;

/**
 * Looks at the text of a migration. What goes up counts; `down` is for nobody's production.
 * @returns a sentence for each thing that the release before may miss; empty when it only adds, or
 * says since when it may take away
 */
export function findContractions(source: string): string[] {
  const up = source.replace(/\boverride\s+(async\s+)?down\b[\s\S]*$/, '');
  if (ALLOWED.test(up)) return [];
  // The database knows neither JavaScript's comments nor its own.
  const statements = up
    .replace(/^\s*\/\/.*$/gm, '')
    .replace(/--.*$/gm, '')
    .replace(/\/\*[\s\S]*?\*\//g, '');
  return CONTRACTIONS.filter(([pattern]) => pattern.test(statements)).map(([, what]) => what);
}
