#!/usr/bin/env node
// What npm links as `jobber`. Plain JavaScript for any Node from 20: it finds Node 24, which the package brings along,
// answers --version without loading anything, and hands over.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const REQUIRED_MAJOR = 24;
const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);

if (args.length === 1 && (args[0] === '--version' || args[0] === '-v')) {
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  process.stdout.write(`jobber ${version}\n`);
} else if (Number.parseInt(process.versions.node, 10) < REQUIRED_MAJOR) {
  const { runWithOwnNode } = await import('./run-with-own-node.js');
  runWithOwnNode(REQUIRED_MAJOR, fileURLToPath(import.meta.url), args);
} else {
  const { useCompileCache } = await import('./use-compile-cache.js');
  useCompileCache();
  const source = existsSync(`${root}src/main.ts`);
  const { main } = await import(source ? '../src/main.ts' : '../src/main.js');
  await main(root, args);
}
