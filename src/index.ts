export type { Backlog } from './delivery/backlog.js';
export type { FlushResult } from './delivery/flush-tracker.js';
export type { Loss, LossReason } from './delivery/loss.js';
export type { Delivered } from './delivery/receipts.js';
export type { AcceptedEvent, DeliveredEvent, LostEvent, RequestEvent } from './internal/diagnostics-topics.js';
export type { JsonObject, JsonValue } from './internal/json.js';
export type { Logger } from './internal/logger.js';
export { type MemoryOutboxOptions, memoryOutbox } from './outbox/memory-outbox.js';
export type {
  AccountStats,
  ClaimedEntry,
  ClaimLimits,
  DeadLetter,
  MaybePromise,
  MessageState,
  Outbox,
  OutboxEntry,
  OutboxStats,
  Progress,
  PurgeableState,
  PutResult,
  Settlement,
} from './outbox/outbox.js';
export type { AmbientIdentity } from './recorder/ambient.js';
export {
  type ConversationOwner,
  type ConversationScope,
  conversationUuid,
  type Identity,
} from './recorder/identity.js';
export type { Attachment, Source, TurnDetails, TurnStatus, Usage } from './recorder/metadata.js';
export type { RecorderOptions } from './recorder/options.js';
export {
  createRecorder,
  type OpenTurnOptions,
  type Recorder,
} from './recorder/recorder.js';
export type { RecorderStats } from './recorder/recorder-stats.js';
export type { Turn } from './recorder/turn.js';
export type { CompleteDetails, TurnOptions, TurnOutcome, UserMessageOptions } from './recorder/turn-options.js';
export type { Credits, Whoami } from './synap/account.js';
export {
  type CallOptions,
  type ConversationApi,
  type RecordingApi,
  type RecordingClient,
  SynapClient,
  type SynapClientOptions,
} from './synap/client.js';
export type {
  CompactedContext,
  CompactInput,
  Compaction,
  CompactionStatus,
  ContextApi,
  ContextForPrompt,
  ContextForPromptInput,
  ContextItem,
  ConversationContext,
  FetchContextInput,
  FetchedContext,
  GetCompactedInput,
  RecentMessage,
  RequestOptions,
} from './synap/context.js';
export * from './synap/errors.js';
export type { IngestReceipt, Transcript, TranscriptTurn } from './synap/ingest.js';
export type {
  BatchItemResult,
  BatchMessageInput,
  BatchResult,
  Receipt,
  RecordMessageInput,
  Role,
  Tenancy,
} from './synap/messages.js';
export type { ApiKeySource } from './synap/settings.js';
export type { DispatcherAnswer, DispatcherRequest, HttpDispatcher } from './synap/transport.js';
