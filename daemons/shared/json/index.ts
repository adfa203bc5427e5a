export { describeValue } from './describe-value.ts';
export { isExactNumber } from './exact-number.ts';
export {
  type ExactJsonOptions,
  isForbiddenKey,
  maximumDepth,
  parseJsonExact,
} from './parse-json-exact.ts';
export type { ExactJson, JsonProblem, JsonProblemKind } from './read-json-strictly.ts';
