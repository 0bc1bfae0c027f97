import { LangChainCallbackHandler } from '@posthog/ai/langchain';
import { PostHog } from 'posthog-node';
import { perCase } from './calls.js';

const { note, ...cases } = perCase();
const client = new PostHog('key', { host: process.env.COLLECTOR_URL, disableGeoip: true });
/** Keeps what would be sent. */
client.capture = ({ event, properties }) => note(`${event} ${properties.$ai_span_name}`);
globalThis.neighbour = { ...cases, handlers: () => [new LangChainCallbackHandler({ client, distinctId: 'ada' })] };
