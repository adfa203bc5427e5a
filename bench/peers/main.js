// One library at work in a process of its own, as in a user's application: it submits, works and answers the bench, which
// asks over the channel to its parent. The library's name is the argument, its database's address PEER_DATABASE_URL.
const PEERS = { 'pg-boss': './pg-boss.js', 'graphile-worker': './graphile-worker.js' };

const { startPeer } = await import(PEERS[process.argv[2]]);
const peer = await startPeer(process.env.PEER_DATABASE_URL);

process.on('message', async ({ method, args }) => {
  try {
    process.send({ value: await peer[method](...args) });
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) });
  }
  if (method === 'stop') process.disconnect();
});
// Nobody asks any more, also because the bench was killed: what is still open must not keep the process alive.
process.on('disconnect', () => process.exit());
process.send({ ready: true });
