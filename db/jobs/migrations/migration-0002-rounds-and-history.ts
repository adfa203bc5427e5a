import { Migration } from '@mikro-orm/migrations';

/** Options of jobs, tasks that wait, fair queues, dead letters and what happened to attempts. */
export class Migration0002RoundsAndHistory extends Migration {
  override up(): void {
    this.addSql(`
      alter table job_type
        add column max_running int not null default 0 check (max_running >= 0)`);

    this.addSql(`
      alter table job
        add column priority int not null default 0 check (priority between -100 and 100),
        add column run_at timestamptz,
        add column timeout_ms bigint check (timeout_ms > 0),
        add column max_attempts int check (max_attempts > 0),
        add column backoff_ms bigint check (backoff_ms >= 0),
        add column unique_for text,
        add column tags text[] not null default '{}',
        add column round int not null default 1 check (round > 0),
        add check ((run_at is not null) or status <> 'SCHEDULED')`);
    // One unfinished job of an owner per type and key.
    this.addSql(`
      create unique index job_unique_for on job (owner_id, type, unique_for)
      where unique_for is not null and ended_at is null`);
    this.addSql(`create index job_scheduled on job (run_at) where status = 'SCHEDULED'`);
    // Statuses change faster than statistics are made: a plan that believes most jobs to be in progress reads all that have
    // ended to find the one that has not. Without statistics the indexes of jobs that are not completed are taken.
    this.addSql('alter table job alter column status set statistics 0');
    // What is not completed is little: a page of each state is read from the end of an index of its own.
    this.addSql('drop index job_not_completed');
    this.addSql(`
      create index job_status on job (status, started_at, id) include (type) where status <> 'COMPLETED'`);
    this.addSql(`
      create index job_owner_status on job (owner_id, status, started_at, id) include (type)
      where status <> 'COMPLETED'`);
    // A job of each tag, in the orders in which lists ask for it: rows are only ever added, and none for jobs without tags. The
    // other statuses of tagged jobs are few again.
    this.addSql(`
      create table job_tag (
        tag text not null,
        owner_id uuid not null,
        type text not null,
        started_at timestamptz not null,
        job_id bigint not null references job (id) on delete cascade,
        primary key (job_id, tag)
      )`);
    this.addSql('create index job_tag_started on job_tag (tag, started_at, job_id)');
    this.addSql('create index job_tag_type on job_tag (tag, type, started_at, job_id)');
    this.addSql('create index job_tag_owner on job_tag (owner_id, tag, started_at, job_id)');
    this.addSql('create index job_tag_owner_type on job_tag (owner_id, tag, type, started_at, job_id)');
    this.addSql(`
      create index job_status_tagged on job (status, started_at, id) include (tags, type)
      where status <> 'COMPLETED' and tags <> '{}'`);
    this.addSql(`
      create index job_owner_status_tagged on job (owner_id, status, started_at, id) include (tags, type)
      where status <> 'COMPLETED' and tags <> '{}'`);

    // Whose task it is and how urgent stands with the task, so that a claim reads one index.
    this.addSql(`
      alter table task
        add column owner_id uuid,
        add column priority int not null default 0,
        add column deferrals int not null default 0,
        add column died_at timestamptz,
        drop constraint task_check,
        add constraint task_lease_check check ((state in ('dispatched', 'running')) = (lease_until is not null)),
        drop constraint task_state_check,
        add constraint task_state_check check (state in
          ('waiting', 'ready', 'dispatched', 'running', 'succeeded', 'dead', 'cancelled'))`);
    this.addSql(`
      update task set owner_id = job.owner_id,
        died_at = case when task.state = 'dead' then coalesce(job.ended_at, now()) end
      from job where job.id = task.job_id`);
    this.addSql(`
      update task set state = 'waiting' where state = 'ready' and available_at > now()`);
    this.addSql('alter table task alter column owner_id set not null');

    // A task is written with its job, by one statement; to look the job up again for each was a tenth of that statement's cost.
    this.addSql('alter table task drop constraint task_job_id_fkey');

    // Owners take turns; within an owner's tasks the urgent come first, then those of the oldest job, or the first of each job.
    this.addSql('drop index task_ready, task_ready_widest, task_lease');
    this.addSql(`
      create index task_ready on task (type, owner_id, priority desc, job_id, seq) where state = 'ready'`);
    this.addSql(`
      create index task_ready_widest on task (type, owner_id, priority desc, seq, job_id) where state = 'ready'`);
    this.addSql(`create index task_waiting on task (available_at) where state = 'waiting'`);
    // Not "where state = 'running'": that would offer the index to every statement that names one running attempt.
    this.addSql('create index task_lease on task (lease_until) where lease_until is not null');
    this.addSql(`create index task_dead on task (died_at, job_id, seq) where state = 'dead'`);
    this.addSql(`create index task_dead_type on task (type, died_at, job_id, seq) where state = 'dead'`);
    this.addSql(`create index task_dead_job on task (job_id, seq) where state = 'dead'`);
    this.addSql(`create index task_dead_owner on task (owner_id, died_at, job_id, seq) where state = 'dead'`);

    // What did not go straight: one row per failed, lost, refused or repeated attempt, and per decision of a person.
    this.addSql(`
      create table history (
        id bigint primary key generated always as identity,
        job_id bigint not null references job (id) on delete cascade,
        seq int,
        attempt int,
        round int not null,
        event text not null check (event in
          ('retried', 'deferred', 'released', 'rescued', 'died', 'superseded', 'cancelled', 'redriven')),
        at timestamptz not null default clock_timestamp(),
        executor_id text,
        reason text,
        message text,
        detail jsonb
      )`);
    this.addSql('create index history_job on history (job_id, id)');
    // A late outcome is told once, however often it is sent.
    this.addSql(`
      create unique index history_superseded on history (job_id, seq, attempt) where event = 'superseded'`);
  }
}
