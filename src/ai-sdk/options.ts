/** The options of a call of the SDK, or the settings of an agent, as far as a recorder reads them. */
export interface SdkCallOptions {
  model?: unknown;
  prompt?: unknown;
  messages?: unknown;
  abortSignal?: AbortSignal | undefined;
  providerOptions?: unknown;
  tools?: unknown;
  system?: unknown;
  /** ai 7; the newer name of `system` */
  instructions?: unknown;
  prepareCall?: ((options: SdkCallOptions) => unknown) | undefined;
  prepareStep?: PrepareStep | undefined;
  /** ai 5, 6; the older name of `prepareStep` */
  experimental_prepareStep?: PrepareStep | undefined;
  /** ai 7 */
  streamRetries?: number | undefined;
  /** ai 7 */
  experimental_steering?: unknown;
  /** ai 6, 7 */
  output?: unknown;
  /** ai 5; the older name of `output` */
  experimental_output?: unknown;
  onChunk?: Callback | undefined;
  onStepFinish?: Callback | undefined;
  /** ai 7; the newer name of `onStepFinish` */
  onStepEnd?: Callback | undefined;
  onError?: Callback | undefined;
  onAbort?: Callback | undefined;
  onFinish?: Callback | undefined;
  /** ai 7; the newer name of `onFinish` */
  onEnd?: Callback | undefined;
}

/** Called before each step; what it returns stands for this step over the options. */
type PrepareStep = (
  options: { model?: unknown; experimental_steeringMessages?: unknown },
  ...rest: unknown[]
) => unknown;

export type Callback = (event: never) => unknown;
