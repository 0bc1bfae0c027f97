import { streamCallbacks } from './callbacks.js';
import { type Context, endWith, finishUnread, isAi7, startRun, tapped } from './calls.js';
import type { CallOptions } from './options.js';
import { runIn, type Scope, scopeFor, scopeOf } from './run.js';

interface Agent {
  readonly settings: CallOptions;
  generate(options: CallOptions, ...rest: unknown[]): Promise<unknown>;
  stream(options: CallOptions, ...rest: unknown[]): unknown;
}

/** One call of an agent: the agent as it is for this call, and the scope it runs in. */
interface OpenCall {
  readonly scope: Scope;
  readonly view: Agent;
  readonly options: CallOptions;
}

export type AgentClass = new (...args: never[]) => Agent;

/**
 * An agent class that records: `ToolLoopAgent` of ai 6 and 7, `Experimental_Agent` of 5. Agents call the SDK's own
 * functions, not ours, so what those would be given is given to the agent as its settings, for the one call.
 */
export function wrapAgent<C extends AgentClass>(Base: C, context: Context): C {
  // From ai 6 on an agent prepares each call itself, and only then it is known whose it is.
  const prepares = typeof (Base.prototype as { prepareCall?: unknown }).prepareCall === 'function';
  const Class = Base as unknown as new (...args: unknown[]) => Agent;

  class RecordingAgent extends Class {
    override generate(options: CallOptions, ...rest: unknown[]): Promise<unknown> {
      const call = openCall(this, options, 'model');
      const result = runIn(call.scope, () => super.generate.call(call.view, call.options, ...rest));
      return endWith(result, call.scope, options.abortSignal);
    }

    override stream(options: CallOptions, ...rest: unknown[]): unknown {
      const call = openCall(this, options, 'callbacks');
      const result = runIn(call.scope, () => super.stream.call(call.view, call.options, ...rest));
      if (!(result instanceof Promise)) {
        if (call.scope.run) finishUnread(result, context);
        return result;
      }
      return result.then(
        result => {
          if (call.scope.run) finishUnread(result, context);
          return result;
        },
        (error: unknown) => {
          call.scope.run?.fail(error);
          throw error;
        },
      );
    }
  }

  function openCall(agent: Agent, options: CallOptions, textFrom: 'model' | 'callbacks'): OpenCall {
    const { settings } = agent;
    const { abortSignal } = options;
    const nested = scopeOf(context.recorder) !== undefined;
    const scope = scopeFor(context.recorder, undefined);

    const open = (prepared: CallOptions): CallOptions => {
      const run = startRun(prepared, context, textFrom, { asked: options, nested });
      scope.run = run;
      run?.watch(abortSignal);
      const heard = run && textFrom === 'callbacks' ? streamCallbacks(run, prepared, isAi7(context)) : {};
      return { ...tapped(prepared, run, context), ...heard };
    };

    if (!prepares) return { scope, view: agent, options: open({ ...settings, ...options }) };

    const view: CallOptions = { ...settings };
    view.prepareCall = async base => {
      const prepared = ((await settings.prepareCall?.(base)) ?? base) as CallOptions;
      if (!isAi7(context)) return open({ ...prepared, abortSignal });
      // ai 7 keeps these from prepareCall and takes them from the settings afterwards, under these names only.
      const { onEnd, onError, onAbort } = settings;
      const opened = open({ ...prepared, abortSignal, onEnd: onEnd ?? (() => {}), onError, onAbort });
      Object.assign(view, { onEnd: opened.onEnd, onError: opened.onError, onAbort: opened.onAbort });
      return opened;
    };
    return { scope, view: Object.create(agent, { settings: { value: view } }) as Agent, options };
  }

  Object.defineProperty(RecordingAgent, 'name', { value: Base.name });
  return RecordingAgent as unknown as C;
}
