export {
  HINT_VERSION,
  type Hint,
  type HintProblem,
  MAX_HINTS,
  type ParsedHints,
  readHints,
  writeHint,
} from './hint.ts';
