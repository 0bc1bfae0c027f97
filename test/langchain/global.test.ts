import { BaseCallbackHandler } from '@langchain/core/callbacks/base';
import { CallbackManager } from '@langchain/core/callbacks/manager';
import { RunnableLambda } from '@langchain/core/runnables';
import { AsyncLocalStorageProviderSingleton } from '@langchain/core/singletons';
import { describe, expect, it } from 'vitest';
import { SynapCallbackHandler } from '../../src/langchain/index.js';
import { recorderOn } from '../support/recorder.js';
import { scriptedSynap } from '../support/scripted-synap.js';
import { runProgram } from './run-program.js';
import { drain, handlerOn, isOldCore, ScriptedModel } from './support.js';

const configure = () => CallbackManager._configureSync;
const chain = RunnableLambda.from((text: string) => `Re: ${text}`);

/** A handler of somebody else's, and what it is told of each run. */
class Other extends BaseCallbackHandler {
  name = 'other';
  override awaitHandlers = true;
  readonly starts: unknown[] = [];

  override handleChainStart(...args: unknown[]): void {
    this.starts.push(args.slice(4, 6));
  }

  override handleChatModelStart(...args: unknown[]): void {
    this.starts.push(args.slice(5, 7));
  }
}

describe('what the handler patches', () => {
  it('is patched once, however many handlers there are', async () => {
    await using on = await handlerOn();
    const [first, storage] = [configure(), AsyncLocalStorageProviderSingleton.runWithConfig];
    for (let i = 0; i < 100; i++) new SynapCallbackHandler(on.recorder).close();
    expect(configure()).toBe(first);
    expect(AsyncLocalStorageProviderSingleton.runWithConfig).toBe(storage);
  });

  it('looks as it did', async () => {
    await using _ = await handlerOn();
    expect(Object.keys(CallbackManager)).not.toContain('_configureSync');
    expect(configure().name).toBe('_configureSync');
    expect(configure().length).toBe(7);
    expect(Object.keys(globalThis)).toEqual(Object.keys({ ...globalThis }));
  });

  it('gives back what LangChain gives, and adds nothing to it', async () => {
    await using on = await handlerOn();
    const given = [on.handler];
    const configurable = { tracerInheritableMetadata: { user_id: 'bob' } };
    const manager = CallbackManager._configureSync(
      given,
      undefined,
      ['a'],
      undefined,
      { b: 1 },
      undefined,
      configurable,
    );
    expect(manager).toBeInstanceOf(CallbackManager);
    expect(manager?.handlers).toEqual(given);
    expect(manager?.metadata).toEqual({ b: 1 });
    expect(manager?.tags).toEqual(['a']);
    expect(CallbackManager._configureSync()).toBeUndefined();
  });

  it('shows no other handler anything more', async () => {
    const model = new ScriptedModel(['Hello']);
    const tags = ['chat'];
    const call = async (...callbacks: BaseCallbackHandler[]) => {
      const config = { callbacks, tags, configurable: { user_id: 'bob', langgraph_auth_user_id: 'bob' } };
      await chain.invoke('Hi', config);
      await model.invoke('Hi', config);
      await drain(model.stream('Hi', config));
    };
    const [without, beside] = [new Other(), new Other()];
    await call(without);
    await using on = await handlerOn();
    await call(on.handler, beside);
    await call(beside);
    expect(without.starts).toHaveLength(3);
    expect(beside.starts).toEqual([...without.starts, ...without.starts]);
    expect(tags).toEqual(['chat']);
  });

  it('lets LangChain’s own errors through', async () => {
    await using _ = await handlerOn();
    const broken = new Proxy([], {
      get() {
        throw new TypeError('broken');
      },
    });
    expect(() => CallbackManager._configureSync(broken)).toThrow('broken');
  });

  it('is read even where it can not be', async () => {
    await using on = await handlerOn();
    const options = {
      get tracerInheritableMetadata(): never {
        throw new TypeError('broken');
      },
    };
    // Core 0.3 doesn't read it.
    const call = () => CallbackManager._configureSync([on.handler], undefined, [], undefined, {}, undefined, options);
    if (isOldCore) expect(call()?.handlers).toEqual([on.handler]);
    else expect(call).toThrow('broken');
  });

  it.each(['before', 'after'])('works with another patch that comes %s it', async when => {
    const own = configure();
    const seen: unknown[] = [];
    const patchOfAnother = () => {
      const original = CallbackManager._configureSync;
      CallbackManager._configureSync = function (...args) {
        const manager = original.apply(this, args);
        seen.push(this, args.length);
        return manager;
      };
    };
    try {
      if (when === 'before') patchOfAnother();
      await using on = await handlerOn();
      if (when === 'after') patchOfAnother();
      await chain.invoke('Hi', { ...on.config, configurable: { user_id: 'bob' } });
      await on.recorder.flush();
      expect(on.synap.stored[0]?.user_id).toBe('bob');
      expect(seen[0]).toBe(CallbackManager);
    } finally {
      CallbackManager._configureSync = own;
    }
  });

  it('may be taken off by another patch: then the metadata is what is known', async () => {
    await using on = await handlerOn();
    const own = configure();
    CallbackManager._configureSync = function (...args) {
      // A copy has other metadata than the one that was configured.
      return own.apply(this, args)?.copy();
    };
    try {
      const config = { ...on.config, configurable: { thread_id: 't1' } };
      await chain.invoke('Hi', { ...config, metadata: { user_id: 'eve' } });
      expect(await on.transcript()).toEqual(['user: Hi', 'assistant: Re: Hi']);
      expect(on.synap.stored[0]?.user_id).toBe('eve');
    } finally {
      CallbackManager._configureSync = own;
    }
  });
});

