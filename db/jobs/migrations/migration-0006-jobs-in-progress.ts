import { Migration } from '@mikro-orm/migrations';

/**
 * Most jobs go from IN_PROGRESS to COMPLETED and nowhere else: that must not touch an index of jobs. PostgreSQL leaves all of a
 * row's index entries alone (a HOT update) when no column that any of the indexes names gets another value, and the page has room.
 */
export class Migration0006JobsInProgress extends Migration {
  override up(): void {
    this.addSql(`
      drop index job_status, job_owner_status, job_status_tagged, job_owner_status_tagged, job_scheduled, job_unique_for`);
    // Room for the second version of each row beside the first. The columns that follow write the table anew, with that room.
    this.addSql('alter table job set (fillfactor = 50)');
    // What the indexes name in place of the status and of the end: nothing for jobs in progress, and nothing for completed ones.
    this.addSql(`
      alter table job
        add column listed_status text generated always as (
          case when status in ('IN_PROGRESS', 'COMPLETED') then null else status end) stored,
        add column scheduled_at timestamptz generated always as (
          case when status = 'SCHEDULED' then run_at end) stored,
        add column unfinished_for text generated always as (
          case when ended_at is null then unique_for end) stored`);
    // As for the status: a plan that believes that few have failed, or that all have, would be wrong a moment later.
    this.addSql('alter table job alter column listed_status set statistics 0');
    this.addSql(`
      create index job_status on job (listed_status, started_at, id) include (type) where listed_status is not null`);
    this.addSql(`
      create index job_owner_status on job (owner_id, listed_status, started_at, id) include (type)
      where listed_status is not null`);
    this.addSql(`
      create index job_status_tagged on job (listed_status, started_at, id) include (tags, type)
      where listed_status is not null and tags <> '{}'`);
    this.addSql(`
      create index job_owner_status_tagged on job (owner_id, listed_status, started_at, id) include (tags, type)
      where listed_status is not null and tags <> '{}'`);
    this.addSql('create index job_scheduled on job (scheduled_at) where scheduled_at is not null');
    // One unfinished job of an owner per type and key.
    this.addSql(`
      create unique index job_unique_for on job (owner_id, type, unfinished_for) where unfinished_for is not null`);

    // The index of the jobs in progress. As one of the jobs' own it would cost each job all of the others once more; as a table
    // it has a row for as long as a job is in progress, of what lists ask for.
    this.addSql(`
      create table job_in_progress (
        started_at timestamptz not null,
        job_id bigint not null,
        owner_id uuid not null,
        type text not null,
        tags text[],
        primary key (started_at, job_id) include (type)
      )`);
    this.addSql(`
      insert into job_in_progress (started_at, job_id, owner_id, type, tags)
      select started_at, id, owner_id, type, nullif(tags, '{}') from job where status = 'IN_PROGRESS'`);
    this.addSql(
      'create index job_in_progress_owner on job_in_progress (owner_id, started_at, job_id) include (type)',
    );
    this.addSql(`
      create index job_in_progress_tagged on job_in_progress (started_at, job_id) include (tags, type)
      where tags is not null`);
    this.addSql(`
      create index job_in_progress_owner_tagged on job_in_progress (owner_id, started_at, job_id) include (tags, type)
      where tags is not null`);

    // The database keeps it as it keeps an index: whatever changes jobs, of this release or of the one before, can't forget to.
    // A statement is followed by one for all of its jobs, whose locks it holds: nobody else has to do with their rows.
    this.addSql(`
      create function add_jobs_in_progress() returns trigger language plpgsql as $$
      begin
        insert into job_in_progress (started_at, job_id, owner_id, type, tags)
        select started_at, id, owner_id, type, nullif(tags, '{}') from added where status = 'IN_PROGRESS';
        return null;
      end $$`);
    this.addSql(`
      create trigger job_added after insert on job referencing new table as added
      for each statement execute function add_jobs_in_progress()`);
    // A plan lasts as long as its connection, and may be from a time when nothing was in progress. Each row is therefore looked
    // up by itself, by the key: a join could be turned round, and would go through all jobs in progress for each that ends.
    this.addSql(`
      create function change_jobs_in_progress() returns trigger language plpgsql set enable_seqscan = off as $$
      begin
        delete from job_in_progress where ctid = any (array(
          select (select ctid from job_in_progress as kept where (kept.started_at, kept.job_id) = (changed.started_at, id))
          from changed where status <> 'IN_PROGRESS'));
        insert into job_in_progress (started_at, job_id, owner_id, type, tags)
        select started_at, id, owner_id, type, nullif(tags, '{}') from changed
        where status = 'IN_PROGRESS' and (
          select job_id from job_in_progress as kept where (kept.started_at, kept.job_id) = (changed.started_at, id)
        ) is null;
        return null;
      end $$`);
    this.addSql(`
      create trigger job_changed after update on job referencing new table as changed
      for each statement execute function change_jobs_in_progress()`);
    // Nothing changes what a row holds. By hand it can be done: the row as it was goes first, and comes again as it is now.
    this.addSql(`
      create function remove_job_in_progress() returns trigger language plpgsql as $$
      begin
        delete from job_in_progress where (started_at, job_id) = (old.started_at, old.id);
        return null;
      end $$`);
    this.addSql(`
      create trigger job_moved after update of id, started_at, owner_id, type, tags on job for each row
      when (old.status = 'IN_PROGRESS') execute function remove_job_in_progress()`);
    this.addSql(`
      create trigger job_removed after delete on job for each row
      when (old.status = 'IN_PROGRESS') execute function remove_job_in_progress()`);
    this.addSql(`
      create function remove_all_jobs_in_progress() returns trigger language plpgsql as $$
      begin
        truncate job_in_progress;
        return null;
      end $$`);
    this.addSql(`
      create trigger jobs_removed after truncate on job
      for each statement execute function remove_all_jobs_in_progress()`);
  }
}
