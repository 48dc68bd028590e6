/**
 * For one program on a small machine: a unix socket and no network, few processes, little memory. Flushing stays on, so
 * an acknowledged write survives SIGKILL and loss of power.
 */
export function serverSettings(socketFolder: string): Record<string, string> {
  return {
    listen_addresses: '',
    unix_socket_directories: socketFolder,
    unix_socket_permissions: '0700',
    port: '5432',
    cluster_name: 'kindred',
    max_connections: '50',
    shared_buffers: '128MB',
    maintenance_work_mem: '64MB',
    effective_cache_size: '512MB',
    max_wal_size: '512MB',
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_logical_replication_workers: '0',
    // The default starts three worker processes; at this size they gain nothing.
    io_method: 'sync',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    datestyle: 'iso, mdy',
    // A failed statement is the client's to log; here it could only leak what it contained.
    log_min_messages: 'fatal',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
    log_line_prefix: '',
  };
}

/** For clusters that vanish with their server. */
export function throwawaySettings(): Record<string, string> {
  return {
    fsync: 'off',
    synchronous_commit: 'off',
    full_page_writes: 'off',
    shared_buffers: '64MB',
    // They may lie in memory, and a checkpoint that flushes nothing is cheap.
    max_wal_size: '64MB',
    min_wal_size: '32MB',
  };
}
