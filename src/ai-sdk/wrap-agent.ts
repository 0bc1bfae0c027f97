import { safely } from '../internal/guards.js';
import { runIn, type Scope, scopeFor, scopeOf } from '../recorder/scope.js';
import { streamCallbacks, streamListeners } from './callbacks.js';
import { standIn } from './observe-model.js';
import type { SdkCallOptions } from './options.js';
import { overlay, readOnce, withChanges } from './overlay.js';
import type { Run } from './run.js';
import {
  type Context,
  endWith,
  isNativePromise,
  modelTaps,
  readToEnd,
  STEP_HOOKS,
  startRun,
  tapped,
} from './wrap-functions.js';

interface Agent {
  readonly settings: SdkCallOptions;
  generate(options: SdkCallOptions, ...rest: unknown[]): unknown;
  stream(options: SdkCallOptions, ...rest: unknown[]): unknown;
}

/** One call of an agent. */
interface AgentCall {
  /** The settings of the agent that is called, which are the agent's for others that stand around it, too. */
  readonly of: object;
  /** What the agent finds in its settings while it is in this call. */
  readonly settings: Partial<SdkCallOptions>;
}

export type AgentClass = new (...args: never[]) => Agent;

/**
 * An agent class that records: `ToolLoopAgent` of ai 6 and 7, `Experimental_Agent` of 5. Agents call the SDK's own
 * functions, not ours, so what those would be given is given to the agent: as its options in ai 5, and from ai 6 on, where
 * an agent prepares each call itself and only then knows whose it is, by its settings. Those are overlaid once; what they
 * tell depends on the call that asks. The agent itself is the app's, also for a subclass with private fields.
 */
export function wrapAgent<C extends AgentClass>(Base: C, context: Context): C {
  const prepares = typeof (Base.prototype as { prepareCall?: unknown }).prepareCall === 'function';
  const Class = Base as unknown as new (...args: unknown[]) => Agent;
  const calls = new WeakMap<Scope, AgentCall>();

  class RecordingAgent extends Class {
    constructor(...args: unknown[]) {
      super(...args);
      safely(() => overlaySettings(this));
      safely(() => overlayOwnMethods(this));
    }

    override generate(options: SdkCallOptions, ...rest: unknown[]): unknown {
      return generate(this, options, options => super.generate(options, ...rest));
    }

    override stream(options: SdkCallOptions, ...rest: unknown[]): unknown {
      return stream(this, options, options => super.stream(options, ...rest));
    }
  }

  /** What another wrapper has put on the agent itself stands before our methods. */
  function overlayOwnMethods(agent: Agent): void {
    for (const [name, record] of [['generate', generate] as const, ['stream', stream] as const]) {
      const own: unknown = Object.hasOwn(agent, name) ? agent[name] : undefined;
      if (typeof own !== 'function') continue;
      agent[name] = standIn(own as Agent['generate'], (receiver, [options, ...rest]) =>
        record(agent, options as SdkCallOptions, options => Reflect.apply(own, receiver, [options, ...rest])),
      );
    }
  }

  function overlaySettings(agent: Agent): void {
    const { settings } = agent;
    const get = (property: PropertyKey, value: unknown, patched: boolean) => {
      const scope = patched ? undefined : scopeOf(context.recorder);
      const call = scope && calls.get(scope);
      return call?.of === overlaid && Object.hasOwn(call.settings, property)
        ? call.settings[property as keyof SdkCallOptions]
        : value;
    };
    const overlaid = overlay(settings, undefined, { get });
    Object.defineProperty(agent, 'settings', { value: overlaid, writable: true });
  }

  function generate(agent: Agent, given: SdkCallOptions, plain: (options: SdkCallOptions) => unknown): unknown {
    const call = openCall(agent, given, 'model');
    const result = runIn(call.scope, () => plain(call.options));
    return endWith(result, call.scope, { signal: call.signal });
  }

  function stream(agent: Agent, given: SdkCallOptions, plain: (options: SdkCallOptions) => unknown): unknown {
    const call = openCall(agent, given, 'callbacks');
    const result = runIn(call.scope, () => plain(call.options));
    const streams = <T>(result: T): T => {
      if (call.scope.run) readToEnd(result, context);
      return result;
    };
    if (!isNativePromise(result)) return streams(result);
    return result.then(streams, (error: unknown) => {
      safely(() => call.scope.run?.end({ type: 'rejected', error }, call.signal));
      throw error;
    });
  }

  function openCall(agent: Agent, given: SdkCallOptions, textFrom: 'model' | 'callbacks') {
    const options = safely(() => readOnce(given)) ?? given;
    const signal = safely(() => options.abortSignal);
    const around = scopeOf(context.recorder) ?? null;
    const scope = scopeFor<Run>(context.recorder, undefined);
    const settings: Partial<SdkCallOptions> = {};

    /** What differs from what the agent has prepared, so that the call is observed. */
    const open = (prepared: SdkCallOptions): SdkCallOptions => {
      const run = startRun(prepared, context, textFrom, { originalOptions: options ?? {}, around });
      scope.run = run;
      const taps = modelTaps({ abortSignal: signal }, run, context);
      const changes = tapped(prepared, taps, STEP_HOOKS);
      if (!run) return changes;
      run.watch(signal);
      if (textFrom === 'model') return changes;
      const listeners = streamListeners(run, taps, signal);
      // ai 7 takes these three from the settings, after it has prepared the call, and leaves them out of what it prepares.
      const { onEnd, onError, onAbort } = agent.settings;
      const { streamRetries } = prepared;
      const callbacks = streamCallbacks(listeners, { onFinish: onEnd, onError, onAbort, streamRetries });
      Object.assign(settings, {
        onEnd: callbacks.onFinish,
        onError: callbacks.onError ?? onError,
        onAbort: callbacks.onAbort,
      });
      return { ...changes, ...streamCallbacks(listeners, prepared) };
    };

    if (!prepares) {
      const changes = safely(() => open({ ...agent.settings, ...options }));
      return { scope, signal, options: changes ? withChanges(options ?? {}, changes) : options };
    }
    calls.set(scope, { of: agent.settings, settings });
    const { prepareCall } = agent.settings;
    settings.prepareCall = async function (this: unknown, base: SdkCallOptions) {
      const prepared = ((await prepareCall?.call(this, base)) ?? base) as SdkCallOptions;
      return withChanges(prepared, safely(() => open(prepared)) ?? {});
    };
    return { scope, signal, options };
  }

  Object.defineProperty(RecordingAgent, 'name', { value: Base.name, configurable: true });
  Object.defineProperty(RecordingAgent, 'length', { value: Base.length, configurable: true });
  return RecordingAgent as unknown as C;
}