it('an app without recording is not patched', async () => {
  const before = configure();
  await using on = await recorderOn(undefined, { enabled: false });
  new SynapCallbackHandler(on.recorder).close();
  expect(configure()).toBe(before);
});

// The recorder's own packages resolve to the new line.
describe.skipIf(isOldCore)('in a process of its own', () => {
  const record = `
    const recorder = createRecorder({ userId: 'nobody', logger: false });
    const handler = new SynapCallbackHandler(recorder);`;
  const invoke = `
    RunnableLambda.from(text => 'Re: ' + text)
      .invoke('Hi', { callbacks: [handler], configurable: { user_id: 'bob' } })
      .then(() => recorder.close());`;
  const recorder = `
    const { createRecorder } = require('synap-recorder');
    const { SynapCallbackHandler } = require('synap-recorder/langchain');`;
  const langchain = `const { RunnableLambda } = require('@langchain/core/runnables');`;

  it.each([
    [
      'an ES module',
      'mjs' as const,
      `
      import { createRecorder } from 'synap-recorder';
      import { SynapCallbackHandler } from 'synap-recorder/langchain';
      import { RunnableLambda } from '@langchain/core/runnables';
      ${record} ${invoke}`,
    ],
    ['CommonJS', 'cjs' as const, `${langchain} ${recorder} ${record} ${invoke}`],
    ['CommonJS that loads LangChain last', 'cjs' as const, `${recorder} ${record} ${langchain} ${invoke}`],
  ])('the configurable is read in %s', async (_, type, code) => {
    await using synap = await scriptedSynap();
    await runProgram(code, synap.url, type);
    expect(synap.stored.map(({ role, user_id }) => [role, user_id])).toEqual([
      ['user', 'bob'],
      ['assistant', 'bob'],
    ]);
  });

  it('an ES module does not load the CommonJS build', async () => {
    const code = `
      import { createRequire } from 'node:module';
      import { createRecorder } from 'synap-recorder';
      import { SynapCallbackHandler } from 'synap-recorder/langchain';
      ${record}
      console.log(Object.keys(createRequire(import.meta.url).cache).filter(file => file.includes('@langchain')).length);
      recorder.close();`;
    await using synap = await scriptedSynap();
    expect((await runProgram(code, synap.url, 'mjs')).trim()).toBe('0');
  });
});
