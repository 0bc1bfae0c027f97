import type { Identity } from '../recorder/identity.js';
import type { OpenTurnOptions, Recorder } from '../recorder/recorder.js';
import type { Turn } from '../recorder/turn.js';
import type { SynapCallOptions } from './call-options.js';
import { type PromptEnd, readContent } from './prompt.js';
import { idleMsOf, type WrapOptions } from './wrap-options.js';

/** Whose turn a call is. `wrappers` are what the model and the namespace were wrapped with, the nearest first. */
export interface CallIdentity {
  readonly call: SynapCallOptions;
  readonly wrappers: readonly (WrapOptions | undefined)[];
}

/** Opens the turn of a call. */
export function openTurn(
  recorder: Recorder,
  { call, wrappers }: CallIdentity,
  options: Pick<OpenTurnOptions, 'ambient' | 'busy' | 'endsAs' | 'ended' | 'soFar'>,
): Turn {
  const { metadata } = call;
  return recorder.turn(call, {
    framework: 'ai-sdk',
    fallback: wrappers,
    metadata,
    idleMs: idleMsOf(wrappers),
    ...options,
  });
}

/**
 * Opens the turn that follows another in the same call: the user has spoken into the answer. It is recorded for whom the call
 * is recorded, whoever reads the answer by now; a conversation that nobody has named goes on in the same transcript.
 *
 * @param known who the call is recorded for
 */
export function openNextTurn(
  recorder: Recorder,
  { call, wrappers }: CallIdentity,
  { before, known }: { before: Turn; known: Identity | undefined },
  options: Parameters<typeof openTurn>[2],
): Turn {
  // Options that can't be read are nobody's, here as in the first turn.
  const named = known && { ...call, ...known, conversationId: known.conversationId ?? before.conversationId };
  return openTurn(recorder, { call: named ?? call, wrappers }, { ...options, ambient: false });
}

/** Records what the user said at the end of a prompt, or which calls of tools have waited for it. */
export function recordPrompt(turn: Turn, prompt: PromptEnd, { messageId }: SynapCallOptions): void {
  const { user, prefill, earlier, continued } = prompt;
  if (continued) turn.describe({ toolCalls: continued.ran, continuesToolCalls: continued.toolCallIds });
  // The app's id of a message is that of the newest.
  const newest = user.length - 1;
  turn.trailing(
    user.map((said, index) => (index === newest ? { ...said, messageId } : said)),
    { place: earlier.length, earlier: () => earlier.map(content => readContent(content).content), prefill },
  );
}
