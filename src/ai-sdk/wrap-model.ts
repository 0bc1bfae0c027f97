import type { Recorder } from '../recorder/recorder.js';
import { InvalidInputError } from '../synap/errors.js';
import { hasIdentity, readCallOptions } from './call-options.js';
import { promptEnd } from './content.js';
import { Loops } from './loops.js';
import type { AnyLanguageModel, ModelParams } from './model.js';
import { type CallEnd, isAbort, openRun, type Run, scopes, type WrapOptions } from './run.js';
import { type CallListener, tapModel } from './tap.js';

const wrapOptions = new WeakMap<object, WrapOptions>();

/** What a model was wrapped with by {@link wrapModel}, if it was. */
export function wrapOptionsOf(model: unknown): WrapOptions | undefined {
  return typeof model === 'object' && model !== null ? wrapOptions.get(model) : undefined;
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
  const loops = new Loops();
  const wrapped = tapModel(model, (model, params) => listen(model, params, recorder, options, loops));
  wrapOptions.set(wrapped, options);
  return wrapped;
}

function listen(
  model: AnyLanguageModel,
  params: ModelParams,
  recorder: Recorder,
  options: WrapOptions,
  loops: Loops,
): CallListener | undefined {
  const call = readCallOptions(params.providerOptions);
  const scope = scopes.getStore();
  if (!recorder.enabled || call.record === false || scope?.inModel) return undefined;
  // Inside a run but not in its model: a call that a tool makes for itself.
  if (scope && !hasIdentity(call)) return undefined;

  const conversation = JSON.stringify([call.conversationId, call.userId]);
  const run =
    loops.take(params, conversation) ??
    openRun(recorder, { prompt: promptEnd(params.prompt), call, options, textFrom: 'model' });
  run.watch(params.abortSignal);
  return run.listen(model, settle);

  function settle(end: CallEnd): void {
    const { abortSignal } = params;
    switch (end.type) {
      case 'done':
        if (end.finishReason === 'tool-calls') loops.awaitTools(run, params, conversation, end.toolCallIds);
        else finish(run, end);
        break;
      case 'cancelled':
        // After an error part the SDK lets go of the stream to try again.
        if (end.error !== undefined) loops.awaitRetry(run, params, conversation);
        else run.abort(end.reason);
        break;
      case 'failed':
        if (isAbort(end.error, abortSignal)) run.abort(abortSignal?.reason);
        else run.fail(end.error);
        break;
      case 'rejected':
        if (isAbort(end.error, abortSignal)) run.abort(abortSignal?.reason);
        else loops.awaitRetry(run, params, conversation);
        break;
    }
  }
}

function finish(run: Run, { finishReason, error }: { finishReason: string | undefined; error: unknown }): void {
  if (error !== undefined || finishReason === 'error') run.fail(error ?? 'the provider reported an error');
  else run.complete();
}
