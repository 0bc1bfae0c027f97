import { withTracing } from '@posthog/ai/vercel';
import { PostHog } from 'posthog-node';
import { perCase } from './calls.js';

const { note, ...cases } = perCase();
const client = new PostHog('key', { host: process.env.COLLECTOR_URL, disableGeoip: true });
/** Keeps what would be sent. */
const keep = ({ event, properties }) => note(`${event}${properties.$ai_is_error ? ' (failed)' : ''}`);
client.capture = keep;
client.captureImmediate = async event => keep(event);

globalThis.neighbour = { ...cases, wrapModel: model => withTracing(model, client, { posthogDistinctId: 'ada' }) };
