export {
  AppError,
  type ErrorDetails,
  isAppError,
  type NumericCode,
  REASONS,
  type Reason,
  refuse,
} from './app-error.ts';
export { describeUnknownError } from './describe-unknown-error.ts';
