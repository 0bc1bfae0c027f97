// Values that an app may hand over and that are not plain: getters that throw, proxies, other realms.

import { expect } from 'vitest';
import type { Recorder } from '../../src/index.js';
import { balanced } from './recorder.js';

const MiB = 1024 * 1024;

/** Values that no type allows, and that apps hand over nevertheless; each made anew, since some are used up. */
export const ODD_VALUES: Record<string, () => unknown> = {
  'a lone surrogate': () => 'before \ud800 after',
  NUL: () => 'a\0b',
  'a text of 10 MB': () => 'x'.repeat(10 * MiB),
  'an empty text': () => '',
  'a String object': () => new String('text'),
  null: () => null,
  'a number': () => 42,
  NaN: () => Number.NaN,
  'a BigInt': () => 10n,
  'a symbol': () => Symbol('odd'),
  'a function': () => () => 'odd',
  'a date that is none': () => new Date(Number.NaN),
  'an object that contains itself': () => {
    const self: Record<string, unknown> = { name: 'self' };
    self.self = self;
    return self;
  },
  'a getter that throws': () => ({
    get odd() {
      throw new Error('no');
    },
  }),
  'a toJSON that throws': () => ({
    toJSON() {
      throw new Error('no');
    },
  }),
  'a toString that throws': () => ({
    toString() {
      throw new Error('no');
    },
  }),
  'a proxy whose every trap throws': () => hostile({}),
  'a function whose every trap throws': () => hostile(() => {}),
  'a revoked proxy': () => revoked(),
  'a frozen object': () => Object.freeze({ deep: Object.freeze({ odd: true }) }),
  'an object without a prototype': () => Object.assign(Object.create(null), { odd: true }),
  'an object of 10,000 keys': () =>
    Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`key ${n}`, `value ${n}`])),
  'an object of 10,000 levels': () => {
    let deep: object = {};
    for (let level = 0; level < 10_000; level++) deep = { deep };
    return deep;
  },
  'an object with a key __proto__': () => JSON.parse('{"__proto__": {"odd": true}}'),
  'a list with holes': () => Object.assign(new Array(4), { 1: 'one' }),
  'a list of revoked proxies': () => [revoked(), revoked()],
};

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function hostile(target: object): object {
  const thrower = () => {
    throw new Error('no');
  };
  return new Proxy(
    target,
    Object.fromEntries(Object.getOwnPropertyNames(Reflect).map(trap => [trap, thrower])) as ProxyHandler<object>,
  );
}

interface Recording {
  recorder: Recorder;
  losses: { reason: string }[];
}

/** How many messages were accepted or lost. */
export function counted({ recorder, losses }: Recording): number {
  return recorder.stats().accepted + losses.filter(({ reason }) => reason !== 'rejected').length;
}

/** Everything was delivered or is a loss that was counted and reported once. */
export async function expectAllAccountedFor({ recorder, losses }: Recording): Promise<void> {
  expect(await recorder.flush()).toMatchObject({ pending: 0 });
  const { refused, deadLettered, delivered, accepted } = balanced(recorder);
  expect(delivered + deadLettered).toBe(accepted);
  expect(losses).toHaveLength(sum(refused) + deadLettered);
}

export function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((a, b) => a + b, 0);
}
