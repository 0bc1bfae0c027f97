import * as z from 'zod/v4';
import { conversationNamed } from './conversation-name.js';
import { id, type Parsed, problemOf } from './input.js';

// What the routes take by which a client reads memory. A local Synap has little to answer, but a request that the service
// would refuse is refused here, too, with the field named.

/** `must be "a", "b" or "c"` */
function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  const quoted = values.map(value => `"${value}"`);
  return z.enum(values, { error: `must be ${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}` });
}

const text = z.string('must be a string');
const countOf = (what: string) => z.int(`must be ${what}`).min(1, `must be ${what}`);
const texts = z.array(text, 'must be a list of strings');

/** A UUID, or any other id of a conversation. */
const conversation = id.transform(conversationNamed);

// Clients of the service send an empty text where they know nobody.
const idOrNothing = z.preprocess(value => (value === '' ? undefined : value), id.nullish());

const promptQuery = z.object({ style: oneOf(['structured', 'narrative', 'bullet_points']).optional() });

const compactedQuery = z.object({
  version: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, 'must be a whole number above 0')
    .optional(),
  format: oneOf(['structured', 'narrative', 'injection']).optional(),
});

const fetchBody = z.object(
  {
    conversation_id: conversation,
    search_query: texts.nullish(),
    max_results: countOf('a whole number above 0').nullish(),
    types: texts.nullish(),
    mode: oneOf(['fast', 'accurate']).nullish(),
    precision_level: oneOf(['high', 'medium']).nullish(),
    user_id: idOrNothing,
    customer_id: idOrNothing,
    include_conversation_context: z.boolean('must be true or false').nullish(),
  },
  'must be an object',
);

const compactBody = z.object(
  {
    conversation_id: conversation,
    strategy: text.nullish(),
    target_tokens: countOf('a whole number above 0').nullish(),
    force: z.boolean('must be true or false').nullish(),
  },
  'must be an object',
);

/** The query of `GET /v1/conversations/{id}/context-for-prompt`. */
export const parsePromptQuery = parser(promptQuery, 'query');

/** The query of `GET /v1/conversations/{id}/compacted`. */
export const parseCompactedQuery = parser(compactedQuery, 'query');

/** The body of `POST /v1/context/conversation/fetch`. */
export const parseFetch = parser(fetchBody, 'body');

/** The body of `POST /v1/conversations/compact`. */
export const parseCompact = parser(compactBody, 'body');

function parser<Schema extends z.ZodType>(schema: Schema, whole: string) {
  return (input: unknown): Parsed<z.output<Schema>> => {
    const result = schema.safeParse(input);
    return result.success ? { value: result.data } : { problem: problemOf(result.error, whole) };
  };
}
