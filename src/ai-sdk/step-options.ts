import { safely } from '../internal/guards.js';
import { isPromise } from '../internal/promises.js';
import { withoutSynap } from './observe-model.js';
import type { SdkCallOptions } from './options.js';
import type { StreamHints } from './stream-hints.js';
import { wrapperOf } from './wrap-model.js';

/**
 * What differs from the options of a call so that no provider gets `providerOptions.synap`. A wrapped model takes it out by
 * itself, once it has read it.
 */
export function plainOptions(options: SdkCallOptions): Partial<SdkCallOptions> {
  if (wrapperOf(options.model)) return {};
  const { providerOptions } = withoutSynap(options);
  return providerOptions === options.providerOptions ? {} : { providerOptions };
}

/** `prepareStep`, so that what it says of a step is known, and gets to no provider. */
export function observeSteps({ prepareStep }: SdkCallOptions, hints: StreamHints): Partial<SdkCallOptions> {
  if (typeof prepareStep !== 'function') return {};
  const seen = (step: unknown) =>
    safely(() => {
      if (typeof step !== 'object' || step === null) return step;
      hints.modelIs((step as SdkCallOptions).model);
      return withoutSynap(step as SdkCallOptions);
    }) ?? step;
  return {
    prepareStep: (...args) => {
      const step = prepareStep(...args);
      return isPromise(step) ? Promise.resolve(step).then(seen) : seen(step);
    },
  };
}
