/** The options of a call of the SDK, or the settings of an agent, as far as a recorder reads them. */
export interface CallOptions {
  model?: unknown;
  prompt?: unknown;
  messages?: unknown;
  abortSignal?: AbortSignal | undefined;
  providerOptions?: unknown;
  prepareCall?: ((options: CallOptions) => unknown) | undefined;
  prepareStep?: ((...args: unknown[]) => unknown) | undefined;
  /** ai 7 */
  streamRetries?: number | undefined;
  onChunk?: Callback | undefined;
  onError?: Callback | undefined;
  onAbort?: Callback | undefined;
  onFinish?: Callback | undefined;
  /** ai 7; the newer name of `onFinish` */
  onEnd?: Callback | undefined;
}

export type Callback = (event: never) => unknown;
