// The senders that are compared, behind one interface.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Turn } from 'synap-recorder';

/** Something that takes events and sends them in the background. */
export interface Sender {
  /** Takes one event and returns at once. */
  record(text: string): void;
  /** Sends what waits, as its documentation says, and waits for it. */
  flush(): Promise<unknown>;
  /** Ends it, as its documentation says. */
  close(): Promise<unknown>;
}

export interface Surroundings {
  url: string;
  /** Where it may keep files. */
  directory: string;
  /** It told its app that so many events are lost: each by itself, or a number. */
  onLost(events: number): void;
  /** It told its app that something went wrong, but not how many events that concerns. */
  onError(): void;
}

/** What differs from synap-recorder's defaults. */
export interface SynapSettings {
  outbox?: 'memory' | 'sqlite';
  durability?: 'normal' | 'full';
  rateLimit?: false;
  maxInFlight?: number;
  closeOnSignals?: true;
  allowInsecure?: true;
  retry?: { ifUnknown: 'dead-letter' };
  /** So many recorders with keys of their own, `k0`, `k1`, …, on one outbox; each turn is the next one's. */
  tenants?: number;
}

/** How many chats go on at once. Batches under way at once share none. */
export const CONVERSATIONS = 500;

// Each of these only loads what it opens. All settings are defaults, but for where to and with what key; every callback
// for errors that a sender offers is listened to.
const openers = {
  // Batches of runs are its default. A run with its trace and its place in it is one operation.
  async langsmith({ url, onError }: Surroundings): Promise<Sender> {
    const { Client } = await import('langsmith');
    const client = new Client({ apiUrl: url, apiKey: 'k' });
    return {
      record(text) {
        const id = randomUUID();
        const now = new Date().toISOString();
        const dotted_order = `${now.replace(/[-:.]/g, '').slice(0, -1)}000Z${id}`;
        const run = { id, trace_id: id, dotted_order, name: 'turn', run_type: 'llm', start_time: now, end_time: now };
        client.createRun({ ...run, project_name: 'bench', inputs: { text }, outputs: {} }).catch(onError);
      },
      async flush() {
        await client.flush();
        await client.awaitPendingTraceBatches();
      },
      close: () => client.awaitPendingTraceBatches(),
    };
  },

  async langfuse({ url, onError }: Surroundings): Promise<Sender> {
    const { Langfuse } = await import('langfuse');
    const langfuse = new Langfuse({ publicKey: 'k', secretKey: 'k', baseUrl: url });
    langfuse.on('error', onError);
    langfuse.on('warning', onError);
    return {
      record: text => void langfuse.trace({ name: 'turn', input: text }),
      flush: () => langfuse.flushAsync(),
      close: () => langfuse.shutdownAsync(),
    };
  },

  async posthog({ url, onError }: Surroundings): Promise<Sender> {
    const { PostHog } = await import('posthog-node');
    const posthog = new PostHog('k', { host: url });
    posthog.on('error', onError);
    return {
      record: text => posthog.capture({ distinctId: 'ada', event: 'turn', properties: { text } }),
      flush: () => posthog.flush(),
      close: () => posthog.shutdown(),
    };
  },

  async segment({ url, onLost }: Surroundings): Promise<Sender> {
    const { Analytics } = await import('@segment/analytics-node');
    const analytics = new Analytics({ writeKey: 'k', host: url });
    analytics.on('error', () => onLost(1));
    return {
      record: text => analytics.track({ userId: 'ada', event: 'turn', properties: { text } }),
      flush: () => analytics.flush(),
      close: () => analytics.closeAndFlush(),
    };
  },

  async otel({ url }: Surroundings): Promise<Sender> {
    const { BasicTracerProvider, BatchSpanProcessor } = await import('@opentelemetry/sdk-trace-base');
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http');
    const exporter = new OTLPTraceExporter({ url: `${url}/v1/traces` });
    const provider = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] });
    const tracer = provider.getTracer('bench');
    return {
      record: text => tracer.startSpan('turn', { attributes: { text } }).end(),
      flush: () => provider.forceFlush(),
      close: () => provider.shutdown(),
    };
  },

  // Two events are a turn: what the user says, and what is answered.
  async synap({ url, onLost, directory }: Surroundings, settings: SynapSettings = {}): Promise<Sender> {
    const { createRecorder } = await import('synap-recorder');
    const { outbox = 'memory', durability, tenants = 1, ...options } = settings;
    const open = async (tenant: number) =>
      createRecorder({
        apiKey: `k${tenant}`,
        baseUrl: url,
        onLoss: () => onLost(1),
        ...options,
        ...(outbox === 'sqlite' && { outbox: await sqlite(join(directory, 'outbox.db'), durability) }),
      });
    const recorders = await Promise.all(Array.from({ length: tenants }, (_, tenant) => open(tenant)));
    let turns = 0;
    let turn: Turn | undefined;
    return {
      record(text) {
        if (turn) {
          turn.complete({ content: text });
          turn = undefined;
        } else {
          turn = recorders[turns % tenants]?.turn({ userId: 'ada', conversationId: `chat-${turns % CONVERSATIONS}` });
          turns++;
          turn?.user(text);
        }
      },
      async flush() {
        for (const recorder of recorders) while ((await recorder.flush()).pending > 0);
      },
      close: () => Promise.all(recorders.map(recorder => recorder.close())),
    };
  },
};

async function sqlite(path: string, durability: SynapSettings['durability']) {
  const { sqliteOutbox } = await import('synap-recorder/sqlite');
  return sqliteOutbox({ path, ...(durability && { durability }) });
}

export type SenderName = keyof typeof openers;

export function openSender(name: SenderName, around: Surroundings, settings?: SynapSettings): Promise<Sender> {
  return openers[name](around, settings);
}
