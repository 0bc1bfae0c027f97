import type { Role } from '../synap/messages.js';
import { textDigest } from './text-digest.js';
import type { TurnStatus } from './turn-details.js';
import type { TrailingPlace } from './turn-message.js';

const MAX_MESSAGES = 20;
// Enough to tell answers apart, and little to keep.
const MAX_TAIL = 64;

/** What is known of a conversation: what its user said since the last whole answer, and how the latest answer ends. */
interface Exchange {
  readonly unanswered: { readonly digest: string; readonly place: number | undefined }[];
  answer: { readonly tail: string; readonly key: string } | undefined;
}

/**
 * Tells what a prompt repeats from what is new in it, where the app has no ids for its messages.
 *
 * What a user said stays unanswered when its answer failed, and then the next prompt holds it again, before what is new. The
 * last message is mostly new: the same words are said again by a person who types them again. They are a repetition in two
 * cases: unanswered at the same place in the prompt (the app asks once more, perhaps another model), and before the text of
 * the latest answer, which the model is to go on from.
 *
 * Known within one process. Bounded: the conversations that were quiet for longest are forgotten beyond `limit`.
 */
export class RepeatedPrompts {
  readonly #exchanges = new Map<string, Exchange>();
  // Of each prompt as a whole: what is noted while its messages are recorded one by one is no repetition.
  readonly #repetitions = new WeakMap<readonly unknown[], readonly boolean[]>();
  readonly #limit: number;

  constructor(limit = 1000) {
    this.#limit = limit;
  }

  /** @returns whether the message at `index` was said before */
  isRepeated(conversationId: string, { contents, index, history }: TrailingPlace): boolean {
    const repeated =
      this.#repetitions.get(contents) ?? this.#compare(this.#exchanges.get(conversationId), contents, history);
    this.#repetitions.set(contents, repeated);
    return repeated[index] ?? false;
  }

  /** The key of the answer that a prompt goes on from, when it ends with the text of that. */
  continued(conversationId: string, prefill: string): string | undefined {
    return goesOnFrom(this.#exchanges.get(conversationId), prefill)?.key;
  }

  /** @param message what is recorded; an answer has a `status`. `place`: how many messages of the user stood before it */
  note(
    conversationId: string,
    message: { readonly role: Role; readonly content: string; readonly status?: TurnStatus | undefined },
    { key = '', place }: { readonly key?: string | undefined; readonly place?: number | undefined } = {},
  ): void {
    const exchange = this.#exchanges.get(conversationId) ?? { unanswered: [], answer: undefined };
    const { unanswered } = exchange;
    if (message.role === 'user') {
      unanswered.push({ digest: textDigest(message.content), place });
      if (unanswered.length > MAX_MESSAGES) unanswered.shift();
    } else {
      if (message.status === 'complete') unanswered.length = 0;
      exchange.answer = { tail: message.content.trimEnd().slice(-MAX_TAIL), key };
    }
    this.#exchanges.delete(conversationId);
    this.#exchanges.set(conversationId, exchange);
    if (this.#exchanges.size > this.#limit)
      for (const oldest of this.#exchanges.keys()) return void this.#exchanges.delete(oldest);
  }

  #compare(exchange: Exchange | undefined, contents: readonly unknown[], history: TrailingPlace['history']): boolean[] {
    if (!exchange) return contents.map(() => false);
    const { unanswered } = exchange;
    const goesOn = goesOnFrom(exchange, history?.prefill) !== undefined;
    return contents.map((content, index) => {
      if (typeof content !== 'string') return false;
      if (goesOn) return true;
      const digest = textDigest(content);
      const isLast = index === contents.length - 1;
      const place = history && history.place + index;
      return unanswered.some(
        known => known.digest === digest && (!isLast || (place !== undefined && known.place === place)),
      );
    });
  }
}

function goesOnFrom(exchange: Exchange | undefined, prefill = ''): Exchange['answer'] {
  const answer = exchange?.answer;
  return answer && answer.tail !== '' && prefill.trimEnd().endsWith(answer.tail) ? answer : undefined;
}
