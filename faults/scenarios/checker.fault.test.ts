import { expect, test } from 'vitest';
import { fibonacciWork, loadWork } from '../load/workloads.ts';
import type { DatabaseName } from '../platform/databases.ts';
import type { World } from '../platform/world.ts';
import { useWorld } from './test-world.ts';

const world = useWorld('checker', { executors: 1 });

interface Defect {
  readonly name: string;
  readonly database: DatabaseName;
  /** Statements, with $1 the id of a Fibonacci job and $2 that of a load; each uses what it names. */
  readonly plant: readonly string[];
  readonly undo: readonly string[];
  readonly kind: string;
}

const changeDigits = (from: string, to: string) =>
  `update task set decided = replace(decided::text, '"digits": ${from}', '"digits": ${to}')::jsonb where job_id = $1 and seq = 0`;

/** Between the two products of the load that were made first; doing it twice undoes it. */
const SWAP_PRICES = `
  with two as (select id, price, row_number() over (order by id) as number from product where job_id = $2 order by id limit 2)
  update product set price = other.price
  from two one join two other on other.number = 3 - one.number
  where product.id = one.id`;

const DEFECTS: readonly Defect[] = [
  {
    name: 'a product row that is dropped',
    database: 'products',
    plant: [
      'create table kept as select * from product where job_id = $2 order by id limit 1',
      'delete from product where id = (select id from kept)',
    ],
    undo: ['insert into product overriding system value select * from kept', 'drop table kept'],
    kind: 'lost',
  },
  {
    name: 'a product row that is doubled',
    database: 'products',
    plant: [
      `insert into product (name, category, price, base_price, stock, rating, description, job_id)
       select name, category, price, base_price, stock, rating, description, job_id from product where job_id = $2 order by id limit 1`,
    ],
    undo: ['delete from product where id = (select max(id) from product)'],
    kind: 'doubled',
  },
  {
    name: 'two prices that are swapped',
    database: 'products',
    plant: [SWAP_PRICES],
    undo: [SWAP_PRICES],
    kind: 'wrong',
  },
  {
    name: 'a COMPLETED that is flipped back',
    database: 'jobs',
    plant: [
      'create table kept as select id, ended_at from job where id = $1',
      `update job set status = 'IN_PROGRESS', ended_at = null where id = (select id from kept)`,
    ],
    undo: [
      `update job set status = 'COMPLETED', ended_at = kept.ended_at from kept where job.id = kept.id`,
      'drop table kept',
    ],
    kind: 'non-monotone',
  },
  {
    name: 'one altered digit',
    database: 'jobs',
    plant: [changeDigits('3', '4')],
    undo: [changeDigits('4', '3')],
    kind: 'wrong',
  },
  {
    name: 'a lease that is left over',
    database: 'jobs',
    plant: [
      `update task set state = 'running', lease_until = now() + interval '1 day' where job_id = $1 and seq = 0`,
    ],
    undo: [`update task set state = 'succeeded', lease_until = null where job_id = $1 and seq = 0`],
    kind: 'left over',
  },
  {
    name: 'a job that nobody submitted',
    database: 'jobs',
    plant: [
      `insert into job (owner_id, type, status, size, completed, ended_at)
       select owner_id, type, 'COMPLETED', 1, 1, now() from job where id = $1`,
    ],
    undo: ['delete from job where id = (select max(id) from job)'],
    kind: 'unexpected',
  },
];

test.each(DEFECTS)(
  '$name is caught in what a real platform has stored',
  async ({ database, plant, undo, kind }) => {
    const { submitter, random, hold, judge } = world.get();
    // F(12) has three digits.
    const fibonacci = await submitter.submit({ ...fibonacciWork(random, 1), items: [{ iterations: 12 }] });
    const load = await submitter.submit(loadWork(random, 6));
    await hold();
    const ids = [fibonacci ?? 0, load ?? 0] as const;
    await run(world.get(), database, plant, ids);
    const { valid, counts } = await judge();
    expect(valid).toBe(false);
    expect(counts[kind]).toBeGreaterThan(0);
    await run(world.get(), database, undo, ids);
    await hold();
  },
);

async function run(
  { platform }: World,
  database: DatabaseName,
  statements: readonly string[],
  [fibonacci, load]: readonly [number, number],
): Promise<void> {
  for (const statement of statements) {
    const text = statement.replaceAll('$1', String(fibonacci)).replaceAll('$2', String(load));
    await platform.databases.query(database, text);
  }
}
