/** What is wrong: each kind is counted on its own. */
export type ProblemKind =
  | 'lost'
  | 'doubled'
  | 'unexpected'
  | 'stuck'
  | 'wrong'
  | 'non-monotone'
  | 'left over'
  | 'late'
  | 'hung';

export const PROBLEM_KINDS: readonly ProblemKind[] = [
  'lost',
  'doubled',
  'unexpected',
  'stuck',
  'wrong',
  'non-monotone',
  'left over',
  'late',
  'hung',
];

export interface Problem {
  /** I1 to I9 (the others are seen on processes, not in what is stored); docs/guarantees.md has their words. */
  readonly invariant: string;
  readonly kind: ProblemKind;
  readonly jobId?: number;
  /** A sentence. */
  readonly message: string;
}
