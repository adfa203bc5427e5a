export { HINT_VERSION, type Hint, type HintProblem, type ParsedHint, readHint, writeHint } from './hint.ts';
