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
  // Not the events that triggers name: "after insert or truncate".
  [/(?<!\b(?:before|after|or)\s+)\btruncate\b|\bdelete\s+from\b/i, 'deletes rows'],
];

/** A comment in the migration that allows it: nobody has used it since that release. */
const ALLOWED = /--\s*contract: unused since v\d+\.\d+\.\d+/;

/** The making of a function up to its body, and the body: that runs later, when the function is called. A `do` block runs at once. */
const FUNCTION_BODY = /(\bcreate\s+(?:or\s+replace\s+)?(?:function|procedure)\b[^;`]*?)(\$\w*\$)[\s\S]*?\2/gi;

/**
 * Looks at the text of a migration. What it does when it goes up counts; `down` is for nobody's production.
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
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(FUNCTION_BODY, '$1');
  return CONTRACTIONS.filter(([pattern]) => pattern.test(statements)).map(([, what]) => what);
}
