import type { Handler } from './request';
import type { Router } from './router';

/** The version whose REST API this server speaks. */
export const QDRANT_VERSION = '1.18.0';

/** What `GET /` answers, outside the usual envelope. */
export const VERSION_INFO = JSON.stringify({
  title: 'qdrant - vector search engine',
  version: QDRANT_VERSION,
  commit: 'embedded',
});

const startedAt = new Date().toISOString();

const clusterStatus: Handler = () => '{"status":"disabled"}';

const telemetry: Handler = ({ engine }) =>
  JSON.stringify({
    id: 'embedded',
    app: { name: 'qdrant', version: QDRANT_VERSION, startup: startedAt },
    collections: { number_of_collections: engine.names().length },
  });

const collectionCluster: Handler = ({ engine, path }) => {
  const { pointCount } = engine.find(path['collection'] ?? '');
  return JSON.stringify({
    peer_id: 0,
    shard_count: 1,
    local_shards: [{ shard_id: 0, points_count: pointCount, state: 'Active' }],
    remote_shards: [],
    shard_transfers: [],
  });
};

const optimizations: Handler = ({ engine, path }) => {
  engine.find(path['collection'] ?? '');
  const summary = { queued_optimizations: 0, queued_segments: 0, queued_points: 0, idle_segments: 1 };
  return JSON.stringify({ summary, running: [] });
};

const shardKeys: Handler = ({ engine, path }) => {
  engine.find(path['collection'] ?? '');
  return '{"shard_keys":null}';
};

export function addServiceRoutes(router: Router): void {
  router.add('GET', '/cluster', [], clusterStatus);
  router.add('GET', '/telemetry', ['anonymize', 'details_level', 'timeout', 'per_collection'], telemetry);
  router.add('GET', '/issues', [], () => '{"issues":[]}');
  router.add('DELETE', '/issues', [], () => 'true');
  router.add('GET', '/collections/{collection}/cluster', [], collectionCluster);
  router.add('GET', '/collections/{collection}/optimizations', ['with', 'completed_limit'], optimizations);
  router.add('GET', '/collections/{collection}/shards', [], shardKeys);
}
