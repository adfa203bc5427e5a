/**
 * Removes PGSSLMODE, PGOPTIONS and the other variables of PostgreSQL's clients: they are about a server that somebody
 * uses with psql, and would keep us from the embedded one. By default for this process,
 * and so for what it starts.
 */
export function dropPostgresVariables(environment: NodeJS.ProcessEnv = process.env): void {
  for (const name of Object.keys(environment)) {
    if (/^PG[A-Z]+$/.test(name)) delete environment[name];
  }
}
