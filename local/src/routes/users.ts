import { parsePerson } from '../person-input.js';
import { onlyMethods, type Routes } from './routes.js';

const USER = '/v1/users/:id';

/** What only a local Synap has: somebody is forgotten. Again is nothing. */
export function addUserRoutes(routes: Routes): void {
  const { app, store, authenticated } = routes;

  app.delete(USER, authenticated, c => {
    const { value, problem } = parsePerson({ user_id: c.req.param('id'), ...c.req.query() });
    if (problem !== undefined) return c.json({ detail: problem }, 422);
    const { messages, ownConversations, erased } = store.forget(value);
    return c.json({
      user_id: value.userId,
      customer_id: value.customerId ?? null,
      messages_deleted: messages,
      conversations_deleted: ownConversations,
      erased_from_disk: erased,
    });
  });

  onlyMethods(routes, 'DELETE', [USER]);
}
