// After an installation: makes sure that node_modules/.bin/node is the Node that jobber runs on. npm 10 removes it again
// while it cleans up after the package of the other architecture, which has a program of the same name.
// Plain JavaScript without dependencies: the machine's own Node runs it, which may be old.
import { existsSync, rmSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const modules = new URL('../node_modules/', import.meta.url);
const provided = `node-${process.platform}-${process.arch}`;
const link = fileURLToPath(new URL('.bin/node', modules));

if (existsSync(new URL(`${provided}/bin/node`, modules))) {
  if (!existsSync(link)) {
    // It may be there and lead nowhere.
    rmSync(link, { force: true });
    symlinkSync(`../${provided}/bin/node`, link);
  }
} else if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `jobber runs on Node 24. It comes with jobber on Linux (x64, arm64); on ${process.platform} ${process.arch} ` +
      `install Node 24 yourself: this is ${process.version}.`,
  );
}
