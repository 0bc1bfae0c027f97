import { randomUUID } from 'node:crypto';
import { VERSION } from '../version.js';
import { onlyMethods, type Routes } from './routes.js';

const CLIENT_ID = 'local';

// Clients of the service want a number.
const NOMINAL_BALANCE = 1_000_000;

/** Who asks, and what the account has left. */
export function addAccountRoutes(routes: Routes): void {
  const { app, store, authenticated } = routes;
  const instanceId = store.remember('instance_id', randomUUID);

  app.get('/api/v1/auth/whoami', authenticated, c =>
    c.json({
      client_id: CLIENT_ID,
      instance_id: instanceId,
      user_context_isolation: store.tenancy === 'b2b' ? 'strict' : 'equals_customer',
      instance: 'local',
      tenancy: store.tenancy,
      api_key: c.get('apiKey'),
      version: VERSION,
    }),
  );

  app.get('/v1/credits/balance', authenticated, c =>
    c.json({
      client_id: CLIENT_ID,
      balance_credits: NOMINAL_BALANCE,
      warning_low: false,
      buckets: [],
      plan: 'local',
      message: 'A local Synap counts no credits: the balance is nominal, and never less',
    }),
  );

  onlyMethods(routes, 'GET, HEAD', ['/api/v1/auth/whoami', '/v1/credits/balance']);
}
