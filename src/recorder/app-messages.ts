import { BoundedMap } from '../internal/bounded-map.js';
import { textDigest } from './text-digest.js';
import type { TrailingPlace } from './turn-message.js';

const MAX_MESSAGES = 10_000;
const MAX_WORDINGS = 20;

/** A message of the user's that the app has an id for, as it was last said. */
export interface AppMessage {
  readonly digest: string;
  /** How many messages of the user stood before it in its prompt; undefined where that is not known. */
  readonly place: number | undefined;
  /** Digests of what it said before it was edited. */
  readonly earlier: readonly string[];
  /** The key of its latest answer. */
  answerKey: string | undefined;
}

/**
 * What users said under each id of the app's, within one process, so that an edited message is known for one.
 *
 * An edit puts other words in the place of the first ones. When those still stand in the prompt, where they stood, the other
 * words are the app's own ("Now sum up", for a second part of the same answer), and nobody said them.
 */
export class AppMessages {
  readonly #known = new BoundedMap<AppMessage>(MAX_MESSAGES);

  get(conversationId: string, id: string): AppMessage | undefined {
    return this.#known.get(nameOf(conversationId, id));
  }

  /** Notes what is said under an id now; the very same object as long as that is the same. */
  note(conversationId: string, id: string, content: string, trailing: TrailingPlace | undefined): AppMessage {
    const known = this.get(conversationId, id);
    const digest = textDigest(content);
    if (known?.digest === digest) return known;
    const earlier = known ? [...known.earlier, known.digest].slice(-MAX_WORDINGS) : [];
    const place = trailing?.history && trailing.history.place + trailing.index;
    const message: AppMessage = { digest, place, earlier, answerKey: undefined };
    this.#known.set(nameOf(conversationId, id), message);
    return message;
  }

  /** It was not recorded after all. */
  forget(conversationId: string, id: string, message: AppMessage): void {
    if (this.get(conversationId, id) === message) this.#known.delete(nameOf(conversationId, id));
  }
}

/** Whether what was said stands in a prompt before one of its messages, at the place where it was said. */
export function standsBefore({ digest, place }: AppMessage, { contents, index, history }: TrailingPlace): boolean {
  if (!history || place === undefined || place >= history.place + index) return false;
  const content = place < history.place ? history.earlier()[place] : contents[place - history.place];
  return typeof content === 'string' && textDigest(content) === digest;
}

/** Whether a message of a prompt is the one that was said, by its words and its place. */
export function isThatMessage({ digest, place }: AppMessage, { contents, index, history }: TrailingPlace): boolean {
  const content = contents[index];
  return history !== undefined && place === history.place + index && textDigest(String(content)) === digest;
}

function nameOf(conversationId: string, id: string): string {
  return `${conversationId}\0${id}`;
}
