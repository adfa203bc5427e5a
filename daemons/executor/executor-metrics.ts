import { Counter, DURATION_BUCKETS, Gauge, Histogram, type Registry } from '@jobber/shared/telemetry';

export interface ExecutorMetrics {
  /** `outcome`: succeeded, failed, retry, deferred, interrupted, handed-back, aborted. */
  readonly outcomes: Counter<'type' | 'outcome'>;
  readonly reports: Counter<'result'>;
  readonly handlerSeconds: Histogram<'type'>;
  readonly heartbeatFailures: Counter;
  readonly streamReconnects: Counter;
  /** `result`: followed, superseded, passed-on, unanswered, or why a message is no hint. */
  readonly hints: Counter<'type' | 'result'>;
}

/** @param running how many attempts there are now */
export function createExecutorMetrics(registry: Registry, running: () => number): ExecutorMetrics {
  const registers = [registry];
  new Gauge({
    name: 'jobber_executor_running_attempts',
    help: 'Attempts that were received and whose outcome is not stored yet',
    registers,
    collect() {
      this.set(running());
    },
  });
  return {
    outcomes: new Counter({
      name: 'jobber_executor_outcomes_total',
      help: 'Attempts by how they ended',
      labelNames: ['type', 'outcome'],
      registers,
    }),
    reports: new Counter({
      name: 'jobber_executor_reports_total',
      help: 'Outcomes by what Jobs answered: recorded, superseded, or unanswered',
      labelNames: ['result'],
      registers,
    }),
    handlerSeconds: new Histogram({
      name: 'jobber_executor_handler_seconds',
      help: 'How long handlers ran',
      labelNames: ['type'],
      buckets: DURATION_BUCKETS,
      registers,
    }),
    heartbeatFailures: new Counter({
      name: 'jobber_executor_heartbeat_failures_total',
      help: 'Heartbeats that Jobs did not answer',
      registers,
    }),
    streamReconnects: new Counter({
      name: 'jobber_executor_stream_reconnects_total',
      help: 'How often the stream of tasks was opened anew',
      registers,
    }),
    hints: new Counter({
      name: 'jobber_executor_hints_total',
      help: 'Messages of the broker by what became of them: followed, superseded, passed-on, unanswered, or why it is no hint',
      labelNames: ['type', 'result'],
      registers,
    }),
  };
}
