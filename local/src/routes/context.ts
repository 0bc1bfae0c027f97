import { readJsonBody } from '../body.js';
import { parseCompact, parseCompactedQuery, parseFetch, parsePromptQuery } from '../context-input.js';
import { conversationNamed } from '../conversation-name.js';
import type { Store } from '../store.js';
import { CUSTOMER_REFUSED } from '../tenancy.js';
import { recentMessageToWire } from '../wire.js';
import { onlyMethods, type Routes } from './routes.js';

const CONVERSATION = '/v1/conversations/:id';
const FETCH = '/v1/context/conversation/fetch';
const COMPACT = '/v1/conversations/compact';

/** The latest messages that one answer holds; there are fewer where they are more than 1 MiB of text. */
const RECENT_MESSAGES = 1000;
/** Of what is fetched as context, the turns are only a part. */
const RECENT_TURNS = 20;

const NO_MEMORY = 'A local Synap keeps transcripts only: it compacts nothing, and draws no facts from what is said';

/** What a client reads for a prompt. A local Synap has what was said, and nothing that the service makes of it. */
export function addContextRoutes(routes: Routes): void {
  const { app, store, authenticated, maxBodyBytes, strictB2c } = routes;

  app.get(`${CONVERSATION}/context-for-prompt`, authenticated, c => {
    const { problem } = parsePromptQuery(c.req.query());
    if (problem !== undefined) return c.json({ detail: problem }, 422);
    const { total, messages } = latest(store, conversationNamed(c.req.param('id')), RECENT_MESSAGES);
    return c.json({
      available: false,
      formatted_context: null,
      is_stale: false,
      compression_ratio: null,
      validation_score: null,
      compaction_age_seconds: null,
      quality_warning: false,
      recent_messages: messages,
      recent_message_count: messages.length,
      compacted_message_count: 0,
      total_message_count: total,
    });
  });

  app.get(`${CONVERSATION}/compacted`, authenticated, c => {
    const { problem } = parseCompactedQuery(c.req.query());
    if (problem !== undefined) return c.json({ detail: problem }, 422);
    return c.json({ detail: `There is no compacted context. ${NO_MEMORY}` }, 404);
  });

  app.get(`${CONVERSATION}/compaction/status`, authenticated, c =>
    c.json({ detail: `There is no compaction. ${NO_MEMORY}` }, 404),
  );

  app.post(COMPACT, authenticated, async c => {
    const { problem } = parseCompact(await readJsonBody(c.req.raw, maxBodyBytes));
    if (problem !== undefined) return c.json({ detail: problem }, 422);
    return c.json({ detail: `Nothing was compacted. ${NO_MEMORY}` }, 501);
  });

  app.post(FETCH, authenticated, async c => {
    const { value, problem } = parseFetch(await readJsonBody(c.req.raw, maxBodyBytes));
    if (problem !== undefined) return c.json({ detail: problem }, 422);
    if (strictB2c && value.customer_id != null) return c.json({ detail: CUSTOMER_REFUSED }, 400);
    const { messages } = latest(store, value.conversation_id, RECENT_TURNS);
    return c.json({
      context: {
        facts: [],
        preferences: [],
        episodes: [],
        emotions: [],
        temporal_events: [],
        conversation_context:
          value.include_conversation_context === false
            ? null
            : {
                conversation_id: value.conversation_id,
                summary: null,
                current_state: {},
                key_extractions: {},
                recent_turns: messages,
                compaction_id: null,
                compacted_at: null,
              },
      },
      metadata: { source: 'local', message: NO_MEMORY },
    });
  });

  onlyMethods(routes, 'POST', [FETCH, COMPACT]);
  onlyMethods(
    routes,
    'GET, HEAD',
    ['context-for-prompt', 'compacted', 'compaction/status'].map(path => `${CONVERSATION}/${path}`),
  );
}

/** The oldest of them first. A conversation that nobody has recorded into has none. */
function latest(store: Store, conversationId: string, limit: number) {
  const messages = store.messagesBefore(conversationId, limit, Number.MAX_SAFE_INTEGER)?.items ?? [];
  return {
    total: store.conversation(conversationId)?.messageCount ?? 0,
    messages: messages.map(recentMessageToWire),
  };
}
