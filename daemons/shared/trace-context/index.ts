export { newTraceparent, readTraceparent } from './trace-context.ts';
