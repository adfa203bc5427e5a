export {
  AppError,
  type ClassifyError,
  type ErrorDetails,
  isAppError,
  type NumericCode,
  REASONS,
  type Reason,
  refuse,
  unavailableWhen,
} from './app-error.ts';
export { describeUnknownError } from './describe-unknown-error.ts';
