import { onePer } from '../../internal/one-per.js';
import type { MessageContent } from '../../recorder/attachments.js';
import type { Turn } from '../../recorder/turn.js';
import type { Role } from '../../synap/messages.js';

/** A line of a transcript, in the app's own words. */
export interface Line {
  readonly role: Role;
  readonly content: string;
}

/** What a message history is given at once: what humans said, and the answer, if it is there. */
export interface HistoryUpdate {
  readonly humans: readonly MessageContent[];
  readonly answer: string | undefined;
}

// A history is given an entry right after it; the same words much later are another one.
const RECENT_MS = 60_000;
// What is beyond this is long since in Synap. An app that has no history needs a few only, should it come to make one.
const MAX_ENDED = 10_000;
const MAX_ENDED_UNREAD = 50;
const MAX_CHARACTERS = 4_000_000;

/**
 * One prompt and its answer, as this process knows them. A handler and a message history may both report it; whoever
 * has the better view records it, and the other one leaves it alone.
 *
 * ```
 *   open ──close()──► ended ──seen()──► seen
 * ```
 * `open`: a handler's run is under way, or a history has a prompt and no answer. `ended`: recorded, and perhaps
 * still on its way. `seen`: Synap has it.
 */
export class HistoryEntry {
  readonly conversationId: string;
  readonly turnId: string;
  /** The turn of a history's own entry; undefined where a handler records. */
  readonly turn: Turn | undefined;
  state: 'open' | 'ended' | 'seen' = 'open';
  /** What this entry recorded. */
  readonly user: string[] = [];
  answer: string | undefined;
  /** What a history was given of a handler's entry while that was open; it counts where the run itself tells nothing. */
  update: HistoryUpdate = { humans: [], answer: undefined };
  /** Whether a history has been given the prompt, and the answer. */
  userUpdated = false;
  answerUpdated = false;
  /** The answer was recorded by a history after the run had been given up. */
  answeredElsewhere: string | undefined;
  /** How many characters are kept of it. */
  size = 0;
  #endedAt = Infinity;
  #prompt: readonly string[] = [];
  readonly #said: (text: string) => boolean;
  readonly #all: HistoryUpdates;

  /** `said`: whether one of the run's models said this. */
  constructor(all: HistoryUpdates, turn: Turn, conversationId: string, said?: (text: string) => boolean) {
    this.#all = all;
    this.conversationId = conversationId;
    this.turnId = turn.id;
    this.turn = said ? undefined : turn;
    this.#said = said ?? (() => false);
  }

  get isHandlers(): boolean {
    return this.turn === undefined;
  }

  /** @returns what of a prompt is still to be recorded: not what a history has recorded a moment before */
  takePrompt(prompt: readonly MessageContent[]): readonly MessageContent[] {
    this.#prompt = prompt.map(({ content }) => content);
    const last = this.#prompt.at(-1);
    const known = last === undefined ? undefined : this.#all.takeQuestion(this.conversationId, last);
    this.userUpdated ||= known !== undefined || (last !== undefined && this.update.humans.some(same(last)));
    const fresh = prompt.filter(
      ({ content }, index) =>
        (!known && index === prompt.length - 1) || !this.#all.knows(this.conversationId, content, this),
    );
    this.addPrompt(fresh);
    return known ? fresh : prompt;
  }

  /** These are recorded as the prompt. */
  addPrompt(prompt: readonly MessageContent[]): void {
    for (const { content } of prompt) {
      this.user.push(content);
      this.#all.grew(this, content.length);
    }
  }

