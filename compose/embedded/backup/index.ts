export { PlatformError } from '../platform/platform-error.ts';
export { PostgresError } from '../postgres/index.ts';
export { type BackupSummary, backUpPlatform } from './back-up-platform.ts';
export { type RestoreSummary, restorePlatform } from './restore-platform.ts';
