import type { ProductRecord } from '@jobber/proto/products/v1/products';
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import type { ProductItem } from '../effect.ts';
import { product, startTestProducts } from '../test-products.ts';
import { createWriteProducts, type ItemOutcome } from './write-products.ts';

const { database } = await startTestProducts();
const { pool } = database;
const writeProducts = createWriteProducts(pool);

beforeEach(() => pool.query('truncate product, effect restart identity'));

function item(jobId: number, itemIndex: number, fields: Partial<ProductRecord> = {}): ProductItem {
  return { jobId, itemIndex, record: product(fields) };
}

function effects(outcomes: readonly ItemOutcome[]) {
  return outcomes.map((outcome) => ('effect' in outcome ? outcome.effect : outcome.refusal.field));
}

async function count(table: 'product' | 'effect'): Promise<number> {
  const { rows } = await pool.query(`select count(*)::int as n from ${table}`);
  return rows[0].n;
}

async function rows<T = { name: string }>(columns = 'name'): Promise<T[]> {
  return (await pool.query(`select ${columns} from product order by id`)).rows;
}

/** Every item has one effect, and each effect a product that is there; products without a sku have one effect each. */
async function expectSoundLedger(items: number): Promise<void> {
  expect(await count('effect')).toBe(items);
  const { rows: orphans } = await pool.query(
    'select from effect where not exists (select from product where id = product_id)',
  );
  expect(orphans).toHaveLength(0);
  const { rows: counts } = await pool.query(
    `select p.id from product p left join effect e on e.product_id = p.id
     group by p.id, p.sku having count(e) = 0 or (p.sku is null and count(e) <> 1) or count(*) filter (where e.created) <> 1`,
  );
  expect(counts).toEqual([]);
}

/** price × (1 + charge / 100) in big integers: the oracle. */
function enriched(price: string, charge: bigint): string {
  const [whole = '', fraction = ''] = price.split('.');
  const scale = fraction.length + 2;
  const digits = String(BigInt(whole + fraction) * (100n + charge)).padStart(scale + 1, '0');
  return `${digits.slice(0, -scale)}.${digits.slice(-scale)}`.replace(/\.?0+$/, '');
}

const CHARGES: Record<string, bigint> = {
  Electronics: 5n,
  Apparel: 3n,
  'Home & Kitchen': 4n,
  Grocery: 2n,
  Furniture: 6n,
  'Sports & Outdoors': 4n,
  'Health & Beauty': 3n,
  'Office Supplies': 4n,
  'Toys & Games': 3n,
  Garden: 0n,
  grocery: 0n,
};

test('110.53 at 4 % is 114.9512', async () => {
  await writeProducts([item(1, 0, { price: '110.53', category: 'Home & Kitchen' })]);
  expect(await rows('price, base_price')).toEqual([{ price: '114.9512', base_price: '110.53' }]);
});

test('every price equals the oracle, digit by digit, in every category', async () => {
  const price = fc
    .tuple(fc.bigInt({ min: 0n, max: 9_999_999_999n }), fc.stringMatching(/^\d{0,20}$/))
    .map(([whole, fraction]) => (fraction ? `${whole}.${fraction}` : String(whole)));
  const records = fc.array(fc.tuple(price, fc.constantFrom(...Object.keys(CHARGES))), {
    minLength: 1,
    maxLength: 60,
  });
  let jobId = 0;
  await fc.assert(
    fc.asyncProperty(records, fc.boolean(), async (pairs, keyed) => {
      jobId += 1;
      const items = pairs.map(([basePrice, category], index) =>
        item(jobId, index, { price: basePrice, category, ...(keyed && { sku: `${jobId}-${index}` }) }),
      );
      await writeProducts(items);
      const found = await pool.query(
        'select price from product join effect on product_id = id where effect.job_id = $1 order by item_index',
        [jobId],
      );
      expect(found.rows.map((row) => row.price)).toEqual(
        pairs.map(([basePrice, category]) => enriched(basePrice, CHARGES[category] ?? 0n)),
      );
    }),
    { numRuns: 40 },
  );
});

test('a changed charge holds for what is written afterwards', async () => {
  await pool.query("insert into category values ('Books', 7.125)");
  await writeProducts([item(1, 0, { category: 'Books', price: '19.99' })]);
  expect(await rows('price')).toEqual([{ price: '21.4142875' }]);
});

test('a repeated call changes nothing and answers what the first one did', async () => {
  const items = [item(1, 0), item(1, 1, { sku: 'A' }), item(1, 2, { sku: 'A' }), item(1, 3)];
  const first = await writeProducts(items);
  await pool.query("update product set name = 'edited by hand' where sku = 'A'");
  expect(await writeProducts(items)).toEqual(first);
  expect(await writeProducts([...items].reverse())).toEqual([...first].reverse());
  expect(await rows()).toHaveLength(3);
  expect(await rows()).toContainEqual({ name: 'edited by hand' });
  await expectSoundLedger(4);
});