  /** Whether what a history is given is this entry of a handler's, going by the prompt. */
  hasPrompt({ humans, answer }: HistoryUpdate): boolean {
    if (!this.#isUpdatable() || this.userUpdated || !humans.some(({ content }) => this.#prompt.includes(content)))
      return false;
    return this.state === 'open' || answer === undefined || this.answer === undefined || trimmed(this.answer, answer);
  }

  /** Whether it is, going by the answer: under way, a run may have changed the prompt. */
  hasAnswer({ humans, answer }: HistoryUpdate): boolean {
    if (!this.#isUpdatable() || this.answerUpdated || answer === undefined) return false;
    if (this.state === 'open') return this.#said(answer);
    return humans.length === 0 && this.answer !== undefined && trimmed(this.answer, answer);
  }

  #isUpdatable(): boolean {
    return this.isHandlers && performance.now() - this.#endedAt <= RECENT_MS;
  }

  /** A history is given some of it. */
  add({ humans, answer }: HistoryUpdate): void {
    this.update = { humans: [...this.update.humans, ...humans], answer: answer ?? this.update.answer };
    this.userUpdated ||= humans.length > 0;
    this.answerUpdated ||= answer !== undefined;
  }

  /** It ends, with what was recorded as its answer. */
  close(answer: string | undefined): void {
    if (answer !== undefined && answer !== '') {
      this.answer = answer;
      this.#all.grew(this, answer.length);
    }
    if (this.state !== 'open') return;
    this.state = 'ended';
    this.#endedAt = performance.now();
    this.#all.keep(this);
  }

  /** What of it is history for the app: nothing of a run that is under way, unless a history was update. */
  lines(): Line[] {
    const lines: Line[] = [];
    if (this.state === 'seen' || (this.isHandlers && this.state === 'open' && !this.userUpdated && !this.answerUpdated))
      return lines;
    lines.push(...this.user.map(content => ({ role: 'user' as const, content })));
    const answer = this.answer ?? (this.state === 'open' ? this.update.answer : undefined);
    if (answer !== undefined) lines.push({ role: 'assistant', content: answer });
    return lines;
  }

  /** Synap has it, as far as it has ended. */
  seen(): void {
    if (this.state === 'ended') this.state = 'seen';
  }
}

/** What was said lately through a recorder, by conversations. Bounded: the oldest are forgotten. */
export class HistoryUpdates {
  readonly #byConversation = new Map<string, HistoryEntry[]>();
  /** Those that may be forgotten, the oldest first: a run that is under way is not among them. */
  readonly #kept = new Set<HistoryEntry>();
  #characters = 0;
  /** Whether anybody reads them. */
  hasHistory = false;

  /** Those of a recorder: its handlers and histories share them. */
  static readonly of = onePer(() => new HistoryUpdates());

  /** A turn has begun: a handler's where `said` is given, else a history's. Without an identity there is none. */
  open(turn: Turn, said?: (text: string) => boolean): HistoryEntry | undefined {
    const { conversationId } = turn;
    if (conversationId === undefined) return undefined;
    const entry = new HistoryEntry(this, turn, conversationId, said);
    const list = this.#byConversation.get(conversationId);
    if (list) list.push(entry);
    else this.#byConversation.set(conversationId, [entry]);
    if (!entry.isHandlers) this.keep(entry);
    return entry;
  }

  in(conversationId: string): readonly HistoryEntry[] {
    return this.#byConversation.get(conversationId) ?? [];
  }

  /** The entry of a handler's that a history is given. */
  find(conversationId: string, update: HistoryUpdate): HistoryEntry | undefined {
    const updates = this.in(conversationId);
    return updates.find(entry => entry.hasPrompt(update)) ?? updates.find(entry => entry.hasAnswer(update));
  }

  /** The entry of a history's own that waits for its answer. */
  unanswered(conversationId: string): HistoryEntry | undefined {
    return this.in(conversationId).findLast(({ isHandlers, state }) => !isHandlers && state === 'open');
  }

  /** @internal A run asks what a history has recorded: the answer is the run's to record. */
  takeQuestion(conversationId: string, content: string): HistoryEntry | undefined {
    const question = this.in(conversationId).findLast(
      entry => !entry.isHandlers && entry.state === 'open' && entry.user.at(-1) === content,
    );
    question?.turn?.complete();
    question?.close(undefined);
    return question;
  }

  /** @internal */
  knows(conversationId: string, content: string, except: HistoryEntry): boolean {
    return this.in(conversationId).some(entry => entry !== except && entry.user.includes(content));
  }

  /** @internal It may be forgotten from now on, when its time comes. */
  keep(entry: HistoryEntry): void {
    if (this.#kept.has(entry)) return;
    this.#kept.add(entry);
    this.#characters += entry.size;
    this.#bound();
  }

  /** @internal */
  grew(entry: HistoryEntry, characters: number): void {
    entry.size += characters;
    if (!this.#kept.has(entry)) return;
    this.#characters += characters;
    this.#bound();
  }

  #bound(): void {
    const limit = this.hasHistory ? MAX_ENDED : MAX_ENDED_UNREAD;
    for (const oldest of this.#kept) {
      if (this.#kept.size <= limit && this.#characters <= MAX_CHARACTERS) return;
      this.#forget(oldest);
    }
  }

  #forget(entry: HistoryEntry): void {
    this.#kept.delete(entry);
    this.#characters -= entry.size;
    const list = this.#byConversation.get(entry.conversationId) ?? [];
    const index = list.indexOf(entry);
    if (index >= 0) list.splice(index, 1);
    if (list.length === 0) this.#byConversation.delete(entry.conversationId);
  }
}

function same(text: string) {
  return ({ content }: MessageContent) => content === text;
}

function trimmed(a: string, b: string): boolean {
  return a.trim() === b.trim();
}
