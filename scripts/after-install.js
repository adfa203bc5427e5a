// After an installation: the Node that jobber runs on, then the bundles that make its start fast.
// Plain JavaScript without dependencies: the machine's own Node runs it, which may be old.
import './link-node.js';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const provided = fileURLToPath(new URL('../node_modules/.bin/node', import.meta.url));
const node = existsSync(provided) ? provided : process.execPath;
const bundling = fileURLToPath(new URL('bundle-programs.ts', import.meta.url));
// Whatever happens there, the installation is complete: without bundles the sources are run.
spawnSync(node, [bundling], { stdio: 'inherit' });
