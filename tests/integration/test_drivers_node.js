// What node-postgres is used for; the first failure is thrown. The connection string is the only argument.
'use strict';
const assert = require('node:assert');
const { Client, Pool } = require('pg');

const connectionString = process.argv[2];

async function values(client) {
  const found = await client.query('SELECT $1::int AS n, $2::text AS t, $3::jsonb AS j, $4::timestamptz AS at',
    [42, 'ünïcödé', { a: [1, null] }, new Date(0)]);
  assert.deepStrictEqual(found.rows[0], { n: 42, t: 'ünïcödé', j: { a: [1, null] }, at: new Date(0) });
  const several = await client.query('SELECT 1 AS a; SELECT 2 AS b');
  assert.deepStrictEqual(several.map((result) => result.rows[0]), [{ a: 1 }, { b: 2 }]);
}

async function preparedStatements(client) {
  for (let number = 0; number < 20; number++) {
    const found = await client.query({ name: 'adds', text: 'SELECT $1::int + 1 AS next', values: [number] });
    assert.strictEqual(found.rows[0].next, number + 1);
  }
}

async function transactions(client) {
  await client.query('DROP TABLE IF EXISTS of_node; CREATE TABLE of_node (n int PRIMARY KEY)');
  await client.query('BEGIN');
  await client.query('INSERT INTO of_node VALUES ($1)', [1]);
  await assert.rejects(client.query('INSERT INTO of_node VALUES ($1)', [1]), { code: '23505', constraint: 'of_node_pkey' });
  await assert.rejects(client.query('SELECT 1'), { code: '25P02' });
  await client.query('ROLLBACK');
  assert.strictEqual((await client.query('SELECT * FROM of_node')).rowCount, 0);
}

async function manyAtOnce(client) {
  const found = await Promise.all([...Array(100).keys()].map((number) => client.query('SELECT $1::int AS n', [number])));
  found.forEach((result, number) => assert.strictEqual(result.rows[0].n, number));
}

async function notifications(client) {
  const heard = new Promise((resolve) => client.once('notification', resolve));
  await client.query('LISTEN bell');
  await client.query("SELECT pg_notify('bell', 'of node')");
  const { channel, payload } = await heard;
  assert.deepStrictEqual({ channel, payload }, { channel: 'bell', payload: 'of node' });
  const noticed = new Promise((resolve) => client.once('notice', resolve));
  await client.query("DO $$ BEGIN RAISE NOTICE 'noticed'; END $$");
  assert.strictEqual((await noticed).message, 'noticed');
}

async function pool() {
  const sessions = new Pool({ connectionString, max: 10 });
  const found = await Promise.all([...Array(200).keys()].map((number) => sessions.query('SELECT $1::int AS n', [number])));
  assert.strictEqual(found.reduce((sum, result) => sum + result.rows[0].n, 0), 19900);
  await sessions.end();
}

async function timeouts() {
  const client = new Client({ connectionString, statement_timeout: 50, application_name: 'of node' });
  await client.connect();
  await assert.rejects(client.query('SELECT pg_sleep(500)'), { code: '57014' });
  assert.strictEqual((await client.query('SHOW statement_timeout')).rows[0].statement_timeout, '50ms');
  assert.strictEqual((await client.query('SHOW application_name')).rows[0].application_name, 'of node');
  await client.end();
}

async function main() {
  const client = new Client({ connectionString });
  await client.connect();
  for (const scenario of [values, preparedStatements, transactions, manyAtOnce, notifications]) await scenario(client);
  await client.end();
  await pool();
  await timeouts();
  console.log('all of it done');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
