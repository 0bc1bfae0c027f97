import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it, vi } from 'vitest';
import type { Identity } from '../../src/recorder/identity.js';
import {
  closeScope,
  enterScope,
  isInside,
  namesSomebodyElse,
  runIn,
  type Scope,
  scopeFor,
  scopeOf,
} from '../../src/recorder/scope.js';

const ada = { userId: 'ada', conversationId: 'c' };

/** A recorder whose ambient identity is `ambient`, as it is then. */
function recorderFor(ambient: Identity = {}) {
  const recorder = { ambient, identify: (): Identity => recorder.ambient };
  return recorder;
}

const run = (identity: Identity | undefined = ada, ended = false) => ({ identity, ended });

describe('code is inside a call', () => {
  it('however asynchronous it is, and not beside it', async () => {
    const recorder = recorderFor();
    const scope = scopeFor(recorder, run());
    const inside = runIn(scope, async () => {
      await null;
      return isInside(recorder, {});
    });
    expect(isInside(recorder, {})).toBe(false);
    expect(await inside).toBe(true);
  });

  it('of its own recorder only, whatever other recorders’ calls stand around it', () => {
    const [one, other] = [recorderFor(), recorderFor()];
    const outer = scopeFor(one, run());
    runIn(outer, () => {
      expect(isInside(other, {})).toBe(false);
      runIn(scopeFor(other, run()), () => expect(scopeOf(one)).toBe(outer));
    });
  });

  it('that is not recorded', () => {
    const recorder = recorderFor();
    runIn(scopeFor(recorder, undefined), () => expect(isInside(recorder, {})).toBe(true));
  });

  it('until that has ended, and then inside the one around it', () => {
    const recorder = recorderFor();
    const outer = run();
    const both = () =>
      runIn(scopeFor(recorder, outer), () => runIn(scopeFor(recorder, run(ada, true)), () => isInside(recorder, {})));
    expect(both()).toBe(true);
    outer.ended = true;
    expect(both()).toBe(false);
    expect(runIn(scopeFor(recorder, outer), () => scopeOf(recorder))).toBeUndefined();
  });

  it('until its scope is closed', () => {
    const recorder = recorderFor();
    const scope = scopeFor(recorder, run());
    runIn(scope, () => {
      closeScope(scope);
      expect(scopeOf(recorder)).toBeUndefined();
    });
  });
});

describe('a scope that is entered', () => {
  it('holds what follows in the same function, and not its caller', async () => {
    const recorder = recorderFor();
    const scope = scopeFor(recorder, run());
    const inside = async () => {
      await null;
      enterScope(scope);
      await null;
      return scopeOf(recorder);
    };
    expect(await inside()).toBe(scope);
    expect(scopeOf(recorder)).toBeUndefined();
  });

  it('is let go of by the scopes after it once it is closed', async () => {
    const recorder = recorderFor();
    await (async () => {
      await null;
      for (let n = 0; n < 3; n++) {
        const scope = scopeFor(recorder, run());
        expect(scope.outer).toBeUndefined();
        enterScope(scope);
        await null;
        closeScope(scope);
      }
    })();
  });

  it('where the runtime can’t enter one, does nothing', () => {
    const enterWith = vi.spyOn(AsyncLocalStorage.prototype, 'enterWith').mockImplementation(() => {
      throw new Error('not implemented');
    });
    const recorder = recorderFor();
    enterScope(scopeFor(recorder, run()));
    enterWith.mockRestore();
    expect(scopeOf(recorder)).toBeUndefined();
  });

  it('is not around what starts in the same turn of the event loop', async () => {
    const recorder = recorderFor();
    await (async () => {
      await null;
      const scope = scopeFor(recorder, run());
      enterScope(scope);
      expect(isInside(recorder, {})).toBe(false);
      await null;
      expect(isInside(recorder, {})).toBe(true);
    })();
  });
});

describe('a call inside another names somebody else', () => {
  const within = (identity: Identity | undefined, call: Identity, recorder = recorderFor()) =>
    namesSomebodyElse(call, scopeFor(recorder, { identity, ended: false }));

  it.each<[string, Identity]>([
    ['by another user', { userId: 'bob' }],
    ['by another conversation', { conversationId: 'd' }],
    ['by a customer', { customerId: 'acme' }],
    ['by a user who is nobody', { userId: 'undefined' }],
  ])('%s', (_, call) => {
    expect(within(ada, call)).toBe(true);
  });

  it('where it names anybody and nobody knows who the other is for', () => {
    expect(within(undefined, { userId: 'ada' }, recorderFor({}))).toBe(true);
  });

  it('by an ambient identity that was opened inside', () => {
    const recorder = recorderFor({ userId: 'ada' });
    const scope: Scope = scopeFor(recorder, run());
    recorder.ambient = { userId: 'bob' };
    expect(namesSomebodyElse({}, scope)).toBe(true);
    recorder.ambient = { userId: 'ada', conversationId: 'c' };
    expect(namesSomebodyElse({}, scope)).toBe(false);
  });

  it.each<[string, Identity]>([
    ['nobody', {}],
    ['the same user and conversation', ada],
    ['a session only', { sessionId: 's' }],
    ['blanks', { userId: ' ', conversationId: '' }],
  ])('not where it names %s', (_, call) => {
    expect(within(ada, call)).toBe(false);
  });

  it('not by an ambient identity that was there before', () => {
    expect(within({ userId: 'carol' }, {}, recorderFor({ userId: 'ada' }))).toBe(false);
  });

  it('not where the ambient identity can’t be read', () => {
    const recorder = {
      identify: (): Identity => {
        throw new Error('no');
      },
    };
    expect(namesSomebodyElse({}, scopeFor(recorder, run()))).toBe(false);
  });

  it('as seen from the recorded call around one that is not', () => {
    const recorder = recorderFor();
    runIn(scopeFor(recorder, run()), () => {
      const inner = scopeFor(recorder, undefined);
      expect(namesSomebodyElse(ada, inner)).toBe(false);
      expect(namesSomebodyElse({ userId: 'bob' }, inner)).toBe(true);
    });
  });
});
