import { AsyncLocalStorage } from 'node:async_hooks';
import { isObject, property, safely } from '../internal/guards.js';
import { type CoreClasses, patchLateCopies } from './core-copies.js';
import { patchMethod } from './patch-method.js';

/** What a run was called with that LangChain keeps from handlers. */
export interface HiddenConfig {
  /** `configurable`, as far as it holds plain values. On core 0.3 it is part of the metadata instead. */
  readonly configurable: Record<string, unknown> | undefined;
  /** The `configurable` of the server's run around it, where somebody is signed in. */
  readonly server: Record<string, unknown> | undefined;
}

/** LangGraph's server puts the id of the user who is signed in here, whatever its client sends. */
export const SIGNED_IN_USER = 'langgraph_auth_user_id';

/** Shared by all copies of this module in a process, so that each class is patched once. */
interface Patches {
  readonly patched: WeakSet<object>;
  /** By the metadata of the run's callback manager: that object is the run's own, and its handlers are given it. */
  readonly configs: WeakMap<object, HiddenConfig>;
  readonly server: AsyncLocalStorage<Record<string, unknown>>;
  /** What models were called with, by the list of tags that goes with it to the callback manager. */
  readonly models: WeakMap<object, Record<string, unknown>>;
}

const NOTHING: HiddenConfig = { configurable: undefined, server: undefined };
const PATCHES = Symbol.for('synap-recorder.langchain.patches.1');

/**
 * Lets {@link hiddenConfig} see what runs are called with, from now on.
 *
 * Every run of `@langchain/core` 0.3 and 1.x passes `CallbackManager._configureSync`. There its `configurable` is an option for
 * tracers, and a global handler could be added to what it returns. LangGraph leaves the signed-in user out of that option,
 * since its name has "auth" in it; what streams, as each graph does, runs inside `runWithConfig`, which has all of it. A model
 * takes its `configurable` out of its options before it gets there.
 */
export function watchRunConfigs(core: CoreClasses): void {
  patchManager(core.CallbackManager);
  patchStorage(core.AsyncLocalStorageProviderSingleton);
  patchModels(core.Runnable);
}

/** What the run with this metadata was called with; `metadata` is the very object that its handler was given. */
export function hiddenConfig(metadata: unknown): HiddenConfig {
  if (!isObject(metadata)) return NOTHING;
  const known = patches().configs.get(metadata);
  if (!known) patchLateCopies();
  return known ?? NOTHING;
}

function patchManager(manager: unknown): void {
  patchMethod(
    manager,
    '_configureSync',
    patches().patched,
    own =>
      function (...args) {
        const configured = own.apply(this, args);
        remember(configured, args[2], args[6]);
        return configured;
      },
  );
}

function remember(manager: unknown, tags: unknown, options: unknown): void {
  const { configs, models, server } = patches();
  const around = server.getStore();
  // For every chunk of a stream it is called without options.
  if (options === undefined && around === undefined) return;
  safely(() => {
    // Of a model, it is the parameters that go to the provider. Only its options have `verbose`.
    const isModel = isObject(options) && 'verbose' in options;
    const known = isModel ? models.get(tags as object) : property(options, 'tracerInheritableMetadata');
    const configurable = isObject(known) ? known : undefined;
    const metadata = property(manager, 'metadata');
    if (isObject(metadata) && (configurable ?? around)) configs.set(metadata, { configurable, server: around });
  });
}

function patchModels(runnable: unknown): void {
  patchMethod(
    property(runnable, 'prototype'),
    '_separateRunnableConfigFromCallOptions',
    patches().patched,
    own =>
      function (...args) {
        const separated = own.apply(this, args);
        const configurable = property(args[0], 'configurable');
        if (isObject(configurable)) safely(() => noteModelCall(separated, configurable));
        return separated;
      },
  );
}

function noteModelCall(separated: unknown, configurable: Record<string, unknown>): void {
  const config = Array.isArray(separated) ? separated[0] : undefined;
  if (!isObject(config) || !Array.isArray(config.tags)) return;
  // The app's own list may serve many calls.
  config.tags = [...config.tags];
  patches().models.set(config.tags as object, configurable);
}

function patchStorage(provider: unknown): void {
  patchMethod(
    provider,
    'runWithConfig',
    patches().patched,
    own =>
      function (...args) {
        const configurable = property(args[0], 'configurable');
        // It is called for every chunk of a stream, so it must cost nothing where nobody is signed in.
        if (!isObject(configurable) || property(configurable, SIGNED_IN_USER) === undefined)
          return own.apply(this, args);
        return patches().server.run(configurable, () => own.apply(this, args));
      },
  );
}

function patches(): Patches {
  const holder = globalThis as { [PATCHES]?: Patches };
  const existing = holder[PATCHES];
  if (existing) return existing;
  const created: Patches = {
    patched: new WeakSet(),
    configs: new WeakMap(),
    server: new AsyncLocalStorage(),
    models: new WeakMap(),
  };
  Object.defineProperty(holder, PATCHES, { value: created });
  return created;
}
