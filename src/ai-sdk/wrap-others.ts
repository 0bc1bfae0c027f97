import { safely } from '../internal/guards.js';
import { readCallOptions, type SynapCallOptions } from './call-options.js';
import { isLanguageModel } from './model-spec.js';
import { standIn, tapModel } from './observe-model.js';
import { withChanges } from './overlay.js';
import { withoutSynap } from './without-synap.js';
import { wrapperOf } from './wrap-model.js';

// What the SDK calls its functions that ask a provider for something: `embed`, `generateImage`, `experimental_streamSpeech`.
const ASKS_PROVIDER =
  /^(?:experimental_)?(?:(?:embed|generate(?!Id$)|rerank|stream|transcribe|translate|upload)\w*|decide|evaluate|extract|(?:cancel|get|list|start)(?:Batch|Video)\w*)$/;
const HAS_SETTINGS = /^default\w*SettingsMiddleware$/;

/** What is said of the calls of a model, or by a middleware, by its settings: as if each call said it. */
const settingsOf = new WeakMap<object, SynapCallOptions>();

/** What the settings of a model's middleware say of its calls, where that was wrapped in the namespace. */
export function modelSettings(model: unknown): SynapCallOptions | undefined {
  return typeof model === 'object' && model !== null ? settingsOf.get(model) : undefined;
}

type Fn = (...args: unknown[]) => unknown;

/**
 * The functions of the SDK of which nothing is recorded, but whose options for the provider are seen to: `synap` among them
 * never reaches it.
 *
 * @returns undefined for a function that takes none
 */
export function wrapOther(
  name: string,
  fn: Fn,
  call: (fn: Fn, receiver: unknown, args: unknown[]) => unknown,
): Fn | undefined {
  if (name === 'wrapLanguageModel')
    return standIn(fn, (receiver, [options, ...rest]) => {
      const wrapped = call(fn, receiver, [safely(() => withCleanModel(options)) ?? options, ...rest]);
      safely(() => noteSettings(wrapped, options));
      return wrapped;
    });
  if (HAS_SETTINGS.test(name))
    return standIn(fn, (receiver, [options, ...rest]) => {
      const middleware = call(fn, receiver, [withoutSynap(options), ...rest]);
      safely(() => {
        const { settings } = options as { settings?: { providerOptions?: unknown } };
        if (isObject(middleware)) settingsOf.set(middleware, readCallOptions(settings?.providerOptions));
      });
      return middleware;
    });
  if (!ASKS_PROVIDER.test(name)) return undefined;
  return standIn(fn, (receiver, [options, ...rest]) => call(fn, receiver, [withoutSynap(options), ...rest]));
}

/** A middleware may add options for the provider: what it adds for the recorder is taken out on the other side of it. */
function withCleanModel(options: unknown): unknown {
  if (!isObject(options)) return options;
  const { model } = options as { model?: unknown };
  // A wrapped model reads them, and takes them out itself.
  if (!isLanguageModel(model) || wrapperOf(model)) return options;
  return withChanges(options, { model: tapModel(model, () => undefined) });
}

/** What its middlewares say, the first one over those after it, and what the model inside said already. */
function noteSettings(wrapped: unknown, options: unknown): void {
  if (!isObject(wrapped) || !isObject(options)) return;
  const { model, middleware } = options as { model?: unknown; middleware?: unknown };
  const layers = [...[middleware].flat(), model].map(modelSettings).filter(known => known !== undefined);
  const [first, ...others] = layers;
  if (first) settingsOf.set(wrapped, others.length === 0 ? first : mergeCallOptions(layers));
}

/** Call options of several layers, the nearest first: each part is that of the first one that has it. */
function mergeCallOptions(layers: readonly (SynapCallOptions | undefined)[]): SynapCallOptions {
  const merged: Record<string, unknown> = {};
  for (const layer of layers) for (const [name, value] of Object.entries(layer ?? {})) merged[name] ??= value;
  return merged;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
