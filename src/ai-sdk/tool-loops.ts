import { v5 as uuidv5 } from 'uuid';
import { outsideRequests } from '../internal/async-context.js';
import type { Identity } from '../recorder/identity.js';
import { textDigest } from '../recorder/text-digest.js';
import type { SynapCallOptions } from './call-options.js';
import type { ModelParams } from './model-spec.js';
import { readContent, textSinceUser, toolCallsSinceUser } from './prompt.js';
import type { Run } from './run.js';

const NAMESPACE = 'c4b0f4d2-6a55-4c3b-8f2e-2d1a7e90b6f1';
const MAX_WAITING = 1000;

// A client or a person who answers in another process ends no loop in this one. What comes later than this is a second half of
// the answer; and what waits holds up the end of a serverless function, which has 30 seconds on Workers.
const TOOLS_MS = 20_000;
// As long as a provider may ask the SDK to wait before it tries again.
const RETRY_MS = 60_000;

/** What is known of a call of a wrapped model beside its prompt: who it is for, and how the app told it from others. */
export interface LoopCall {
  readonly identity: Identity;
  readonly call: SynapCallOptions;
}

/** A call that has come back, and with what. */
interface Waiting extends LoopCall {
  readonly run: Run;
  readonly params: ModelParams;
  readonly key: string;
  readonly history: string;
  readonly isRefused: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** A run that goes on. */
export interface Resumed {
  readonly run: Run;
  /** Whether nothing but the SDK and its tools was at work since the last call, which was not refused. */
  readonly sameCall: boolean;
}

/**
 * Finds, for wrapped models without a wrapped function around them, which calls belong to one run. One recorder has one,
 * because an app may wrap a model for each request, and a loop may have several models. A call says nothing of its loop, but
 * its prompt repeats it: the ids of the tool calls so far, or, after a refused call, the very same prompt. Only calls under
 * the same identity belong together.
 *
 * ```
 *   awaitTools(), awaitRetry() ──► waiting ──take()───────────────────────► goes on
 *                                     ├─────its time is over, conclude()──► ends as it stands
 *                                     └─────forget()──────────────────────► ended by others
 * ```
 *
 * Ids such as `call_0` and words such as "Go on" are the same in many runs. Which of several it is, is told by what the SDK
 * hands on from step to step: headers of its own making in `generateText`, the app's signal, options that hold an identity; and
 * by what was said before. Without a conversation id, what was said before must be the same.
 */
export class Loops {
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #ofRun = new WeakMap<Run, Waiting>();

  /** The run that waits for a call like this one. */
  take(params: ModelParams, of: LoopCall): Resumed | undefined {
    const candidates = this.#waiting.get(keyOf(params, of.identity)) ?? [];
    const history = candidates.length > 0 ? historyOf(params) : '';
    let best: { waiting: Waiting; sureness: number } | undefined;
    for (const waiting of candidates) {
      const isSameAsSaid = waiting.history === history && saysWhatItCalled(waiting.run, params);
      const sureness = kinship(waiting, params, of) + (isSameAsSaid ? 1 : 0);
      if (of.identity.conversationId === undefined && sureness < SAME_CALL && !isSameAsSaid) continue;
      if (!best || sureness > best.sureness) best = { waiting, sureness };
    }
    if (!best) return undefined;
    this.forget(best.waiting.run);
    return { run: best.waiting.run, sameCall: !best.waiting.isRefused && best.sureness >= SAME_CALL };
  }

  /** The run goes on when its tools have answered: with a prompt that holds the calls made so far. */
  awaitTools(run: Run, params: ModelParams, of: LoopCall): void {
    this.#wait(run, params, of, { ms: TOOLS_MS, isRefused: false });
  }

  /** The call was refused: if it is tried again, it is with the same prompt. */
  awaitRetry(run: Run, params: ModelParams, of: LoopCall): void {
    this.#wait(run, params, of, { ms: RETRY_MS, isRefused: true });
  }

