export { describeValue } from './describe-value.ts';
export { isExactNumber } from './exact-number.ts';
export type { JsonProblem, JsonProblemKind } from './explain-json.ts';
export {
  type ExactJson,
  type ExactJsonOptions,
  isForbiddenKey,
  maximumDepth,
  parseJsonExact,
} from './parse-json-exact.ts';
