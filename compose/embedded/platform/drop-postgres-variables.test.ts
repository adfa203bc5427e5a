import { expect, test } from 'vitest';
import { dropPostgresVariables } from './drop-postgres-variables.ts';

test("the variables of PostgreSQL's clients go, and nothing else does", () => {
  const environment = {
    PGSSLMODE: 'require',
    PGOPTIONS: '-c x=1',
    PGPASSWORD: 'p',
    PG_OF_SOMEBODY: '1',
    PATH: '/bin',
  };
  dropPostgresVariables(environment);
  expect(environment).toEqual({ PG_OF_SOMEBODY: '1', PATH: '/bin' });
});
