import { outsideRequests } from '../internal/async-context.js';
import { safely } from '../internal/guards.js';
import { isAborted } from '../recorder/abort.js';
import type { MessageContent } from '../recorder/attachments.js';
import type { Identity } from '../recorder/identity.js';
import type { Recorder } from '../recorder/recorder.js';
import type { ScopedRun } from '../recorder/scope.js';
import type { Turn } from '../recorder/turn.js';
import type { TurnStatus } from '../recorder/turn-details.js';
import type { FollowedAnswer } from '../recorder/turn-options.js';
import type { AnswerReader, ReaderEnd, ReaderOwner } from './answer-reader.js';
import type { Marks } from './answer-text.js';
import { UNKNOWN_PROVIDER_ERROR } from './model-spec.js';
import { type CallIdentity, openNextTurn, openTurn, recordPrompt } from './open-turn.js';
import { Patience } from './patience.js';
import type { PromptEnd } from './prompt.js';
import { StreamHints, saysNothing } from './stream-hints.js';
import { PartReader } from './stream-readers.js';

// How long the readers of an answer may take, after an abort or another's failure, to get what is on its way to them.
const GRACE_MS = 500;

/** What a {@link StreamRun} is opened with. */
export interface StreamRunOptions extends CallIdentity {
  readonly prompt: PromptEnd;
  /** The app's own. */
  readonly signal: AbortSignal | undefined;
}

/**
 * One call of `streamText`, or of an agent's `stream`. What it records is what the app's own readers got, and it ends when
 * they have the end: the text and its end go the same way, so that neither overtakes the other. Of several readers the
 * furthest counts. The SDK's callbacks are hints about the kind of end, and nothing more.
 *
 * ```
 *   open ──┬── a reader has the end ────────────────────────────────► complete | error | aborted
 *    ▲     ├── the last reader leaves, or is collected ─────────────► abandoned; aborted by the app's signal ─┐
 *    │     └── aborted, and for GRACE_MS no reader has got anything ─► aborted ────────────────────────────────┤
 *    └───────────────────── a reader gets more than was recorded ──────────────────────────────────────────────┘
 * ```
 * Where the user speaks into the answer (steering, ai 7), a turn is complete, and the next one begins.
 */
export class StreamRun implements ScopedRun, ReaderOwner {
  readonly identity: Identity | undefined;
  readonly hints: StreamHints;
  readonly #recorder: Recorder;
  readonly #options: StreamRunOptions;
  readonly #readers = new Set<AnswerReader>();
  #turn: Turn;
  // How often the user has spoken into the answer before the turn.
  #steerings = 0;
  #isLoopOver = false;
  #hasFirstToken = false;
  // How much of the answer is recorded; undefined while the turn is open.
  #recorded: number | undefined;
  #grace: NodeJS.Timeout | undefined;
  // What one of several readers has ended with.
  #failure: { readonly error: unknown } | undefined;
  #hasHeard = false;
  // A reader that holds the answer and asks for nothing may be slow, or gone.
  readonly #patience: Patience;

