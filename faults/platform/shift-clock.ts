// Loaded into a daemon by NODE_OPTIONS=--import: its clock is off by the milliseconds that stand in FAULTS_CLOCK_FILE,
// and jumps whenever they change. Only the wall clock: a monotonic one does not jump.
import { readFileSync } from 'node:fs';

const file = process.env['FAULTS_CLOCK_FILE'] ?? '';
const RealDate = Date;
let offsetMs = readOffset();

function readOffset(): number {
  try {
    return Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    return 0;
  }
}

setInterval(() => {
  offsetMs = readOffset();
}, 50).unref();

const now = () => RealDate.now() + offsetMs;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});
