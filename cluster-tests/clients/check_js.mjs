// Walks @opensearch-project/opensearch through a server, and through replication when a second cluster is given.
//
//     check_js.mjs LEADER_URL [FOLLOWER_URL LEADER_SEED]
//
// Prints one line per check; exit status 1 when one fails. The package is looked up from $CLIENTS_HOME.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { setTimeout as pause } from 'node:timers/promises';

const require = createRequire(`${process.env.CLIENTS_HOME ?? process.cwd()}/`);
const { Client, errors } = require('@opensearch-project/opensearch');

const INDEX = 'client-js';
const FOLLOWER_INDEX = 'client-js-follower';
const ALIAS = 'client-js-leader';
const DOCUMENTS = 10_000;
const WAIT_MILLIS = 30_000;

const document = (number) => ({ title: `document number ${number}`, number, even: number % 2 === 0 });
const equal = (found, expected) => assert.deepEqual(found, expected);
const pick = (object, ...keys) => Object.fromEntries(keys.map((key) => [key, object[key]]));

async function expectError(status, type, call) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    assert.ok(error instanceof errors.ResponseError, `not a ResponseError: ${error}`);
    equal([error.statusCode, error.body?.error?.type], [status, type]);
    return error;
  }
  throw new Error(`expected ${status} ${type}, found ${JSON.stringify(answer.body)}`);
}

// Looks until it is good; the last look is the one that counts.
async function eventually(look, good) {
  const deadline = Date.now() + WAIT_MILLIS;
  for (;;) {
    const found = await look();
    if (good(found)) return found;
    if (Date.now() > deadline) throw new Error(`still ${JSON.stringify(found)} after ${WAIT_MILLIS} ms`);
    await pause(50);
  }
}

