import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Runs `script` again with the Node that came with the installation, and ends as it ends.
 *
 * @param {number} major the oldest version that will do
 * @param {string} script
 * @param {string[]} args
 */
export function runWithOwnNode(major, script, args) {
  const node = findOwnNode(script);
  if (!node) {
    const message = `jobber needs Node ${major} or newer; ${process.execPath} is ${process.version}, and no other came with this installation: run npm ci again, or install Node ${major}`;
    if (args.includes('--json')) {
      const error = { message, code: null, reason: 'NODE_TOO_OLD', exitCode: 2, details: null };
      process.stdout.write(`${JSON.stringify({ error }, null, 2)}\n`);
    } else {
      process.stderr.write(`Error: ${message}\n`);
    }
    process.exitCode = 2;
    return;
  }
  const child = spawn(node, [script, ...args], { stdio: 'inherit' });
  const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to both; passing it on as well would count it twice.
      if (!(terminal && (signal === 'SIGINT' || signal === 'SIGQUIT'))) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`Error: ${node} can't be started: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = signal ? 128 + constants.signals[signal] : (code ?? 1);
  });
}

/** @param {string} script */
function findOwnNode(script) {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  try {
    const manifest = createRequire(script).resolve(`node-${platform}-${process.arch}/package.json`);
    return join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  } catch {
    return undefined;
  }
}
