export interface ImportSite {
  specifier: string;
  /** From 1. */
  line: number;
  /** import('…'): loaded only when that line runs. */
  lazy: boolean;
}

// Text within a template, such as the source of a test's program, may look like an import too; with a ${…} it is none.
const patterns = [
  // import … from '…', export … from '…'; the clause between may span lines but holds no quote.
  { pattern: /^[ \t]*(?:import|export)\s[^'"`;]*?\bfrom\s*['"]([^'"$\n]+)['"]/gm, lazy: false },
  { pattern: /^[ \t]*import\s*['"]([^'"$\n]+)['"]/gm, lazy: false },
  // Not behind // or * on its line: those are comments.
  { pattern: /^(?!\s*(?:\/\/|\*)).*?\bimport\(\s*['"]([^'"$\n]+)['"]/gm, lazy: true },
];

/** Every module that a file formatted by Biome names in an import, in the order of the file. Type imports count. */
export function findImports(source: string): ImportSite[] {
  const sites = patterns.flatMap(({ pattern, lazy }) =>
    [...source.matchAll(pattern)].map((match) => ({
      specifier: match[1] ?? '',
      line: source.slice(0, match.index + match[0].length).split('\n').length,
      lazy,
    })),
  );
  return sites.sort((a, b) => a.line - b.line);
}
