import { CallbackManager } from '@langchain/core/callbacks/manager';
import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { BaseLLM } from '@langchain/core/language_models/llms';
import { Serializable } from '@langchain/core/load/serializable';
import { Runnable } from '@langchain/core/runnables';
import { AsyncLocalStorageProviderSingleton } from '@langchain/core/singletons';
import { isObject, safely } from '../internal/guards.js';

/** What is patched of a copy of `@langchain/core`, or some of it: each of a copy's files has its own exports. */
export interface CoreClasses {
  readonly CallbackManager?: unknown;
  readonly BaseChatModel?: unknown;
  readonly BaseLLM?: unknown;
  readonly Serializable?: unknown;
  readonly Runnable?: unknown;
  readonly AsyncLocalStorageProviderSingleton?: unknown;
}

/** May be called with the same class again. */
export type CorePatch = (classes: CoreClasses) => void;

// The CommonJS files of @langchain/core, in however many copies an app has loaded them.
const CORE_FILE =
  /[\\/]@langchain[\\/]core[\\/]dist[\\/](?:callbacks|language_models|load|runnables|singletons)[\\/].*\.c?js$/;
// Those of its files that bring along all that is patched.
const MODELS = ['@langchain/core/language_models/chat_models', '@langchain/core/language_models/llms'];
// A run of which nothing is known may be of a copy of core that was loaded late. After so many searches, there is none.
const MAX_SEARCHES = 10;

const own: CoreClasses = {
  CallbackManager,
  BaseChatModel,
  BaseLLM,
  Serializable,
  Runnable,
  AsyncLocalStorageProviderSingleton,
};
let installed: readonly CorePatch[] = [];
let searches = 0;

/**
 * Patches the copy of `@langchain/core` that the handler is made of, and every CommonJS one that is loaded. Another ES module
 * can't be found: its runs are recorded by what LangChain tells handlers.
 */
export function patchCore(patches: readonly CorePatch[]): void {
  // Apps make a handler for each request, too.
  if (installed.length > 0) return;
  installed = patches;
  apply(own);
  patchCommonJs();
}

/** Looks for copies that have been loaded meanwhile. */
export function patchLateCopies(): void {
  if (installed.length > 0 && searches < MAX_SEARCHES) patchCommonJs();
}

/** The CommonJS build of core is a second copy, with classes of its own. Bundles and edge runtimes have none. */
function patchCommonJs(): void {
  searches++;
  if (typeof process === 'undefined') return;
  safely(() => {
    const load = process.getBuiltinModule('node:module').createRequire(import.meta.url);
    // An app that is CommonJS itself has loaded it already, or is about to.
    if (load.main !== undefined) for (const file of MODELS) safely(() => load(file));
    for (const [file, module] of Object.entries(load.cache)) if (CORE_FILE.test(file)) apply(module?.exports);
  });
}

function apply(classes: unknown): void {
  if (!isObject(classes)) return;
  for (const patch of installed) safely(() => patch(classes));
}
