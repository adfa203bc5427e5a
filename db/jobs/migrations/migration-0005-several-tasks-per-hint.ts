import { Migration } from '@mikro-orm/migrations';

/** Which types are offered by executors that take one task from each hint. */
export class Migration0005SeveralTasksPerHint extends Migration {
  override up(): void {
    this.addSql('alter table job_type add column single_hints_at timestamptz');
    // Whoever has offered types until now was of a release that does.
    this.addSql('update job_type set single_hints_at = offered_at');
  }
}