  /**
   * Ends what waits in a conversation, before something new is recorded there: it comes after the answers so far.
   *
   * @param toolCallIds only the runs that wait for these; undefined: all
   */
  conclude({ conversationId, userId, customerId }: Identity, toolCallIds?: readonly string[]): void {
    // A turn without one has a conversation of its own.
    if (conversationId === undefined) return;
    const those = [...this.#waiting.values()].flat().filter(({ identity, run }) => {
      const isHere = identity.conversationId === conversationId && identity.userId === userId;
      const isMeant = !toolCallIds || run.waitingToolCalls.some(({ id }) => toolCallIds.includes(id));
      return isHere && identity.customerId === customerId && isMeant;
    });
    for (const { run } of those) run.conclude();
  }

  forget(run: Run): void {
    const waiting = this.#ofRun.get(run);
    if (!waiting) return;
    clearTimeout(waiting.timer);
    this.#ofRun.delete(run);
    const others = this.#waiting.get(waiting.key)?.filter(other => other !== waiting) ?? [];
    if (others.length > 0) this.#waiting.set(waiting.key, others);
    else this.#waiting.delete(waiting.key);
  }

  #wait(run: Run, params: ModelParams, of: LoopCall, { ms, isRefused }: { ms: number; isRefused: boolean }): void {
    const key = keyOf(params, of.identity, isRefused ? [] : run.waitingToolCalls);
    const waiting: Waiting = {
      ...of,
      run,
      params,
      key,
      history: historyOf(params),
      isRefused,
      timer: outsideRequests(() => setTimeout(() => run.conclude(), ms)),
    };
    waiting.timer?.unref?.();
    this.#waiting.set(key, [...(this.#waiting.get(key) ?? []), waiting]);
    this.#ofRun.set(run, waiting);
    if (this.#waiting.size <= MAX_WAITING) return;
    for (const [oldest] of this.#waiting.values()) return oldest?.run.conclude();
  }
}

// Above what the words add up to.
const SAME_CALL = 4;

/** How sure it is that a call belongs to a run, beside what both say. */
function kinship({ params, call }: Waiting, next: ModelParams, of: LoopCall): number {
  // The SDK makes these headers for one call of generateText; streamText hands on the app's.
  if (isSame(params.headers, next.headers)) return SAME_CALL + 2;
  if (isSame(params.abortSignal, next.abortSignal)) return SAME_CALL + 1;
  // Options without an identity may be a constant of the app.
  const options = params.providerOptions;
  if (options && 'synap' in options && options === next.providerOptions) return SAME_CALL;
  return call.messageId !== undefined && call.messageId === of.call.messageId ? 1 : 0;
}

function isSame(one: object | undefined, other: object | undefined): boolean {
  return one !== undefined && one === other;
}

function keyOf({ prompt }: ModelParams, identity: Identity, furtherCalls: readonly { id: string }[] = []): string {
  const { conversationId, userId, customerId, sessionId } = identity;
  const ids = [...toolCallsSinceUser(prompt), ...furtherCalls].map(({ id }) => id);
  const words = readContent(prompt.findLast(message => message.role === 'user')?.content).content;
  const place = ids.length > 0 ? ids : [prompt.length, textSinceUser(prompt)];
  // Prompts are long; what they hold is not needed to know one again.
  return uuidv5(
    JSON.stringify([conversationId, userId, customerId, sessionId, textDigest(words), ...place]),
    NAMESPACE,
  );
}

/** What stands in a prompt before the user's last message. */
function historyOf({ prompt }: ModelParams): string {
  const end = prompt.findLastIndex(message => message.role === 'user');
  return textDigest(
    prompt
      .slice(0, end)
      .map(({ role, content }) => `${role}:${readContent(content).content}`)
      .join('\0'),
  );
}

/** Whether the calls that a run waits for stand in a prompt with the very same arguments. */
function saysWhatItCalled({ waitingToolCalls }: Run, { prompt }: ModelParams): boolean {
  const said = toolCallsSinceUser(prompt);
  return waitingToolCalls.every(({ id, input }) => said.some(call => call.id === id && isSameJson(call.input, input)));
}

/** A model writes its arguments as JSON; in a prompt they are read. */
function isSameJson(read: unknown, written: unknown): boolean {
  if (typeof written !== 'string') return true;
  try {
    return JSON.stringify(read) === JSON.stringify(JSON.parse(written));
  } catch {
    return true;
  }
}
