import * as Sentry from '@sentry/node';
import { trees } from './trees.js';

const spans = [];
const events = [];

Sentry.init({
  dsn: 'http://key@127.0.0.1:9/1',
  tracesSampleRate: 1,
  sendClientReports: false,
  // Nothing leaves the process.
  transport: () => ({
    async send([, items]) {
      for (const [{ type }, payload] of items) {
        if (type === 'transaction') {
          const { trace } = payload.contexts;
          spans.push({ id: trace.span_id, parent: undefined, name: payload.transaction, failed: failed(trace) });
          for (const span of payload.spans)
            spans.push({
              id: span.span_id,
              parent: span.parent_span_id,
              name: `${span.op}: ${span.description}`,
              failed: failed(span),
            });
        } else if (type === 'span') {
          for (const span of payload.items)
            spans.push({
              id: span.span_id,
              parent: span.parent_span_id,
              name: span.name.startsWith('case ') ? span.name : `${span.attributes?.['sentry.op']?.value}: ${span.name}`,
              failed: span.status === 'error',
            });
        } else if (type === 'event') events.push(payload.exception?.values?.map(({ type, value }) => `${type}: ${value}`));
      }
      return {};
    },
    flush: async () => true,
  }),
});

const failed = ({ status }) => status !== undefined && status !== 'ok';

globalThis.neighbour = {
  inCase: (name, fn) => Sentry.startSpan({ name: `case ${name}`, forceTransaction: true }, fn),
  async spans() {
    await Sentry.flush(2000);
    return { ...trees(spans), events };
  },
};
