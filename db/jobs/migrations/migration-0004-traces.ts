import { Migration } from '@mikro-orm/migrations';

/** The trace that a job belongs to. */
export class Migration0004Traces extends Migration {
  override up(): void {
    this.addSql('alter table job add column traceparent text');
  }
}
