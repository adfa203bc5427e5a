/** Whether what is committed survives a power cut. `throwaway` is for tests: faster, and lost with the machine. */
export type DurabilityMode = 'durable' | 'throwaway';

/**
 * The server's settings, given on its command line so that a newer jobber's settings hold for older data folders too.
 * They fit a small machine that has other things to do. Local connections by TCP on 127.0.0.1 only: no socket file,
 * whose path would have to be short and reachable.
 */
export function serverSettings(mode: DurabilityMode, port: number, cluster: string): Record<string, string> {
  return {
    ...common,
    ...(mode === 'durable' ? durable : throwaway),
    port: String(port),
    cluster_name: cluster,
  };
}

const common = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Our statements are short: compiling them costs more than it saves, and its library costs 40 MB a connection.
  jit: 'off',
  // One process less each: nothing is replicated, and reads come from memory.
  io_method: 'sync',
  max_wal_senders: '0',
  max_replication_slots: '0',
  max_logical_replication_workers: '0',
  wal_level: 'minimal',
  max_worker_processes: '4',
  max_parallel_workers: '2',
  random_page_cost: '1.1',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] %q%u@%d ',
};

const durable = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '64MB',
  max_connections: '100',
  wal_buffers: '4MB',
  min_wal_size: '64MB',
  max_wal_size: '512MB',
  checkpoint_timeout: '10min',
  autovacuum_max_workers: '2',
};

const throwaway = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  shared_buffers: '64MB',
  max_connections: '200',
  min_wal_size: '64MB',
  max_wal_size: '256MB',
  checkpoint_timeout: '1h',
  autovacuum: 'off',
};
