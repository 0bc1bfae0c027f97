/** For one call. */
export interface RequestOptions {
  /** Aborts the call. */
  signal?: AbortSignal | undefined;
  /** Milliseconds for this call in all, instead of the client's. */
  timeoutMs?: number | undefined;
}

export interface FetchContextInput {
  /** A UUID. */
  conversationId: string;
  /** What the context is wanted for: one text, or several. Without it, Synap decides. */
  searchQuery?: string | readonly string[] | undefined;
  /** Default 10. */
  maxResults?: number | undefined;
  /** For example `['facts', 'preferences']`. Default: all. */
  types?: readonly string[] | undefined;
  /** Default `fast`. */
  mode?: 'fast' | 'accurate' | undefined;
  /** Default `high`. */
  precisionLevel?: 'high' | 'medium' | undefined;
  userId?: string | undefined;
  customerId?: string | undefined;
  /** Levels between customer and user, in Synap's own form. It is sent as it is. */
  scope?: Record<string, unknown> | undefined;
}

/** Something that Synap has learned. Its further fields are passed through, under camelCase names. */
export interface ContextItem {
  content?: string;
  [field: string]: unknown;
}

/** What Synap knows about a conversation. What it does not say is absent. */
export interface FetchedContext {
  facts?: ContextItem[];
  preferences?: ContextItem[];
  episodes?: ContextItem[];
  emotions?: ContextItem[];
  temporalEvents?: ContextItem[];
  conversationContext?: ConversationContext;
  metadata?: Record<string, unknown>;
}

export interface ConversationContext {
  conversationId?: string;
  summary?: string;
  currentState?: unknown;
  keyExtractions?: unknown;
  recentTurns?: ContextItem[];
  compactionId?: string;
  /** ISO-8601. */
  compactedAt?: string;
}

export interface CompactInput {
  /** A UUID. */
  conversationId: string;
  /** Default: Synap's choice. */
  strategy?: string | undefined;
  /** How long the compacted context should be. */
  targetTokens?: number | undefined;
  /** Compacts again what was compacted lately. Default `false`. */
  force?: boolean | undefined;
}

/** A compaction that has begun. */
export interface Compaction {
  compactionId?: string;
  conversationId?: string;
  status?: string;
  triggerType?: string;
  /** ISO-8601. */
  initiatedAt?: string;
  estimatedCompletionSeconds?: number;
  previousContext?: unknown;
  previousContextAgeSeconds?: number;
  previousCompactionId?: string;
  /** Why the answer could not be read. It was 2xx, so the compaction has begun. */
  unread?: string;
}

export interface GetCompactedInput {
  /** A UUID. */
  conversationId: string;
  /** Default: the latest. */
  version?: number | undefined;
  /** Default `structured`. */
  format?: 'structured' | 'narrative' | 'injection' | undefined;
}

/** A conversation in fewer tokens. */
export interface CompactedContext {
  formattedContext?: string;
  originalTokenCount?: number;
  compactedTokenCount?: number;
  compressionRatio?: number;
  strategyUsed?: string;
  validationScore?: number;
  validationPassed?: boolean;
  facts?: ContextItem[];
  decisions?: ContextItem[];
  preferences?: ContextItem[];
  currentState?: unknown;
  qualityWarning?: string | boolean;
}

export interface CompactionStatus {
  status?: string;
  compactionId?: string;
  /** ISO-8601. */
  completedAt?: string;
  compressionRatio?: number;
  validationScore?: number;
  estimatedCompletionSeconds?: number;
  errorMessage?: string;
  latestVersion?: number;
  /** ISO-8601. */
  latestCreatedAt?: string;
}

export interface ContextForPromptInput {
  /** A UUID. */
  conversationId: string;
  /** Default `structured`. */
  style?: 'structured' | 'narrative' | 'bullet_points' | undefined;
}

/** What to put before a model: the older part of a conversation, compacted, and its recent messages. */
export interface ContextForPrompt {
  /** Whether there is a compacted part. */
  available?: boolean;
  /** The compacted part, ready for a system message. */
  formattedContext?: string;
  isStale?: boolean;
  compressionRatio?: number;
  validationScore?: number;
  compactionAgeSeconds?: number;
  qualityWarning?: string | boolean;
  /** What was said since, oldest first. */
  recentMessages?: RecentMessage[];
  recentMessageCount?: number;
  compactedMessageCount?: number;
  totalMessageCount?: number;
}

export interface RecentMessage {
  /** `user` or `assistant`, of what was recorded. */
  role: string;
  content: string;
  /** ISO-8601. */
  timestamp?: string;
  messageId?: string;
  /** As it was recorded, where Synap says it: a local one does. */
  metadata?: Record<string, unknown>;
}

/** What Synap has made of a conversation. Its answers hold what Synap says; what it does not say is absent. */
export interface ContextApi {
  /**
   * Facts, preferences, episodes and the like. A read: it is sent again a few times, within `timeoutMs`, where Synap was not
   * reached or is unavailable.
   *
   * @throws {@link InvalidInputError} a field is wrong; `field` names it
   * @throws any other {@link SynapError}
   */
  fetch(input: FetchContextInput, options?: RequestOptions): Promise<FetchedContext>;
  /**
   * Begins a compaction. It is sent once.
   *
   * @throws {@link ConflictError} one is under way
   */
  compact(input: CompactInput, options?: RequestOptions): Promise<Compaction>;
  /**
   * The compacted conversation. A read, as {@link fetch}.
   *
   * @throws {@link UnexpectedResponseError} with `status` 404: there is none
   */
  getCompacted(input: GetCompactedInput, options?: RequestOptions): Promise<CompactedContext>;
  /** How far a compaction is. A read, as {@link fetch}. */
  getCompactionStatus(input: { conversationId: string }, options?: RequestOptions): Promise<CompactionStatus>;
  /**
   * The conversation for a prompt. A read, as {@link fetch}.
   *
   * @example
   * ```ts
   * // At most 300 ms, and without memory where Synap is slower than that.
   * const context = await synap.conversation.context
   *   .getContextForPrompt({ conversationId }, { timeoutMs: 300 })
   *   .catch(() => undefined);
   * const system = [instructions, context?.formattedContext].filter(Boolean).join('\n\n');
   * ```
   */
  getContextForPrompt(input: ContextForPromptInput, options?: RequestOptions): Promise<ContextForPrompt>;
}
