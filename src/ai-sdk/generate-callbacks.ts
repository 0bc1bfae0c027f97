import { safely } from '../internal/guards.js';
import { before } from './callbacks.js';
import type { ModelTaps } from './model-taps.js';
import type { SdkCallOptions } from './options.js';
import { withChanges } from './overlay.js';
import { ranToolCalls, readResult } from './result.js';
import type { Run } from './run.js';

/** What is known of the models of a call that were not observed. */
type Untapped = Pick<ModelTaps, 'untapped'>;

/** The options of a `generateText` call with a `prepareStep` that tells when the user has spoken into the answer (ai 7). */
export function withSteering(
  options: SdkCallOptions,
  run: Run | undefined,
  steering: unknown = options.experimental_steering,
): SdkCallOptions {
  if (steering === undefined || !run) return options;
  const { prepareStep } = options;
  return withChanges(options, {
    prepareStep: ((step, ...rest) => {
      safely(() => run.steered(step.experimental_steeringMessages));
      return prepareStep?.(step, ...rest);
    }) satisfies SdkCallOptions['prepareStep'],
  });
}

/**
 * The app's own callbacks of a `generateText` call that run when its loop is over: the answer is whole by then, and what they start
 * is not inside of it, but comes after it.
 */
export function generateCallbacks(
  run: Run,
  { onEnd, onFinish, output, experimental_output }: SdkCallOptions,
  taps: Untapped,
): Partial<SdkCallOptions> {
  const over = (event: unknown) => {
    run.leave();
    // What the text stands for is read after that, and may not be what was asked for.
    if ((output ?? experimental_output) === undefined) completeWith(run, event, taps);
  };
  return {
    ...(onEnd && { onEnd: before(over, onEnd) }),
    ...(onFinish && { onFinish: before(over, onFinish) }),
  };
}

/** Ends a run with a result, or what the event of its end says of it. */
export function completeWith(run: Run, result: unknown, taps: Untapped | undefined): void {
  safely(() => run.toolsRan(ranToolCalls(result)));
  safely(() => run.complete(taps?.untapped ? readResult(result, taps.untapped) : undefined));
}
