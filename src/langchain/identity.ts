import { type Identity, mergeIdentities } from '../recorder/identity.js';
import { MAX_CONVERSATION_ID, readId } from '../recorder/known-id.js';
import { hiddenConfig, SIGNED_IN_USER } from './global.js';

type Fields = Record<string, unknown>;

const THREAD = ['thread_id', 'threadId'] as const;
/** The names of a conversation, the nearest first: LangChain's message histories go by a session, LangGraph by a thread. */
const CONVERSATION_NAMES = [['conversation_id', 'conversationId'], ['session_id', 'sessionId'], THREAD] as const;

/**
 * Who is talking where, as one call says it: by its `metadata`, then by its `configurable`. A `session_id` is Synap's session
 * as well.
 *
 * On LangGraph's server both come from its client, all but the signed-in user and the thread. So that user comes first, a
 * conversation that is named beside another one is not taken, and the thread is the signed-in user's.
 *
 * Of several names for one part, the first that says anything counts, also when it names nobody: then the part is
 * missing, and another name would be a guess.
 *
 * @param metadata the very object that the handler was given when the run started
 */
export function callIdentity(metadata: unknown): Identity {
  const { configurable, server } = hiddenConfig(metadata);
  const sources = [metadata, configurable].map(readFields);
  const signedIn = readId(configurable?.[SIGNED_IN_USER]) ?? readId(server?.[SIGNED_IN_USER]);
  const people = sources.map(personOf);
  const layers: Identity[] = [{ userId: signedIn }, ...people];
  for (const names of CONVERSATION_NAMES)
    for (const [index, source] of sources.entries())
      layers.push({ ...people[index], sessionId: undefined, conversationId: conversationOf(source, names) });
  if (signedIn !== undefined)
    layers.push({ userId: signedIn, conversationId: conversationOf(server ?? configurable ?? {}, THREAD) });
  return mergeIdentities(layers, 'user');
}

function personOf(source: Fields): Identity {
  return {
    userId: readId(source[SIGNED_IN_USER]) ?? readId(source.user_id) ?? readId(source.userId),
    customerId: readId(source.customer_id) ?? readId(source.customerId),
    sessionId: readId(source.session_id) ?? readId(source.sessionId),
  };
}

function conversationOf(source: Fields, [name, camelCase]: readonly [string, string]): string | undefined {
  return readId(source[name], MAX_CONVERSATION_ID) ?? readId(source[camelCase], MAX_CONVERSATION_ID);
}

function readFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
