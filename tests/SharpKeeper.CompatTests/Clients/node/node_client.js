// The client of Node.js against the servers given as the first argument; ends with 0 if all was as it must be.
'use strict';

const assert = require('node:assert/strict');
const readline = require('node:readline');
const zookeeper = require('node-zookeeper-client');

const WAIT_MS = 30_000;
const { ACL, CreateMode, Event, Exception, Id, Permission, State } = zookeeper;
const hosts = process.argv[2].split(',');
const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();

// Has the test that runs this stop or start servers.
async function ask(wish) {
    console.log('@' + wish);
    assert.equal((await answers.next()).value, 'done');
}

function within(promise, what) {
    let timer;
    const limit = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`${what} did not come`)), WAIT_MS);
    });
    return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}

// Calls a method and gives all that its callback is given behind the error.
function call(target, method, ...values) {
    return within(new Promise((resolve, reject) => {
        target[method](...values, (error, ...results) => (error ? reject(error) : resolve(results)));
    }), `the answer to ${method}`);
}

// The next event that a watcher is told of, and that watcher.
function watcher() {
    let tell;
    const event = new Promise(resolve => { tell = resolve; });
    return { tell, event };
}

async function expectEvent(watch, type, path) {
    const event = await within(watch.event, `an event of ${path}`);
    assert.deepEqual([event.getType(), event.getPath()], [type, path]);
}

function connect(servers = hosts.join(',')) {
    const client = zookeeper.createClient(servers, { sessionTimeout: 20_000, spinDelay: 50 });
    const connected = new Promise(resolve => client.once('connected', resolve));
    client.connect();
    return within(connected, 'the connection').then(() => client);
}

function close(client) {
    const closed = new Promise(resolve => client.once('disconnected', resolve));
    client.close();
    return within(closed, 'the end of the connection');
}

const fails = code => error => error.getCode() === Exception[code];

async function checkTree(client) {
    assert.deepEqual(await call(client, 'create', '/node', Buffer.from('one')), ['/node']);
    await assert.rejects(call(client, 'create', '/node'), fails('NODE_EXISTS'));
    await assert.rejects(call(client, 'create', '/none/child'), fails('NO_NODE'));
    let [data, stat] = await call(client, 'getData', '/node');
    assert.equal(data.toString(), 'one');
    assert.deepEqual([stat.version, stat.dataLength, stat.numChildren], [0, 3, 0]);
    [stat] = await call(client, 'setData', '/node', Buffer.from('two'), 0);
    assert.equal(stat.version, 1);
    await assert.rejects(call(client, 'setData', '/node', Buffer.from('bad'), 0), fails('BAD_VERSION'));
    for (let i = 0; i < 3; i++) {
        const [path] = await call(client, 'create', '/node/s-', CreateMode.PERSISTENT_SEQUENTIAL);
        assert.equal(path, `/node/s-000000000${i}`);
    }
    await call(client, 'create', '/node/e', CreateMode.EPHEMERAL);
    await assert.rejects(call(client, 'create', '/node/e/child'), fails('NO_CHILDREN_FOR_EPHEMERALS'));
    [stat] = await call(client, 'exists', '/node/e');
    assert.deepEqual(stat.ephemeralOwner, client.getSessionId());
    assert.deepEqual(await call(client, 'exists', '/none'), [null]);
    const [names, parent] = await call(client, 'getChildren', '/node');
    assert.deepEqual(names.sort(), ['e', 's-0000000000', 's-0000000001', 's-0000000002']);
    assert.equal(parent.cversion, 4);
    await assert.rejects(call(client, 'remove', '/node'), fails('NOT_EMPTY'));
    await call(client, 'remove', '/node/s-0000000000', 0);
    await call(client, 'mkdirp', '/deep/er', Buffer.from('d'));
    const [paths] = await call(client, 'listSubTreeBFS', '/deep');
    // It lists one level only.
    assert.deepEqual(paths, ['/deep', '/deep/er']);
    await call(client, 'removeRecursive', '/deep');
    assert.deepEqual(await call(client, 'exists', '/deep'), [null]);
    const [odd] = await call(client, 'create', '/node/grüße 漢字');
    assert.equal(odd, '/node/grüße 漢字');
    await call(client, 'remove', odd);
}

async function checkWatches(client) {
    const [created, changed, more, gone] = [watcher(), watcher(), watcher(), watcher()];
    await call(client, 'exists', '/node/w', created.tell);
    await call(client, 'create', '/node/w');
    await expectEvent(created, Event.NODE_CREATED, '/node/w');
    await call(client, 'getData', '/node/w', changed.tell);
    await call(client, 'getChildren', '/node/w', more.tell);
    await call(client, 'setData', '/node/w', Buffer.from('x'));
    await expectEvent(changed, Event.NODE_DATA_CHANGED, '/node/w');
    await call(client, 'create', '/node/w/c');
    await expectEvent(more, Event.NODE_CHILDREN_CHANGED, '/node/w');
    await call(client, 'exists', '/node/w/c', gone.tell);
    await call(client, 'remove', '/node/w/c');
    await expectEvent(gone, Event.NODE_DELETED, '/node/w/c');
}

async function checkTransactions(client) {
    const whole = client.transaction()
        .create('/t', Buffer.from('1'))
        .create('/t/s-', CreateMode.EPHEMERAL_SEQUENTIAL)
        .setData('/t', Buffer.from('2'), 0)
        .check('/t', 1)
        .remove('/t/s-0000000000');
    const [results] = await call(whole, 'commit');
    assert.equal(results.length, 5);
    assert.deepEqual([results[1].path, results[2].stat.version], ['/t/s-0000000000', 1]);
    const broken = client.transaction().setData('/t', Buffer.from('3')).check('/t', 9).remove('/t');
    await assert.rejects(call(broken, 'commit'), fails('BAD_VERSION'));
    const [data] = await call(client, 'getData', '/t');
    assert.equal(data.toString(), '2');
}

