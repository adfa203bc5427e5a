export { boundProgress, MAX_NOTE_LENGTH, type Progress } from './progress.ts';
