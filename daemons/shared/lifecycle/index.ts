export { type DaemonDefinition, runDaemon } from './run-daemon.ts';
export { createScope, type Scope } from './scope.ts';
