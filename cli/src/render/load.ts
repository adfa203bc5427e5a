import type { JobReport } from '../api/jobs.ts';
import { asTyped } from '../environment.ts';
import { renderReport } from './job.ts';
import { count, counted, seconds } from './units.ts';

export interface LoadSummary {
  readonly records: number;
  readonly created: number;
  readonly updated: number;
  readonly failed: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
}

export function summarizeLoad(job: JobReport): LoadSummary {
  const counters = (job.counters ?? {}) as Record<string, unknown>;
  const elapsed = Math.max(1, Date.parse(job.endedAt ?? job.startedAt) - Date.parse(job.startedAt)) / 1000;
  return {
    records: job.size,
    created: numberOf(counters['created']),
    updated: numberOf(counters['updated']),
    failed: job.failed,
    seconds: elapsed,
    recordsPerSecond: Math.round((job.completed + job.failed) / elapsed),
  };
}

export function renderLoad(job: JobReport, summary: LoadSummary): string {
  if (job.status !== 'COMPLETED') return renderReport(job);
  const { records, created, updated, failed } = summary;
  const speed = `${count(summary.recordsPerSecond)}/s in ${seconds(summary.seconds * 1000)}`;
  return `Job ${job.id} loaded ${counted(records, 'record')}: ${count(created)} created, ${count(updated)} updated, ${count(failed)} failed (${speed})\nSee them with: ${asTyped(`products list --job ${job.id}`)}`;
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