async function checkRights(client) {
    const digest = 'ann:DYnArc9Bv7Bm5zFZbsJ5zP6JX9M=';
    await assert.rejects(call(client, 'create', '/mine', ACL.CREATOR_ALL_ACL), fails('INVALID_ACL'));
    client.addAuthInfo('digest', Buffer.from('ann:pw'));
    await call(client, 'create', '/mine', Buffer.from('s'), ACL.CREATOR_ALL_ACL);
    const stranger = await connect();
    await assert.rejects(call(stranger, 'getData', '/mine'), fails('NO_AUTH'));
    await close(stranger);
    let [acls, stat] = await call(client, 'getACL', '/mine');
    assert.deepEqual([acls.length, acls[0].permission, stat.aversion], [1, Permission.ALL, 0]);
    assert.equal(acls[0].id.scheme, 'digest');
    assert.equal(acls[0].id.id.split(':')[0], digest.split(':')[0]);
    const readers = [new ACL(Permission.READ, Id.ANYONE_ID_UNSAFE), new ACL(Permission.ALL, acls[0].id)];
    [stat] = await call(client, 'setACL', '/mine', readers, 0);
    assert.equal(stat.aversion, 1);
}

// Each of several clients is first in line once; the next is told by a watch when the one before it goes.
async function checkQueueOfLocks() {
    const clients = await Promise.all([connect(), connect(), connect()]);
    await call(clients[0], 'mkdirp', '/locks/node');
    let holders = 0;
    const turns = [];
    await Promise.all(clients.map(async (client, number) => {
        const [path] = await call(client, 'create', '/locks/node/n-', CreateMode.EPHEMERAL_SEQUENTIAL);
        const name = path.split('/').pop();
        for (;;) {
            const [names] = await call(client, 'getChildren', '/locks/node');
            const place = names.sort().indexOf(name);
            if (place === 0)
                break;
            const gone = watcher();
            const [stat] = await call(client, 'exists', `/locks/node/${names[place - 1]}`, gone.tell);
            if (stat)
                await within(gone.event, 'the lock');
        }
        assert.equal(++holders, 1);
        turns.push(number);
        await call(client, 'getData', '/locks/node');
        holders--;
        await close(client);
    }));
    assert.deepEqual(turns.sort(), [0, 1, 2]);
}

// Lists more names than a request could hold.
async function checkLongReply(client) {
    const padding = 'n'.repeat(1000);
    await call(client, 'create', '/many');
    for (let i = 0; i < 30; i++) {
        const some = client.transaction();
        for (let j = 0; j < 100; j++)
            some.create(`/many/${i * 100 + j}${padding}`);
        await call(some, 'commit');
    }
    const [names] = await call(client, 'getChildren', '/many');
    assert.equal(names.length, 3000);
}

// The number of the server that a client is connected to.
const serverOf = client => 1 + hosts.findIndex(
    host => host.endsWith(':' + client.connectionManager.socket.remotePort));

// What a request meets while the connection is away: the client neither sends it again nor keeps it.
const isLost = error => error.getCode && error.getCode() === Exception.CONNECTION_LOSS;

async function again(attempt) {
    for (;;) {
        try {
            return await attempt();
        } catch (error) {
            if (!isLost(error))
                throw error;
            await new Promise(resolve => setTimeout(resolve, 20));
        }
    }
}

// The session, its ephemerals, identities and watches live on when servers end.
async function checkRestart(client) {
    const session = Buffer.from(client.getSessionId());
    client.on('expired', () => assert.fail('the session has expired'));
    for (let round = 0; round < hosts.length; round++) {
        const changed = watcher();
        await again(() => call(client, 'getData', '/node', changed.tell));
        const number = hosts.length > 1 ? ' ' + serverOf(client) : '';
        const lost = new Promise(resolve => client.once('disconnected', resolve));
        const back = lost.then(() => new Promise(resolve => client.once('connected', resolve)));
        await ask('stop' + number);
        await within(lost, 'the loss of the connection');
        if (number === '')
            await ask('start');
        await within(back, 'the connection');
        await again(() => call(client, 'setData', '/node', Buffer.from(`${round}`)));
        await expectEvent(changed, Event.NODE_DATA_CHANGED, '/node');
        assert.deepEqual(client.getSessionId(), session);
        const [stat] = await again(() => call(client, 'exists', '/node/e'));
        assert.deepEqual(stat.ephemeralOwner, session);
        await again(() => call(client, 'setData', '/mine', Buffer.from('still')));
        if (number !== '')
            await ask('start' + number);
    }
}

async function main() {
    const client = await connect();
    assert.equal(client.getState(), State.SYNC_CONNECTED);
    assert.equal(client.getSessionTimeout(), 20_000);
    await checkTree(client);
    await checkWatches(client);
    await checkTransactions(client);
    await checkRights(client);
    await checkQueueOfLocks();
    await checkLongReply(client);
    await checkRestart(client);
    await close(client);
    const after = await connect();
    assert.deepEqual(await call(after, 'exists', '/node/e'), [null]);
    await close(after);
    console.log('all is well');
}

main().then(() => process.exit(0), error => {
    console.error(error);
    process.exit(1);
});