const leaderChecks = (client) => ({
  async root() {
    equal((await client.ping()).body, true);
    equal((await client.info()).body.version.distribution, 'opensearch');
  },
  async 'create index'() {
    const body = {
      settings: { number_of_shards: 1, number_of_replicas: 0 },
      mappings: { properties: { title: { type: 'text' }, number: { type: 'long' }, even: { type: 'boolean' } } },
    };
    equal((await client.indices.create({ index: INDEX, body })).body, { acknowledged: true, shards_acknowledged: true, index: INDEX });
    equal((await client.indices.exists({ index: INDEX })).body, true);
    equal((await client.indices.exists({ index: `${INDEX}-missing` })).body, false);
    await expectError(400, 'resource_already_exists_exception', () => client.indices.create({ index: INDEX }));
  },
  async 'index and get'() {
    const { body, statusCode } = await client.index({ index: INDEX, id: 'one', body: document(1) });
    equal([statusCode, body.result, body._version, body._seq_no], [201, 'created', 1, 0]);
    equal((await client.get({ index: INDEX, id: 'one' })).body._source, document(1));
    equal((await client.exists({ index: INDEX, id: 'none' })).body, false);
    equal((await client.getSource({ index: INDEX, id: 'one' })).body, document(1));
    const many = await client.mget({ index: INDEX, body: { ids: ['one', 'none'] } });
    equal(many.body.docs.map((found) => found.found), [true, false]);
  },
  async 'update and delete'() {
    equal((await client.update({ index: INDEX, id: 'one', body: { doc: { number: 100 } } })).body.result, 'updated');
    equal((await client.update({ index: INDEX, id: 'one', body: { doc: { number: 100 } } })).body.result, 'noop');
    equal((await client.get({ index: INDEX, id: 'one' })).body._source.number, 100);
    equal((await client.delete({ index: INDEX, id: 'one' })).body.result, 'deleted');
  },
  async 'bulk helper'() {
    const datasource = Array.from({ length: DOCUMENTS }, (_, number) => document(number));
    const result = await client.helpers.bulk({
      datasource,
      flushBytes: 100_000,
      concurrency: 3,
      onDocument: (one) => ({ index: { _index: INDEX, _id: String(one.number) } }),
      refreshOnCompletion: INDEX,
    });
    equal(pick(result, 'total', 'successful', 'failed', 'aborted'), { total: DOCUMENTS, successful: DOCUMENTS, failed: 0, aborted: false });
    equal((await client.count({ index: INDEX })).body.count, DOCUMENTS);
  },
  async 'bulk helper reports items'() {
    const dropped = [];
    const result = await client.helpers.bulk({
      datasource: [document(0), { number: 'no number' }],
      onDocument: (one) => (one.number === 0 ? { create: { _index: INDEX, _id: '0' } } : { index: { _index: INDEX, _id: 'bad' } }),
      onDrop: (one) => dropped.push([one.status, one.error.type]),
    });
    equal(pick(result, 'total', 'failed'), { total: 2, failed: 2 });
    equal(dropped, [[409, 'version_conflict_engine_exception'], [400, 'mapper_parsing_exception']]);
  },
  async 'compressed bulk'() {
    const compressed = new Client({ node: client.connectionPool.connections[0].url.href, compression: 'gzip' });
    const lines = [{ index: { _index: INDEX, _id: '3' } }, document(3), { delete: { _index: INDEX, _id: 'none' } }];
    const { body } = await compressed.bulk({ body: lines, refresh: true });
    equal([body.errors, body.items[0].index.status, body.items[1].delete.status], [false, 200, 404]);
    await compressed.close();
  },
  async search() {
    const one = await client.search({ index: INDEX, body: { query: { match: { title: '77' } } } });
    equal([one.body.hits.total, one.body.hits.hits[0]._id], [{ value: 1, relation: 'eq' }, '77']);
    const query = { bool: { filter: [{ term: { even: true } }, { range: { number: { gte: 100, lt: 200 } } }] } };
    const many = await client.search({ index: INDEX, body: { query, sort: [{ number: 'desc' }], size: 3 } });
    equal([many.body.hits.total.value, many.body.hits.hits.map((hit) => hit.sort)], [50, [[198], [196], [194]]]);
    equal((await client.count({ index: INDEX, body: { query: { term: { even: true } } } })).body.count, DOCUMENTS / 2);
  },
  async errors() {
    await expectError(404, 'index_not_found_exception', () => client.search({ index: `${INDEX}-missing` }));
    await expectError(409, 'version_conflict_engine_exception', () => client.create({ index: INDEX, id: '0', body: document(0) }));
    await expectError(400, 'mapper_parsing_exception', () => client.index({ index: INDEX, body: { number: 'no number' } }));
    await expectError(404, 'document_missing_exception', () => client.update({ index: INDEX, id: 'none', body: { doc: { number: 1 } } }));
    const unknown = await expectError(400, 'parsing_exception', () => client.search({ index: INDEX, body: { query: { mach: {} } } }));
    equal(unknown.body.error.reason, 'unknown query [mach] did you mean [match]?');
    await assert.rejects(client.get({ index: INDEX, id: 'none' }), (error) => error.statusCode === 404 && error.body.found === false);
  },
  async administration() {
    await client.indices.putSettings({ index: INDEX, body: { refresh_interval: '5s' } });
    equal((await client.indices.getSettings({ index: INDEX })).body[INDEX].settings.index.refresh_interval, '5s');
    await client.indices.putMapping({ index: INDEX, body: { properties: { more: { type: 'keyword' } } } });
    equal((await client.indices.getMapping({ index: INDEX })).body[INDEX].mappings.properties.more, { type: 'keyword' });
    equal((await client.indices.refresh({ index: INDEX })).body._shards, { total: 1, successful: 1, failed: 0 });
    const rows = (await client.cat.indices({ index: INDEX, format: 'json' })).body;
    equal([rows[0].index, rows[0].health, rows[0]['docs.count']], [INDEX, 'green', String(DOCUMENTS)]);
    equal((await client.cluster.health({ index: INDEX, wait_for_status: 'green', timeout: '10s' })).body.status, 'green');
    equal(Object.keys((await client.cluster.getSettings()).body).sort(), ['persistent', 'transient']);
  },
});

