import { spawn } from 'node:child_process';

/**
 * Ends `pid` when this process ends in whatever way, SIGKILL included: a small shell waits at a pipe that only this
 * process holds open. In a process group of its own, so that Ctrl-C does not end it before its time.
 * @returns call it when `pid` has ended, so that its number is not signalled when it belongs to somebody else
 */
export function stopWithParent(pid: number, signal: 'QUIT' | 'TERM' | 'KILL' = 'QUIT'): () => void {
  const script = 'read -r line; kill -"$2" "$1" 2>/dev/null';
  const watcher = spawn('/bin/sh', ['-c', script, 'sh', String(pid), signal], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
    env: {},
  });
  // Without it the server is found by the next start in its folder.
  watcher.on('error', () => {});
  watcher.stdin.on('error', () => {});
  watcher.unref();
  (watcher.stdin as unknown as { unref(): void }).unref();
  return () => {
    watcher.kill('SIGKILL');
  };
}
