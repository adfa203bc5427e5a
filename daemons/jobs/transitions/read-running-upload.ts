import type { Pool } from 'pg';
import type { AttemptRef } from './attempt-ref.ts';

/** The upload that a running attempt may read, if the bytes belong to its task. Reads only. */
const READ_RUNNING_UPLOAD = `
  select job.upload_name as name
  from task join job on job.id = task.job_id
  where task.job_id = $1 and task.seq = $2 and task.attempt = $3 and task.state = 'running'
    and $4::bigint < $5::bigint and task.byte_from <= $4 and task.byte_to >= $5`;

/** @returns the upload's name, or undefined when the attempt is superseded or the bytes are not its own. */
export async function readRunningUpload(
  pool: Pool,
  ref: AttemptRef,
  range: { from: number; to: number },
): Promise<string | undefined> {
  const { rows } = await pool.query<{ name: string | null }>({
    name: 'read-running-upload',
    text: READ_RUNNING_UPLOAD,
    values: [ref.jobId, ref.seq, ref.attempt, range.from, range.to],
  });
  return rows[0]?.name ?? undefined;
}
