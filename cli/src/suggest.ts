/**
 * The candidate that was probably meant, or undefined when none is near. Case and the difference between `-`, `_` and
 * space do not count.
 */
export function suggest(input: string, candidates: readonly string[]): string | undefined {
  const wanted = fold(input.slice(0, 100));
  const allowed = Math.max(1, Math.floor(wanted.length / 3));
  let best: string | undefined;
  let bestDistance = allowed + 1;
  for (const candidate of candidates) {
    const folded = fold(candidate);
    const distance = editDistance(wanted, folded);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? candidates.find((candidate) => wanted.length > 2 && fold(candidate).startsWith(wanted));
}

/** ` Did you mean …?`, or nothing: to be put behind a sentence. */
export function didYouMean(input: string, candidates: readonly string[], prefix = ''): string {
  const found = suggest(input, candidates);
  return found === undefined ? '' : ` Did you mean ${prefix}${found}?`;
}

function fold(text: string): string {
  return text.toLowerCase().replace(/[-_ :]/g, '');
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, at(beforeLast, column - 2) + 1);
      }
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
