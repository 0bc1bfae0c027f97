import { safely } from '../internal/guards.js';
import { isPromise } from '../internal/promises.js';
import type { Recorder } from '../recorder/recorder.js';
import { scopeOf } from '../recorder/scope.js';
import { type AnyLanguageModel, isLanguageModel } from './model-spec.js';
import { type CallEnd, tapModel } from './observe-model.js';
import type { SdkCallOptions } from './options.js';
import { withChanges } from './overlay.js';
import type { Run } from './run.js';
import { wrapperOf } from './wrap-model.js';

/** An option that the SDK calls before each step, and that may choose another model. ai 5 and 6 know the second, too. */
export type StepHook = 'prepareStep' | 'experimental_prepareStep';

/** What {@link ModelTaps} is given of a call. */
export interface ModelTapsOptions {
  readonly recorder: Recorder;
  /** The run that the call belongs to; undefined when it is not recorded. */
  readonly run: Run | undefined;
  /** Told of each call of a tapped model. */
  called?(model: AnyLanguageModel): void;
  /** Told how each stream of a tapped model ends, where there is a run. */
  ended?(end: CallEnd): void;
}

/**
 * The models of one call, each with a tap. What the app's own callbacks are given is what the app gave, never a tap.
 *
 * A model may be a name. The app's default provider resolves it here, instead of in the SDK; without one, the SDK
 * resolves it by itself, and `prepareStep` is the place where the model that it found can be seen and replaced.
 */
export class ModelTaps {
  readonly #options: ModelTapsOptions;
  readonly #tapped = new Map<object, object>();
  readonly #given = new Map<unknown, unknown>();
  #untapped: string | undefined;

  constructor(options: ModelTapsOptions) {
    this.#options = options;
  }

  /** The name of a model that the SDK resolved out of sight: its calls are not observed. */
  get untapped(): string | undefined {
    return this.#untapped;
  }

  /** The model with a tap; the very same where it can't have one. */
  tap(model: unknown): unknown {
    return safely(() => this.#tap(model)) ?? model;
  }

  /** The options of a call with taps. `hooks` names those of the function's options that are called before each step. */
  tapOptions(options: SdkCallOptions, hooks: readonly StepHook[]): SdkCallOptions {
    const model = this.tap(options.model);
    const resolvedBySdk = typeof model === 'string';
    if (resolvedBySdk && hooks.length === 0) this.#untapped = model;
    const name = hooks.find(name => options[name] !== undefined) ?? hooks[0];
    const app = name && options[name];
    if (!name || (app === undefined && !resolvedBySdk)) return { model };
    return { model, [name]: this.#stepHook(app, resolvedBySdk) };
  }

  #tap(model: unknown): unknown {
    const { recorder, run, called, ended } = this.#options;
    const resolved = typeof model === 'string' ? fromDefaultProvider(model) : model;
    if (!isLanguageModel(resolved)) return model;
    // A wrapped model looks after itself, and it alone knows whether to record a call that no run is about.
    if (!run && wrapperOf(resolved)?.recorder === recorder) return resolved;
    const known = this.#tapped.get(resolved);
    if (known) return known;
    const tapped = tapModel<AnyLanguageModel>(resolved, model => {
      called?.(model);
      if (!run || run.ended) return undefined;
      // What somebody put in the place of the tap calls the tap that stood there before.
      const scope = scopeOf(recorder);
      return scope?.inModel && scope.run === run ? undefined : run.listen(model, ended);
    });
    this.#tapped.set(resolved, tapped);
    this.#given.set(tapped, typeof model === 'string' ? resolved : model);
    return tapped;
  }

  #stepHook(app: SdkCallOptions['prepareStep'], resolvedBySdk: boolean): NonNullable<SdkCallOptions['prepareStep']> {
    return (stepOptions, ...rest) => {
      const { model } = stepOptions;
      const tapStep = (step: unknown) => safely(() => this.#tapStep(step, resolvedBySdk ? model : undefined)) ?? step;
      const given = this.#given.get(model);
      const step = app?.(given === undefined ? stepOptions : withChanges(stepOptions, { model: given }), ...rest);
      return isPromise(step) ? Promise.resolve(step).then(tapStep) : tapStep(step);
    };
  }

  /** What `prepareStep` answered, with a tap on its model, or on the `current` one. */
  #tapStep(step: unknown, current: unknown): unknown {
    const options = typeof step === 'object' && step !== null ? (step as { model?: unknown }) : undefined;
    const model = this.tap(options?.model ?? current);
    if (typeof model === 'string') this.#untapped = model;
    return model === undefined || model === null || model === options?.model
      ? step
      : withChanges(options ?? {}, { model });
  }
}

/**
 * A model by its name, from the provider that the app has made the default. It is asked once: its refusal is that of the model
 * which the SDK is given, where that looks at it first.
 */
function fromDefaultProvider(name: string): unknown {
  const { AI_SDK_DEFAULT_PROVIDER: provider } = globalThis as {
    AI_SDK_DEFAULT_PROVIDER?: { languageModel(name: string): unknown };
  };
  try {
    return provider?.languageModel(name);
  } catch (error) {
    const refuse = () => {
      throw error;
    };
    return Object.defineProperty({ doGenerate: refuse, doStream: refuse }, 'specificationVersion', { get: refuse });
  }
}
