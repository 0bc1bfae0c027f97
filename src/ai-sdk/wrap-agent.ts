import { safely } from '../internal/guards.js';
import { runIn, type Scope, scopeFor, scopeOf } from '../recorder/scope.js';
import { hintCallbacks, hintSource } from './callbacks.js';
import { generateCallbacks, withSteering } from './generate-callbacks.js';
import { standIn } from './observe-model.js';
import type { SdkCallOptions } from './options.js';
import { overlay, readOnce, withChanges } from './overlay.js';
import type { Run } from './run.js';
import type { StreamRun } from './stream-run.js';
import {
  type Context,
  endWith,
  followRun,
  isNativePromise,
  modelTaps,
  STEP_HOOKS,
  startRun,
  startStreamRun,
  streamOptions,
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
    const call = openCall<Run>(agent, given, (prepared, place, settings) => {
      const run = startRun(prepared, context, place);
      const taps = modelTaps({ abortSignal: place.signal }, run, context);
      const changes = tapped(
        withSteering(
          prepared,
          run,
          safely(() => given?.experimental_steering),
        ),
        taps,
        STEP_HOOKS,
      );
      if (!run) return { run, changes };
      run.working();
      // ai 7 takes this one from the settings, after it has prepared the call, and leaves it out of what it prepares.
      Object.assign(settings, generateCallbacks(run, { onEnd: agent.settings.onEnd, output: prepared.output }, taps));
      return { run, changes: { ...changes, ...generateCallbacks(run, prepared, taps) } };
    });
    const result = runIn(call.scope, () => plain(call.options));
    return endWith(result, call.scope, { signal: call.signal, failed: call.failed });
  }

  function stream(agent: Agent, given: SdkCallOptions, plain: (options: SdkCallOptions) => unknown): unknown {
    const steering = safely(() => given?.experimental_steering);
    const call = openCall<StreamRun>(agent, given, (prepared, place, settings) => {
      const run = startStreamRun(prepared, context, place);
      const changes = streamOptions(prepared, run, context);
      if (!run) return { run, changes };
      const from = hintSource({ experimental_steering: steering, streamRetries: prepared.streamRetries });
      const callbacks = hintCallbacks(run, prepared, from);
      if (!prepares) return { run, changes: { ...changes, ...callbacks } };
      // ai 6 takes onStepFinish from the settings, after it has prepared the call, and ai 7 these, too. It leaves them out of
      // what it prepares.
      const { onStepEnd, onStepFinish, onEnd, onError, onAbort } = agent.settings;
      const { streamRetries, output } = prepared;
      const own = { onStepEnd, onStepFinish, onEnd, onError, onAbort, streamRetries, output };
      const { onChunk: _, onFinish, ...ofSettings } = hintCallbacks(run, own, from);
      Object.assign(settings, ofSettings, onFinish && !ofSettings.onEnd ? { onEnd: onFinish } : {});
      const { onStepFinish: __, ...ofCall } = callbacks;
      return { run, changes: { ...changes, ...ofCall } };
    });
    const result = runIn(call.scope, () => plain(call.options));
    const streams = <T>(result: T): T => {
      if (call.scope.run) followRun(result, call.scope.run, context);
      return result;
    };
    if (!isNativePromise(result)) return streams(result);
    return result.then(streams, (error: unknown) => {
      safely(() => (call.scope.run ?? call.failed())?.fail(error));
      throw error;
    });
  }

  /**
   * Prepares the recording of one call.
   *
   * @param open makes the run of what the agent has prepared, and says what differs from that, so that it is observed; what
   *   it puts into the settings, the agent finds in them for the rest of this call
   */
  function openCall<R extends Run | StreamRun>(
    agent: Agent,
    given: SdkCallOptions,
    open: (
      prepared: SdkCallOptions,
      place: { originalOptions: SdkCallOptions; around: Scope | null; signal: AbortSignal | undefined },
      settings: Partial<SdkCallOptions>,
    ) => { run: R | undefined; changes: Partial<SdkCallOptions> },
  ) {
    const options = safely(() => readOnce(given)) ?? given;
    const signal = safely(() => options.abortSignal);
    const around = scopeOf(context.recorder) ?? null;
    const scope = scopeFor<R>(context.recorder, undefined);
    const settings: Partial<SdkCallOptions> = {};
    let isOpened = false;
    const opened = (prepared: SdkCallOptions) => {
      isOpened = true;
      const { run, changes } = open(prepared, { originalOptions: options ?? {}, around, signal }, settings);
      scope.run = run;
      return changes;
    };
    /** A call that failed before it was prepared: what the user said is recorded as after any other that fails. */
    const failed = (): R | undefined => {
      if (isOpened) return undefined;
      safely(() => opened(withChanges(agent.settings, options ?? {})));
      return scope.run;
    };

    if (!prepares) {
      const changes = safely(() => opened({ ...agent.settings, ...options }));
      return { scope, signal, failed, options: changes ? withChanges(options ?? {}, changes) : options };
    }
    calls.set(scope, { of: agent.settings, settings });
    const { prepareCall } = agent.settings;
    settings.prepareCall = async function (this: unknown, base: SdkCallOptions) {
      const prepared = ((await prepareCall?.call(this, base)) ?? base) as SdkCallOptions;
      return withChanges(prepared, safely(() => opened(prepared)) ?? {});
    };
    return { scope, signal, failed, options };
  }

  Object.defineProperty(RecordingAgent, 'name', { value: Base.name, configurable: true });
  Object.defineProperty(RecordingAgent, 'length', { value: Base.length, configurable: true });
  return RecordingAgent as unknown as C;
}