test('a repeated call with other contents changes nothing either: the first one has decided', async () => {
  const [first] = await writeProducts([item(1, 0, { name: 'first' })]);
  expect(await writeProducts([item(1, 0, { name: 'second' })])).toEqual([first]);
  expect(await writeProducts([item(1, 0, { name: 'third', sku: 'S' })])).toEqual([first]);
  expect(await rows()).toEqual([{ name: 'first' }]);
});

test('a call that overlaps with an earlier one writes what is new', async () => {
  await writeProducts([item(1, 0, { name: 'a' }), item(1, 2, { name: 'c' })]);
  await writeProducts([item(1, 0, { name: 'x' }), item(1, 1, { name: 'b' }), item(1, 2, { name: 'y' })]);
  expect(await rows()).toEqual([{ name: 'a' }, { name: 'c' }, { name: 'b' }]);
  await expectSoundLedger(3);
});

test('an item named twice in one call has one effect: the first record without a sku, or with one', async () => {
  const outcomes = await writeProducts([
    item(1, 0, { name: 'first' }),
    item(1, 0, { name: 'second' }),
    item(1, 1, { name: 'third', sku: 'S' }),
    item(1, 1, { name: 'fourth', sku: 'S' }),
    item(1, 2, { name: 'fifth', sku: 'T' }),
    item(1, 2, { name: 'sixth' }),
  ]);
  const [a, b, c, d, e, f] = effects(outcomes);
  expect([a, c, e]).toEqual([b, d, f]);
  expect((await rows()).map(({ name }) => name).sort()).toEqual(['first', 'sixth', 'third']);
  await expectSoundLedger(3);
});

test('identical calls at the same time on different connections (a zombie) have one effect per item', async () => {
  const items = Array.from({ length: 300 }, (_, i) => item(1, i, i % 3 === 0 ? { sku: `S${i % 30}` } : {}));
  const answers = await Promise.all(
    [items, [...items].reverse(), items.slice(100), items].map((some) => writeProducts(some)),
  );
  expect(answers[3]).toEqual(answers[0]);
  expect(answers[1]).toEqual([...(answers[0] ?? [])].reverse());
  expect(answers[2]).toEqual(answers[0]?.slice(100));
  expect(await count('product')).toBe(210);
  await expectSoundLedger(300);
});

