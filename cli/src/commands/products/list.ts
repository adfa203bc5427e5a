import * as Flags from '@oclif/core/flags';
import { fetchCategories, fetchProducts, type Product, type ProductFilter } from '../../api/products.ts';
import { JobberCommand } from '../../base-command.ts';
import { MOST_ROWS, parseJobId, parseLimit } from '../../input/parse-job-id.ts';
import { parseNumber } from '../../input/parse-number.ts';
import { cleanText } from '../../render/clean-text.ts';
import { renderTable, terminalWidth } from '../../render/table.ts';
import { count } from '../../render/units.ts';
import type { Session } from '../../session/session.ts';
import { didYouMean } from '../../suggest.ts';

export default class ProductsList extends JobberCommand {
  static override summary = 'List products, newest first, with both their prices.';
  static override description = 'The price as it was loaded, and with the charge of its category.';
  static override examples = [
    '<%= config.bin %> products list',
    {
      description: 'Search by a part of the name:',
      command: '<%= config.bin %> products list --name lamp --max-price 50',
    },
    { description: 'What a load brought:', command: '<%= config.bin %> products list --job 12 --limit 200' },
    {
      description: 'What can be sold, for a program:',
      command: '<%= config.bin %> products list --category Grocery --in-stock --json',
    },
  ];
  static override flags = {
    name: Flags.string({ summary: 'A part of the name, any case.', helpValue: '<text>' }),
    category: Flags.string({
      summary: 'Only that category, written as categories list shows it.',
      helpValue: '<name>',
    }),
    sku: Flags.string({ summary: 'Only the product with that SKU.', helpValue: '<sku>' }),
    'min-price': Flags.string({ summary: 'Not cheaper than that.', helpValue: '<price>' }),
    'max-price': Flags.string({ summary: 'Not dearer than that.', helpValue: '<price>' }),
    'in-stock': Flags.boolean({
      summary: 'Only what is in stock; --no-in-stock: only what is not.',
      allowNo: true,
    }),
    job: Flags.string({ summary: 'Only products that this job wrote.', helpValue: '<job-id>' }),
    limit: Flags.string({
      summary: `At most that many, up to ${MOST_ROWS}.`,
      default: '50',
      helpValue: '<number>',
    }),
    before: Flags.string({
      summary: 'Only products older than the one with that id: the next page.',
      helpValue: '<id>',
    }),
  };

  async run(): Promise<Product[]> {
    const { flags } = await this.parse(ProductsList);
    const price = (flag: 'min-price' | 'max-price') =>
      parseNumber(`--${flag}`, flags[flag] ?? '', { integer: false, minimum: 0 });
    const filter: ProductFilter = {
      ...(flags.name !== undefined && { name: flags.name }),
      ...(flags.category !== undefined && { category: flags.category }),
      ...(flags.sku !== undefined && { sku: flags.sku }),
      ...(flags['min-price'] !== undefined && { minPrice: price('min-price') }),
      ...(flags['max-price'] !== undefined && { maxPrice: price('max-price') }),
      ...(flags['in-stock'] !== undefined && { inStock: flags['in-stock'] }),
      ...(flags.job !== undefined && { jobId: parseJobId(flags.job, '--job') }),
    };
    const limit = parseLimit(flags.limit);
    const session = this.session(flags);
    const products = await fetchProducts(session, { filter, limit, before: flags.before });
    this.print(products.length === 0 ? 'No products' : renderProducts(products));
    if (products.length === 0 && flags.category !== undefined && !this.jsonEnabled()) {
      await suggestCategory(session, flags.category);
    }
    const last = products.at(-1);
    if (last && products.length === limit) this.print(`\nMore: the same with --before ${cleanText(last.id)}`);
    return products;
  }
}

/** A category is found by its exact name; nobody remembers how that is written. */
async function suggestCategory(session: Session, typed: string): Promise<void> {
  const names = (await fetchCategories(session)).map(({ name }) => cleanText(name));
  if (names.includes(typed)) return;
  const meant = didYouMean(typed, names);
  process.stderr.write(
    `${cleanText(typed)} is no category with a charge.${meant || ` There are ${names.join(', ')}`}\n`,
  );
}

function renderProducts(products: readonly Product[]): string {
  return renderTable<Product>(
    [
      { title: 'ID', value: ({ id }) => id, align: 'right' },
      { title: 'NAME', value: ({ name }) => name, flexible: true },
      { title: 'CATEGORY', value: ({ category }) => category, flexible: true },
      { title: 'LOADED', value: ({ basePrice }) => basePrice, align: 'right' },
      { title: 'PRICE', value: ({ price }) => price, align: 'right' },
      { title: 'STOCK', value: ({ stock }) => count(stock), align: 'right' },
      { title: 'RATING', value: ({ rating }) => rating, align: 'right' },
      { title: 'SKU', value: ({ sku }) => sku },
    ],
    products,
    terminalWidth(),
  );
}
