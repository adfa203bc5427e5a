import { type Category, fetchCategories } from '../../api/products.ts';
import { JobberCommand } from '../../base-command.ts';
import { renderTable } from '../../render/table.ts';

export default class CategoriesList extends JobberCommand {
  static override summary = 'List the categories and their charges, in per cent.';
  static override examples = [
    '<%= config.bin %> categories list',
    '<%= config.bin %> categories list --json',
  ];

  async run(): Promise<Category[]> {
    const { flags } = await this.parse(CategoriesList);
    const categories = await fetchCategories(this.session(flags));
    const columns = [
      { title: 'CATEGORY', value: ({ name }: Category) => name },
      { title: 'CHARGE %', value: ({ charge }: Category) => charge, align: 'right' as const },
    ];
    this.print(categories.length === 0 ? 'No categories' : renderTable(columns, categories));
    return categories;
  }
}