/** Resolves when some statement waits for another transaction. */
async function untilSomeoneWaits(): Promise<void> {
  const waiting = `select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  await expect.poll(async () => (await pool.query(waiting)).rowCount).toBeGreaterThan(0);
}

test('a call that meets a zombie which is just writing waits for it, and answers the same', async () => {
  const zombie = await pool.connect();
  await zombie.query('begin');
  await zombie.query('insert into effect values (1, 0, 4711, true)');
  const waiting = writeProducts([item(1, 0), item(1, 1)]);
  await untilSomeoneWaits();
  await zombie.query('commit');
  zombie.release();
  expect(effects(await waiting)[0]).toEqual({ productId: 4711, created: true });
  expect(await count('product')).toBe(1);
});

test('a call that meets a zombie which then fails writes the product itself', async () => {
  const zombie = await pool.connect();
  await zombie.query('begin');
  await zombie.query('insert into effect values (1, 0, 4711, true)');
  const waiting = writeProducts([item(1, 0)]);
  await untilSomeoneWaits();
  await zombie.query('rollback');
  zombie.release();
  expect(effects(await waiting)).toMatchObject([{ created: true }]);
  await expectSoundLedger(1);
});

test('a call that the database has ended to break a deadlock is done again', async () => {
  // Which side a real deadlock ends depends on the clock; a sequence, which no rollback resets, ends the first write.
  await pool.query(`
    create sequence attempt;
    create function end_first() returns trigger language plpgsql as $$
    begin
      if nextval('attempt') = 1 then raise exception 'deadlock detected' using errcode = 'deadlock_detected'; end if;
      return null;
    end $$;
    create trigger end_first after insert on product for each statement execute function end_first()`);
  try {
    const outcomes = await writeProducts([item(1, 0), item(1, 1, { sku: 'A' })]);
    expect(effects(outcomes)).toMatchObject([{ created: true }, { created: true }]);
    expect(await count('product')).toBe(2);
    await expectSoundLedger(2);
    const { rows: attempts } = await pool.query('select last_value from attempt');
    // The first one ended at its first statement; the second one has two.
    expect(attempts).toEqual([{ last_value: '3' }]);
  } finally {
    await pool.query('drop trigger end_first on product; drop function end_first; drop sequence attempt');
  }
});

test('with a sku the first item creates, the others update, and the last one wins', async () => {
  const outcomes = await writeProducts([
    item(1, 0, { sku: 'A', name: 'one', stock: 1 }),
    item(1, 1, { sku: 'B', name: 'other' }),
    item(1, 2, { sku: 'A', name: 'two', stock: 2 }),
    item(1, 3, { sku: 'A', name: 'three', stock: 3, price: '1', category: 'Grocery', rating: '2' }),
  ]);
  const [one, other, two, three] = effects(outcomes);
  expect(one).toMatchObject({ created: true });
  expect(other).toMatchObject({ created: true });
  expect([two, three]).toEqual([
    { ...(one as object), created: false },
    { ...(one as object), created: false },
  ]);
  expect(await rows('name, stock, price, base_price, category, rating, sku, job_id')).toContainEqual({
    name: 'three',
    stock: 3,
    price: '1.02',
    base_price: '1',
    category: 'Grocery',
    rating: '2',
    sku: 'A',
    job_id: '1',
  });
  const [again] = effects(await writeProducts([item(2, 0, { sku: 'A', name: 'four' })]));
  expect(again).toEqual({ ...(one as object), created: false });
  expect(await count('product')).toBe(2);
  await expectSoundLedger(5);
});

test('skus that differ in case are different products', async () => {
  await writeProducts([item(1, 0, { sku: 'a' }), item(1, 1, { sku: 'A' })]);
  expect(await count('product')).toBe(2);
});

test('tasks with the same skus in opposite order, all at once: no deadlock, no lost effect, one creation a sku', async () => {
  const skus = Array.from({ length: 200 }, (_, i) => `S${i}`);
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, job) => {
      const ordered = job % 2 === 0 ? skus : [...skus].reverse();
      return writeProducts(ordered.map((sku, i) => item(job + 1, i, { sku, name: `job ${job + 1}` })));
    }),
  );
  expect(await count('product')).toBe(200);
  const created = answers.flat().filter((outcome) => 'effect' in outcome && outcome.effect.created);
  expect(created).toHaveLength(200);
  await expectSoundLedger(1_600);
  // Each task was written as a whole.
  expect(new Set((await rows()).map(({ name }) => name)).size).toBe(1);
});

test('records that break a rule are refused by field, and the others are written', async () => {
  const outcomes = await writeProducts([
    item(1, 0, { price: '-1' }),
    item(1, 1, { name: 'sound' }),
    item(1, 2, { stock: 2_147_483_648 }),
    item(1, 3, { rating: '5.0001', sku: 'R' }),
    item(1, 4, { name: 'keyed', sku: 'S' }),
    item(1, 5, { description: 'a\0b' }),
  ]);
  const fields = effects(outcomes).map((effect) => (typeof effect === 'string' ? effect : 'written'));
  expect(fields).toEqual(['price', 'written', 'stock', 'rating', 'written', 'description']);
  expect(await rows()).toEqual([{ name: 'sound' }, { name: 'keyed' }]);
  await expectSoundLedger(2);
});

test('nothing asked, nothing written; nothing sound, nothing written', async () => {
  expect(await writeProducts([])).toEqual([]);
  expect(effects(await writeProducts([item(1, 0, { name: '' })]))).toEqual(['name']);
  expect(await count('effect')).toBe(0);
});

test('what fails halfway leaves nothing', async () => {
  await pool.query("alter table product add constraint no_z check (name <> 'z')");
  try {
    const call = writeProducts([item(1, 0), item(1, 1, { sku: 'A' }), item(1, 2, { sku: 'B', name: 'z' })]);
    await expect(call).rejects.toThrow('no_z');
    expect([await count('product'), await count('effect')]).toEqual([0, 0]);
  } finally {
    await pool.query('alter table product drop constraint no_z');
  }
  expect(await writeProducts([item(1, 2, { sku: 'B', name: 'z' })])).toHaveLength(1);
});

test('any mix of calls, repeated and at once: one effect per item, and the rows that the items ask for', async () => {
  const anyItem = fc.record({
    itemIndex: fc.nat({ max: 30 }),
    sku: fc.option(fc.constantFrom('A', 'B', 'C', 'D'), { nil: undefined }),
  });
  const calls = fc.array(fc.array(anyItem, { maxLength: 20 }), { minLength: 2, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(calls, async (asked) => {
      await pool.query('truncate product, effect');
      // An item is always the same record.
      const skus = new Map(asked.flat().map(({ itemIndex, sku }) => [itemIndex, sku]));
      const run = () =>
        Promise.all(
          asked.map((items) =>
            writeProducts(items.map(({ itemIndex }) => item(1, itemIndex, { sku: skus.get(itemIndex) }))),
          ),
        );
      const first = await run();
      expect(await run()).toEqual(first);
      await expectSoundLedger(skus.size);
      const plain = [...skus.values()].filter((sku) => sku === undefined).length;
      const keyed = new Set([...skus.values()].filter((sku) => sku !== undefined)).size;
      expect(await count('product')).toBe(plain + keyed);
    }),
    { numRuns: 40 },
  );
});
