import { property, safely } from '../internal/guards.js';
import { VERSION } from '../version.js';
import type { OpenTelemetryApi } from './trace-id.js';

/** What the metrics say of one recorder when they are read. */
export interface MetricsSource {
  /** How many messages wait: pending, held or in flight. */
  backlog(): number;
  /** How long the oldest of them waits, in milliseconds; undefined where nothing waits, or where that is not known. */
  oldestAgeMs(): number | undefined;
}

interface Result {
  observe(value: number, attributes?: Record<string, string>): void;
}

interface Instrument {
  addCallback(callback: (result: Result) => void): void;
}

/** As much of a meter of `@opentelemetry/api` as is used. */
interface Meter {
  createObservableCounter(name: string, options: { description: string; unit: string }): Instrument;
  createObservableGauge(name: string, options: { description: string; unit: string }): Instrument;
}

const REGISTRY = Symbol.for('opentelemetry.js.api.1');

// Counters must not go back when a recorder is closed, and an app may have many: they are the process's.
const accepted = { messages: 0 };
const delivered = { messages: 0 };
const lost = new Map<string, number>();
// An app may make a recorder for each request and never close it: those that nobody holds are gone.
const sources = new Set<WeakRef<MetricsSource>>();

/** Where the instruments are made already: of one meter provider, they are made once. */
const attached = new WeakSet<object>();

/**
 * Counts what becomes of messages, for OpenTelemetry. Nothing is imported: the app hands over its `@opentelemetry/api`, or what
 * that has registered is used, as soon as it has.
 */
export class Metrics {
  readonly #api: OpenTelemetryApi | false | undefined;
  readonly #source: WeakRef<MetricsSource> | undefined;
  #isAttached = false;

  constructor(api: OpenTelemetryApi | false | undefined, source: MetricsSource) {
    this.#api = api;
    this.#source = typeof WeakRef === 'undefined' ? undefined : new WeakRef(source);
    if (api === false) return;
    if (this.#source) sources.add(this.#source);
    this.#attach();
  }

  accepted(): void {
    if (this.#api === false) return;
    accepted.messages++;
    this.#attach();
  }

  delivered(): void {
    if (this.#api === false) return;
    delivered.messages++;
    this.#attach();
  }

  lost(reason: string): void {
    if (this.#api === false) return;
    lost.set(reason, (lost.get(reason) ?? 0) + 1);
    this.#attach();
  }

  /** Nothing waits here any more; what was counted stays. */
  close(): void {
    if (this.#source) sources.delete(this.#source);
  }

  /** An app may register its meters after the recorder was made. */
  #attach(): void {
    if (this.#isAttached) return;
    const provider = safely(() => meterProvider(this.#api || undefined));
    if (provider === undefined) return;
    this.#isAttached = true;
    if (attached.has(provider)) return;
    attached.add(provider);
    safely(() => addInstruments(provider.getMeter('synap-recorder', VERSION) as Meter));
  }
}

interface MeterProvider {
  getMeter(name: string, version?: string): unknown;
}

/** What has been registered, or an API of the app's own that registers nothing; undefined until there is one. */
function meterProvider(api: OpenTelemetryApi | undefined): MeterProvider | undefined {
  const registered = property((globalThis as { [REGISTRY]?: unknown })[REGISTRY], 'metrics');
  const own = property(api, 'metrics');
  const isOfficial = typeof property(own, 'getMeterProvider') === 'function';
  const provider = registered ?? (isOfficial ? undefined : own);
  return typeof property(provider, 'getMeter') === 'function' ? (provider as MeterProvider) : undefined;
}

function addInstruments(meter: Meter): void {
  const messages = (description: string) => ({ description, unit: '{message}' });
  meter
    .createObservableCounter('synap_recorder.messages.accepted', messages('Messages taken into the outbox'))
    .addCallback(result => result.observe(accepted.messages));
  meter
    .createObservableCounter('synap_recorder.messages.delivered', messages('Messages that Synap has'))
    .addCallback(result => result.observe(delivered.messages));
  meter
    .createObservableCounter('synap_recorder.messages.lost', messages('Messages that will never arrive, by reason'))
    .addCallback(result => {
      for (const [reason, count] of lost) result.observe(count, { reason });
    });
  meter
    .createObservableGauge('synap_recorder.backlog', messages('Messages that wait for delivery'))
    .addCallback(result => result.observe(read(source => source.backlog()).reduce((sum, count) => sum + count, 0)));
  meter
    .createObservableGauge('synap_recorder.oldest_age', { description: 'Age of the oldest that waits', unit: 's' })
    .addCallback(result => {
      const ages = read(source => source.oldestAgeMs());
      result.observe(ages.reduce((oldest, age) => Math.max(oldest, age), 0) / 1000);
    });
}

/** What each recorder that is there says. */
function read(value: (source: MetricsSource) => number | undefined): number[] {
  const values: number[] = [];
  for (const reference of sources) {
    const source = reference.deref();
    if (source === undefined) sources.delete(reference);
    else values.push(safely(() => value(source)) ?? 0);
  }
  return values;
}