const replicationChecks = (leader, follower, seed) => {
  const calls = follower.replication;
  const status = async () => (await calls.status({ index: FOLLOWER_INDEX })).body;
  const start = () => calls.start({ index: FOLLOWER_INDEX, body: { leader_alias: ALIAS, leader_index: INDEX } });
  const exists = async (client, index, id) => (await client.exists({ index, id })).body;
  return {
    async 'start copies everything'() {
      await follower.cluster.putSettings({ body: { persistent: { [`cluster.remote.${ALIAS}.seeds`]: [seed] } } });
      equal((await start()).body, { acknowledged: true });
      const last = (await leader.index({ index: INDEX, id: 'last', body: document(5), refresh: true })).body._seq_no;
      const found = await eventually(status, (one) => one.syncing_details?.follower_checkpoint === last);
      equal(pick(found, 'status', 'reason', 'leader_alias', 'leader_index', 'follower_index'), {
        status: 'SYNCING', reason: 'User initiated', leader_alias: ALIAS, leader_index: INDEX, follower_index: FOLLOWER_INDEX,
      });
      await follower.indices.refresh({ index: FOLLOWER_INDEX });
      equal((await follower.count({ index: FOLLOWER_INDEX })).body.count, DOCUMENTS + 1);
      for (const id of ['0', '77', 'last']) {
        const keys = ['_version', '_seq_no', '_primary_term', '_source'];
        const ours = (await follower.get({ index: FOLLOWER_INDEX, id })).body;
        equal(pick(ours, ...keys), pick((await leader.get({ index: INDEX, id })).body, ...keys));
      }
    },
    async 'follower is read only'() {
      await expectError(403, 'cluster_block_exception', () => follower.index({ index: FOLLOWER_INDEX, id: 'x', body: {} }));
      await expectError(403, 'cluster_block_exception', () => follower.indices.delete({ index: FOLLOWER_INDEX }));
    },
    async 'pause and resume'() {
      equal((await calls.pause({ index: FOLLOWER_INDEX, body: { reason: 'a check' } })).body, { acknowledged: true });
      equal(await status(), {
        status: 'PAUSED', reason: 'a check', leader_alias: ALIAS, leader_index: INDEX, follower_index: FOLLOWER_INDEX,
      });
      await leader.index({ index: INDEX, id: 'while-paused', body: document(6) });
      await expectError(400, 'resource_already_exists_exception', () => calls.pause({ index: FOLLOWER_INDEX, body: {} }));
      equal(await exists(follower, FOLLOWER_INDEX, 'while-paused'), false);
      equal((await calls.resume({ index: FOLLOWER_INDEX, body: {} })).body, { acknowledged: true });
      await eventually(() => exists(follower, FOLLOWER_INDEX, 'while-paused'), Boolean);
      equal((await status()).status, 'SYNCING');
    },
    async errors() {
      await expectError(400, 'illegal_argument_exception', () => calls.stop({ index: 'client-js-none', body: {} }));
      await expectError(400, 'illegal_argument_exception', start);
      const from = (leader_alias, leader_index) => () => calls.start({ index: 'client-js-none', body: { leader_alias, leader_index } });
      await expectError(404, 'no_such_remote_cluster_exception', from('nosuch', INDEX));
      await expectError(404, 'index_not_found_exception', from(ALIAS, 'client-js-none'));
    },
    async 'stop makes it writable'() {
      equal((await calls.stop({ index: FOLLOWER_INDEX, body: {} })).body, { acknowledged: true });
      equal(await status(), { status: 'REPLICATION NOT IN PROGRESS' });
      equal((await follower.index({ index: FOLLOWER_INDEX, id: 'own', body: document(7) })).body.result, 'created');
      equal(await exists(leader, INDEX, 'own'), false);
    },
  };
};

async function run(group, checks) {
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`ok    js  ${group}: ${name}`);
    } catch (error) {
      failed += 1;
      const answer = error.body === undefined ? '' : `\n${JSON.stringify(error.body)}`;
      console.log(`FAIL  js  ${group}: ${name}\n      ${`${error.stack}${answer}`.replaceAll('\n', '\n      ')}`);
    }
  }
  return failed;
}

async function clean(leader, follower) {
  await leader.indices.delete({ index: INDEX, ignore_unavailable: true });
  if (follower === null) return;
  // Answers 400 when nothing replicates into it, which is as good.
  await follower.replication.stop({ index: FOLLOWER_INDEX, body: {} }, { ignore: [400] });
  await follower.indices.delete({ index: FOLLOWER_INDEX, ignore_unavailable: true });
  await follower.cluster.putSettings({ body: { persistent: { [`cluster.remote.${ALIAS}.seeds`]: null } } });
}

const [leaderUrl, followerUrl, seed] = process.argv.slice(2);
if (leaderUrl === undefined || (followerUrl !== undefined && seed === undefined)) {
  console.log('usage: check_js.mjs LEADER_URL [FOLLOWER_URL LEADER_SEED]');
  process.exit(2);
}
// Nothing is tried twice: an answer that needs a second try is a fault here.
const connect = (node) => new Client({ node, maxRetries: 0, requestTimeout: 60_000 });
const leader = connect(leaderUrl);
const follower = followerUrl === undefined ? null : connect(followerUrl);
await clean(leader, follower);
let failed = await run('leader', leaderChecks(leader));
if (follower === null) {
  console.log('skip  js  replication (no follower was given)');
} else {
  failed += await run('replication', replicationChecks(leader, follower, seed));
}
await clean(leader, follower);
await leader.close();
await follower?.close();
process.exitCode = failed === 0 ? 0 : 1;
