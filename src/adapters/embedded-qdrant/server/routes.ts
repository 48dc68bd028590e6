import { QdrantError, unsupported } from '../qdrant-error';
import * as aggregates from './aggregate-handlers';
import * as collections from './collection-handlers';
import * as reads from './read-handlers';
import * as writes from './write-handlers';
import type { Handler } from './request';
import { Router } from './router';
import * as searches from './search-handlers';
import * as service from './service-handlers';

const READ = ['timeout', 'consistency'];
const WRITE = ['wait', 'ordering', 'timeout'];
const CHANGE = ['timeout', 'wait'];

/** Every path of Qdrant 1.18, answered, refused as unsupported, or refused as it is on a single node. */
export function createRouter(): Router {
  const router = new Router();
  const get = (path: string, handler: Handler, parameters: readonly string[] = []): void =>
    router.add('GET', path, parameters, handler);
  const put = (path: string, handler: Handler, parameters: readonly string[]): void =>
    router.add('PUT', path, parameters, handler);
  const post = (path: string, handler: Handler, parameters: readonly string[]): void =>
    router.add('POST', path, parameters, handler);
  const remove = (path: string, handler: Handler, parameters: readonly string[]): void =>
    router.add('DELETE', path, parameters, handler);

  get('/collections', collections.listCollections);
  get('/collections/{collection}', collections.getCollection);
  put('/collections/{collection}', collections.createCollection, CHANGE);
  router.add('PATCH', '/collections/{collection}', CHANGE, collections.updateCollection);
  remove('/collections/{collection}', collections.deleteCollection, CHANGE);
  get('/collections/{collection}/exists', collections.collectionExists);
  get('/collections/{collection}/aliases', collections.collectionAliases);
  get('/aliases', collections.listAliases);
  post('/collections/aliases', collections.changeAliases, CHANGE);
  put('/collections/{collection}/index', collections.createIndex, WRITE);
  remove('/collections/{collection}/index/{field}', collections.deleteIndex, WRITE);
  put('/collections/{collection}/vectors/{vector}', collections.createVector, WRITE);
  remove('/collections/{collection}/vectors/{vector}', collections.deleteVector, WRITE);

  const points = '/collections/{collection}/points';
  put(points, writes.upsert, WRITE);
  post(points, reads.retrieve, READ);
  get(`${points}/{id}`, reads.retrieveOne, READ);
  post(`${points}/delete`, writes.deletePoints, WRITE);
  put(`${points}/vectors`, writes.updateVectors, WRITE);
  post(`${points}/vectors/delete`, writes.deleteVectors, WRITE);
  post(`${points}/payload`, writes.setPayload, WRITE);
  put(`${points}/payload`, writes.overwritePayload, WRITE);
  post(`${points}/payload/delete`, writes.deletePayload, WRITE);
  post(`${points}/payload/clear`, writes.clearPayload, WRITE);
  post(`${points}/batch`, writes.batch, WRITE);
  post(`${points}/scroll`, reads.scroll, READ);
  post(`${points}/count`, reads.count, READ);
  post(`${points}/query`, reads.query, READ);
  post(`${points}/query/batch`, reads.queryBatch, READ);
  post(`${points}/query/groups`, reads.queryGroups, READ);
  post('/collections/{collection}/facet', aggregates.countFacets, READ);
  post(`${points}/search/matrix/pairs`, aggregates.matrixPairs, READ);
  post(`${points}/search/matrix/offsets`, aggregates.matrixOffsets, READ);

  post(`${points}/search`, searches.search, READ);
  post(`${points}/search/batch`, searches.searchBatch, READ);
  post(`${points}/search/groups`, searches.searchGroups, READ);
  post(`${points}/recommend`, searches.recommend, READ);
  post(`${points}/recommend/batch`, searches.recommendBatch, READ);
  post(`${points}/recommend/groups`, searches.recommendGroups, READ);
  post(`${points}/discover`, searches.discover, READ);
  post(`${points}/discover/batch`, searches.discoverBatch, READ);

  service.addServiceRoutes(router);
  refuseTheRest(router);
  return router;
}

const refuse =
  (error: () => QdrantError): Handler =>
  () => {
    throw error();
  };

function refuseTheRest(router: Router): void {
  const snapshots = refuse(() => unsupported('snapshots; copy the data folder while the server is stopped'));
  for (const base of [
    '/snapshots',
    '/collections/{collection}/snapshots',
    '/collections/{collection}/shards/{shard}/snapshots',
  ]) {
    router.add('GET', base, [], snapshots);
    router.add('POST', base, ['wait'], snapshots);
    router.add('GET', `${base}/{snapshot}`, [], snapshots);
    router.add('DELETE', `${base}/{snapshot}`, ['wait'], snapshots);
    router.add('POST', `${base}/upload`, ['wait', 'priority', 'checksum'], snapshots);
    router.add('PUT', `${base}/recover`, ['wait'], snapshots);
  }
  router.add('GET', '/collections/{collection}/shards/{shard}/snapshot', [], snapshots);
  const standalone = refuse(() => new QdrantError(405, 'Qdrant is running in standalone mode'));
  router.add('POST', '/collections/{collection}/cluster', ['timeout'], standalone);
  router.add('PUT', '/collections/{collection}/shards', ['timeout'], standalone);
  router.add('POST', '/collections/{collection}/shards/delete', ['timeout'], standalone);
  router.add('POST', '/cluster/recover', [], standalone);
  router.add('DELETE', '/cluster/peer/{peer}', ['timeout', 'force'], standalone);
}
