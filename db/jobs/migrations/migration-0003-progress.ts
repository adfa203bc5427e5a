import { Migration } from '@mikro-orm/migrations';

/** How far handlers say they are. */
export class Migration0003Progress extends Migration {
  override up(): void {
    // It names its attempt: the start of the next one need not clear it.
    this.addSql('alter table task add column progress jsonb');
  }
}
