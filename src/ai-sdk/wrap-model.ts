import { safely } from '../internal/guards.js';
import type { Recorder } from '../recorder/recorder.js';
import { scopeOf } from '../recorder/scope.js';
import { InvalidInputError } from '../synap/errors.js';
import { isInternal, readCallOptions } from './call-options.js';
import type { AnyLanguageModel, ModelParams } from './model-spec.js';
import { type CallEnd, type CallListener, tapModel } from './observe-model.js';
import { promptEnd } from './prompt.js';
import { Run } from './run.js';
import { Loops } from './tool-loops.js';
import { checkWrapOptions, type WrapOptions } from './wrap-options.js';

const loopsOf = new WeakMap<Recorder, Loops>();

interface Wrapper {
  readonly recorder: Recorder;
  readonly options: WrapOptions;
}

const wrappers = new WeakMap<object, Wrapper>();

/** What a model was wrapped with by {@link wrapModel}, if it was. */
export function wrapperOf(model: unknown): Wrapper | undefined {
  return typeof model === 'object' && model !== null ? wrappers.get(model) : undefined;
}

/**
 * Records what goes through a model, whatever calls it. The model stays what it is, for the types and at run time.
 *
 * A model sees less than the functions do: not what a transform made of the answer, nor that a loop was stopped between
 * two steps. Where you can, prefer {@link wrapAISDK}; the two together record once.
 *
 * @throws {@link InvalidInputError} the model is a string, which only the SDK can resolve
 * @example
 * ```ts
 * const model = wrapModel(openai('gpt-5'), recorder, { userId: 'ada' });
 * await generateText({ model, prompt: 'Hello!', providerOptions: { synap: { conversationId: 'chat-42' } } });
 * ```
 */
export function wrapModel<M extends object>(model: M, recorder: Recorder, options: WrapOptions = {}): M {
  if (typeof model !== 'object' || model === null)
    throw new InvalidInputError(
      'wrapModel takes a model, not its name: pass what a provider makes, such as gateway("openai/gpt-5")',
      { field: 'model' },
    );
  checkWrapOptions(options);
  const wrapped = tapModel(model, (model, params) => listen(model, params, recorder, options));
  wrappers.set(wrapped, { recorder, options });
  return wrapped;
}

function listen(
  model: AnyLanguageModel,
  params: ModelParams,
  recorder: Recorder,
  options: WrapOptions,
): CallListener | undefined {
  const call = readCallOptions(params.providerOptions);
  const scope = scopeOf(recorder);
  if (!recorder.isRecording || call.record === false || scope?.inModel) return undefined;
  // Inside a run but not in its model: a call that a tool makes for itself.
  if (scope && isInternal(call, scope)) return undefined;

  const loops = loopsOf.get(recorder) ?? new Loops();
  loopsOf.set(recorder, loops);
  // One that can't be read keeps the calls of a loop together, too, and the turn counts what it does not record.
  const identity = safely(() => recorder.identify(call, { fallback: options })) ?? {};
  const run = resume() ?? open();
  // A call that is under way answers an abort by itself, or gives its result in spite of it.
  run.watch(undefined);
  const listener = run.listen(model, settle);
  return {
    ...listener,
    streaming() {
      listener.streaming();
      run.watch(params.abortSignal);
    },
  };

  function resume(): Run | undefined {
    const resumed = loops.take(params, { identity, call });
    resumed?.run.resume({ counts: resumed.sameCall });
    safely(() => resumed?.run.toolsDenied(promptEnd(params.prompt).continued?.denied ?? []));
    return resumed?.run;
  }

  function open(): Run {
    const prompt = promptEnd(params.prompt);
    // What comes now comes after the answer so far: a loop that still waits was stopped by the app.
    loops.conclude(identity, prompt.continued?.toolCallIds);
    const run = new Run(recorder, { prompt, call, wrappers: [options] });
    run.whenEnded(() => loops.forget(run));
    return run;
  }

  function settle(end: CallEnd): void {
    const failed = end.type === 'done' && (end.error !== undefined || end.finishReason === 'error');
    // Whether the answer goes on, the tools say that wait for their result; what a provider gives as its reason may differ.
    if (end.type === 'done' && !failed && run.waitingToolCalls.length > 0) {
      run.rest();
      loops.awaitTools(run, params, { identity, call });
      return run.watch(params.abortSignal);
    }
    // After an error part, and after a refusal that may pass, the SDK tries again, if it does, with the same prompt.
    const again =
      (end.type === 'cancelled' && end.error !== undefined) || (end.type === 'rejected' && mayPass(end.error));
    if (again && !params.abortSignal?.aborted) {
      run.rest({ error: end.error });
      loops.awaitRetry(run, params, { identity, call });
      return run.watch(params.abortSignal);
    }
    run.end(end, params.abortSignal);
  }
}

/** Whether the SDK tries a refused call again: it goes by what the error says of itself. */
function mayPass(error: unknown): boolean {
  return (error as { isRetryable?: unknown } | null | undefined)?.isRetryable === true;
}