  constructor(recorder: Recorder, options: StreamRunOptions) {
    this.#recorder = recorder;
    this.#options = options;
    const { call, wrappers, prompt, signal } = options;
    this.#patience = new Patience(wrappers);
    this.hints = new StreamHints(prompt.continued?.ran);
    // What the user says into the answer stands, too, where no word follows it.
    this.hints.steered = () => {
      const furthest = this.#furthest();
      if (furthest && this.#recorded === undefined) this.#passSteerings(furthest.steerings(this.hints), furthest);
    };
    this.identity = safely(() => recorder.identify(call, { fallback: wrappers }));
    this.#turn = this.#follow(hooks => openTurn(recorder, options, hooks));
    recordPrompt(this.#turn, prompt, call);
    if (signal?.aborted) this.#waitForOthers();
    else signal?.addEventListener('abort', this.#waitForOthers, { once: true });
  }

  /**
   * Whether the SDK's own loop is over. What the app starts from then on is not inside the call, though its readers may
   * not have the end yet.
   */
  get ended(): boolean {
    return this.#isLoopOver;
  }

  /** The SDK's own loop is over. */
  leave(): void {
    this.#isLoopOver = true;
  }

  /** The SDK's own loop is over, and it was not aborted. A reader that has all of its words by now has its end, too. */
  readonly loopEnded = (): void => {
    this.leave();
    this.hints.isWhole = !this.hints.isAborted;
    const furthest = this.#furthest();
    if (furthest) this.#finishIfWhole(furthest);
  };

  /** The call threw: there is nothing to read. */
  fail(error: unknown): void {
    this.leave();
    this.#end(isAborted(error, { own: [this.#options.signal] }) ? 'aborted' : 'error', error);
  }

  /** The result is gone: whoever does not read one of its streams by now never will. */
  collected(): void {
    if (!this.#isRead()) this.#end('abandoned');
  }

  /** Something reads the answer that nobody can follow: what comes by the callback for chunks stands for what it gets. */
  readonly followChunks = (): void => {
    const reader = new PartReader(this);
    this.hints.parts = part => {
      reader.reading();
      reader.part(part);
      if (reader.hasFinish || reader.hasAbort) reader.done();
    };
  };

  opened(reader: AnswerReader): void {
    this.#readers.add(reader);
  }

  heard(reader: AnswerReader): void {
    this.#hasHeard = true;
    this.#patience.sign();
    if (!this.#hasFirstToken && reader.length > 0) {
      this.#hasFirstToken = true;
      this.#turn.firstToken();
    }
    if (this.#recorded !== undefined && reader.length > this.#recorded) this.#resume();
    const steerings = reader.steerings(this.hints);
    if (steerings.length > this.#steerings) this.#passSteerings(steerings, reader);
    if (this.hints.isWhole || reader.hasFinish) this.#finishIfWhole(reader);
  }

  readerEnded(reader: AnswerReader, end: ReaderEnd, error?: unknown): void {
    const { signal } = this.#options;
    if (end !== 'left') this.leave();
    if (reader.hasWhole(this.hints)) return this.#finish(reader);
    if (end === 'done') {
      const wasCut = reader.hasAbort || this.hints.isAborted || (this.hints.steps === 0 && signal?.aborted);
      return wasCut ? this.#end('aborted', this.#abortReason) : this.#finish(reader);
    }
    if (end === 'failed') {
      this.#failure = { error };
      // A break may come to one reader before another has what was on its way to it.
      return this.#isRead() ? this.#waitForOthers() : this.#fail(error);
    }
    if (this.#isRead()) return;
    if (this.#failure) this.#fail(this.#failure.error);
    else if (signal?.aborted) this.#end('aborted', this.#abortReason);
    else this.#end('abandoned');
  }

  get #abortReason(): unknown {
    return this.hints.abortReason ?? this.#options.signal?.reason;
  }

  #finishIfWhole(reader: AnswerReader): void {
    if (reader.hasWhole(this.hints)) this.#finish(reader);
  }

  #finish(reader: AnswerReader): void {
    const { hints } = this;
    const told = saysNothing(hints.finishReason) && reader.error !== undefined ? { error: reader.error } : undefined;
    const failure = hints.error ?? told;
    if (failure || hints.finishReason === 'error') this.#end('error', failure?.error ?? UNKNOWN_PROVIDER_ERROR);
    else this.#end('complete');
  }

  #isRead(): boolean {
    for (const reader of this.#readers) if (reader.isReading) return true;
    return false;
  }

  /** While a reader waits, the model, a tool or the app's own step is at work; while it doesn't, the reader itself may be. */
  #isBusy(): boolean {
    for (const reader of this.#readers) if (reader.isWaiting) this.#patience.sign();
    return this.#patience.lasts() && this.#isRead();
  }

  #fail(error: unknown): void {
    const isAbort = isAborted(error, { own: [this.#options.signal] });
    this.#end(isAbort ? 'aborted' : 'error', isAbort ? this.#abortReason : error);
  }

  readonly #waitForOthers = (): void => {
    if (this.#recorded !== undefined) return;
    clearTimeout(this.#grace);
    this.#hasHeard = false;
    this.#grace = outsideRequests(() => setTimeout(this.#graceIsOver, GRACE_MS));
    this.#grace.unref?.();
  };

  readonly #graceIsOver = (): void => {
    if (this.#hasHeard) this.#waitForOthers();
    else if (this.#failure) this.#fail(this.#failure.error);
    else this.#end('aborted', this.#abortReason);
  };

  #furthest(): AnswerReader | undefined {
    let furthest: AnswerReader | undefined;
    for (const reader of this.#readers) if (!furthest || reader.length > furthest.length) furthest = reader;
    return furthest;
  }

  /** Opens a turn that knows of this run. */
  #follow(open: (hooks: Parameters<typeof openTurn>[2]) => Turn): Turn {
    const turn: Turn = open({
      busy: () => this.#isBusy(),
      soFar: () => this.#answer(this.#furthest()),
      ended: () => {
        if (this.#turn === turn) this.#close();
      },
    });
    return turn;
  }

  #end(status: TurnStatus, error?: unknown): void {
    if (this.#recorded !== undefined) return;
    const answer = this.#answer(this.#furthest());
    if (status === 'complete')
      this.#turn.complete({ ...answer, ...this.hints.answerTo(this.#steerings).tools.waitingDetails });
    else if (status === 'error') this.#turn.fail(error, answer);
    else if (status === 'aborted') this.#turn.abort(error, answer);
    else this.#turn.abandon(answer);
  }

  /** The turn has ended, by this run or by the recorder. */
  #close(): void {
    this.#recorded = this.#furthest()?.length ?? 0;
    this.#options.signal?.removeEventListener('abort', this.#waitForOthers);
    clearTimeout(this.#grace);
  }

  /** A reader reads on. Where the turn has come to a true end, nobody can: then it only repeats what is recorded. */
  #resume(): void {
    this.#turn.resume();
    if (this.#turn.state === 'open') this.#recorded = undefined;
  }

  #passSteerings(steerings: Marks['steerings'], reader: AnswerReader): void {
    for (;;) {
      const steering = steerings[this.#steerings];
      if (!steering || steering.at > reader.length) return;
      this.#nextTurn(steering.said, reader);
    }
  }

  /** The user has spoken into the answer: what came before is a turn, and what comes now is the answer to that. */
  #nextTurn(said: MessageContent, reader: AnswerReader): void {
    const before = this.#turn;
    const answer = this.#answer(reader);
    this.#steerings++;
    this.#hasFirstToken = false;
    this.#turn = this.#follow(hooks =>
      openNextTurn(this.#recorder, this.#options, { before, known: this.identity }, hooks),
    );
    before.complete(answer);
    this.#turn.user(said.content, { attachments: said.attachments });
  }

  #answer(reader: AnswerReader | undefined): FollowedAnswer {
    const { hints } = this;
    const index = this.#steerings;
    const { tools, sources, steps } = hints.answerTo(index);
    const details = { ...hints.model, ...steps.details };
    if (!reader) return { ...details, toolCalls: tools.names(), sources, content: '' };
    const { attachments, ...text } = reader.answerTo(index, hints);
    const mentioned = reader.mentionedTo(index);
    const ran = (index === 0 && this.#options.prompt.continued?.ran) || [];
    return {
      ...details,
      ...text,
      attachments: attachments.length > 0 ? attachments : undefined,
      toolCalls: longer([...ran, ...mentioned.toolNames], tools.names()),
      sources: longer(mentioned.sources, sources),
      lastPartAt: reader.lastPartAt,
    };
  }
}

/** What a reader was told, or what the SDK told us: one of them may have seen less. */
function longer<T>(a: readonly T[], b: readonly T[]): readonly T[] | undefined {
  const list = a.length >= b.length ? a : b;
  return list.length > 0 ? list : undefined;
}
