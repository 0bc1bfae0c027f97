/** How a turn ended. */
export type TurnStatus = 'complete' | 'error' | 'aborted' | 'abandoned';

/** Tokens, as the provider counted them. */
export interface Usage {
  inputTokens?: number | undefined;
  outputTokens?: number | undefined;
  totalTokens?: number | undefined;
  cachedInputTokens?: number | undefined;
  reasoningTokens?: number | undefined;
}

/** A file or image of a message: what it is and where, never its bytes. */
export interface Attachment {
  /** For example `image/png`. */
  mediaType?: string | undefined;
  filename?: string | undefined;
  /** An http(s) URL. A data URL holds bytes and is left out. */
  url?: string | undefined;
}

/** Where something in an answer comes from, as the model cited it. */
export interface Source {
  /** An http(s) URL. */
  url?: string | undefined;
  title?: string | undefined;
}

/** What an adapter, or an app, knows of an answer. What is not known stays absent. */
export interface TurnDetails {
  /** The model that was asked for. */
  model?: string | undefined;
  /** The model that answered, as the provider names it. */
  responseModel?: string | undefined;
  provider?: string | undefined;
  usage?: Usage | undefined;
  finishReason?: string | undefined;
  /** How many calls of the model the answer took. */
  steps?: number | undefined;
  /** The names of the tools that were called, in order. The first 100 of them are recorded. */
  toolCalls?: readonly string[] | undefined;
  /** The ids of calls of tools that the answer waits for: what follows, once they are answered, is its second half. */
  pendingToolCalls?: readonly string[] | undefined;
  /** Of a second half: the ids of the calls of tools that the first one waited for. */
  continuesToolCalls?: readonly string[] | undefined;
  /** The first 100 of them are recorded. */
  attachments?: readonly Attachment[] | undefined;
  /** What the answer cites. The first 100 of them are recorded. */
  sources?: readonly Source[] | undefined;
  /** The app's own tags of this message, 64 KiB and 5,000 values at most. */
  metadata?: Record<string, unknown> | undefined;
}
