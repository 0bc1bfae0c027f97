import type { Identity } from '../../src/recorder/identity.js';
import type { OpenTurnOptions, Recorder } from '../../src/recorder/recorder.js';
import { Turn } from '../../src/recorder/turn.js';
import type { AssistantMessage, TurnMessage, UserMessage } from '../../src/recorder/turn-message.js';

/** A recorder as far as a run sees it: real turns, and what they hand on. */
export function turnsOf({ identify = (call: Identity) => call } = {}) {
  const turns: Turn[] = [];
  const messages: TurnMessage[] = [];
  const opened: { call: Identity; options: OpenTurnOptions }[] = [];
  const late: string[] = [];
  const sink = {
    accept(message: TurnMessage) {
      messages.push(message);
      return 'accepted' as const;
    },
    empty(message: AssistantMessage) {
      messages.push(message);
      return 'not recorded' as const;
    },
    late: () => void late.push('late'),
  };
  const recorder = {
    identify,
    turn(call: Identity, options: OpenTurnOptions) {
      const turn = new Turn(sink, { conversationId: call.conversationId ?? 'fresh', observer: undefined }, options);
      turns.push(turn);
      opened.push({ call, options });
      return turn;
    },
  } as unknown as Recorder;
  return {
    recorder,
    turns,
    opened,
    late,
    answers: () => messages.filter((message): message is AssistantMessage => 'status' in message),
    users: () => messages.filter((message): message is UserMessage => 'trailing' in message),
    /** What a person would write down. */
    transcript: () =>
      messages.map(message => {
        if (!('content' in message)) return `${message.role}: unreadable`;
        const status = 'status' in message && message.status !== 'complete' ? ` (${message.status})` : '';
        return `${message.role}${status}: ${message.content}`;
      }),
    /** Lets each turn look at the clock, as a recorder does now and then. */
    tick: () => {
      for (const turn of turns) turn.tick(performance.now());
    },
  };
}

export const ada: Identity = { userId: 'ada', conversationId: 'c' };

/** The end of a prompt in which the user says this. */
export const promptOf = (content: string) => ({
  user: [{ content, attachments: [] }],
  prefill: '',
  earlier: [],
});
