// Runs `runUp` in a process of its own: `node run-up.ts '{"dataDir": …}'`.
import { runUp, type UpOptions } from '../up.ts';

process.exitCode = await runUp(JSON.parse(process.argv[2] ?? '') as UpOptions);
