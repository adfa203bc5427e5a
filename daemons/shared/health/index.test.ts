import { expect, test } from 'vitest';
import { createHealth, healthRoutes } from './index.ts';

function unreadyDaemon() {
  const health = createHealth();
  health.addCheck({
    name: 'database',
    check: () => Promise.reject(Object.assign(new Error('connect 10.0.0.7'), { code: 'ECONNREFUSED' })),
  });
  return healthRoutes('auth', health);
}

test('who asks directly is told why a daemon is not ready, without addresses', async () => {
  const answer = await unreadyDaemon().request('/auth/ready');
  expect(answer.status).toBe(503);
  expect(await answer.json()).toEqual({ status: 'not ready', problems: ['database: ECONNREFUSED'] });
});

test.each([
  ['x-forwarded-for', '198.51.100.1'],
  ['forwarded', 'for=198.51.100.1'],
  ['via', '1.1 proxy'],
])('through a proxy, seen by %s, nobody is told why', async (header, value) => {
  const answer = await unreadyDaemon().request('/auth/ready', { headers: { [header]: value } });
  expect(answer.status).toBe(503);
  expect(await answer.json()).toEqual({ status: 'not ready' });
});
