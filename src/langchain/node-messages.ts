import { isObject } from '../internal/guards.js';

/** LangChain reports a value that is no object as { output: value }; null is one of nothing. */
export function plainValue(output: unknown): unknown {
  return isObject(output) && Object.keys(output).join() === 'output' ? (output.output ?? null) : output;
}

/**
 * Passes on the messages in what a node gives: an update of the state, or commands that hold some. A step may also give a whole
 * history as a list, in which nothing is an update; so this makes no lists.
 *
 * @param act told, too, whether the message came with a command that names the node to go to
 */
export function eachMessage(output: unknown, act: (message: object, isHandedOn: boolean) => void): void {
  const value = plainValue(output);
  for (const given of Array.isArray(value) ? value : [value]) {
    if (!isObject(given)) continue;
    const isCommand = given.lg_name === 'Command';
    const update = isCommand ? given.update : given;
    const messages = isObject(update) ? update.messages : undefined;
    if (messages === undefined) continue;
    const isHandedOn = isCommand && [given.goto].flat().some(target => target !== undefined && target !== '__end__');
    for (const message of Array.isArray(messages) ? messages : [messages])
      if (typeof message === 'object' && message !== null) act(message, isHandedOn);
  }
}
