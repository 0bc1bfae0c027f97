import { channel } from 'node:diagnostics_channel';
import { outsideRequests } from './async-context.js';
import type { Diagnostics, Topic } from './diagnostics-topics.js';

type Subscriber = (message: unknown, name: string) => unknown;

const channels = {
  accepted: channel('synap-recorder:accepted'),
  delivered: channel('synap-recorder:delivered'),
  lost: channel('synap-recorder:lost'),
  request: channel('synap-recorder:request'),
} satisfies Record<Topic, unknown>;

/**
 * Node.js would end the process for what a subscriber throws: so each is called here, in none of the app's async contexts, and
 * what it throws or rejects ends here.
 */
function callEach(subscribers: readonly Subscriber[], message: object, name: string): void {
  for (const subscriber of [...subscribers]) {
    try {
      const answer = subscriber(message, name) as PromiseLike<unknown> | undefined;
      if (typeof answer?.then === 'function') answer.then(undefined, () => {});
    } catch {
      // It is the subscriber's own.
    }
  }
}

export const diagnostics: Diagnostics = {
  isHeard: topic => channels[topic].hasSubscribers,
  publish(topic, message) {
    const to = channels[topic];
    if (!to.hasSubscribers) return;
    const { _subscribers: subscribers } = to as { _subscribers?: readonly Subscriber[] | undefined };
    outsideRequests(() => {
      if (Array.isArray(subscribers)) callEach(subscribers, message, String(to.name));
      else to.publish(message);
    });
  },
};
