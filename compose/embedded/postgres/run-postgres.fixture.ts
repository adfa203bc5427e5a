// Runs a PostgreSQL in a process of its own, for tests that kill it: node run-postgres.fixture.ts '<options as JSON>'.
import { startPostgres } from './index.ts';

const server = await startPostgres(JSON.parse(process.argv[2] ?? '{}')).catch((error: Error) => {
  console.log(JSON.stringify({ failed: error.message }));
  process.exit(1);
});
process.once('SIGTERM', () => void server.stop());
console.log(JSON.stringify({ port: server.port, pid: server.pid, adminUrl: server.adminUrl }));
