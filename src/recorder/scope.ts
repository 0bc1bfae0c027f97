import { AsyncLocalStorage } from 'node:async_hooks';
import type { Identity } from './identity.js';
import { MAX_CONVERSATION_ID, readId } from './known-id.js';

/** What {@link Scope} asks of a recorder: who a turn that names `identity` would be recorded under, here and now. */
interface Identifier {
  identify(identity?: Identity): Identity;
}

/** What an adapter records a call as, as far as those inside of it must know. */
export interface ScopedRun {
  /** Whether it has ended: what starts after that is not inside. */
  readonly ended: boolean;
  /** Who it is recorded for; undefined where that can't be read. */
  readonly identity: Identity | undefined;
}

/**
 * A call that code runs inside of, however asynchronous and through whichever adapter: a wrapped function of the AI SDK,
 * or a run of LangChain's. What happens inside belongs to the call, and is no turn of its own.
 *
 * ```
 *   open ──its run ends, closeScope()──► closed: as if it were not there
 * ```
 * A scope without a run that is never closed lasts as long as the context that it was opened in.
 */
export interface Scope<R extends ScopedRun = ScopedRun> {
  readonly recorder: Identifier;
  /** Undefined where nothing of the call is recorded, and while it isn't known whether anything will be. */
  run: R | undefined;
  /** Whether this is the model's call itself, rather than what the SDK or a tool does around it. */
  readonly inModel: boolean;
  /** The scope around it, perhaps another recorder's. */
  readonly outer: Scope | undefined;
  /** Who is talking, by what is ambient where the scope was opened. */
  readonly ambient: Identity | undefined;
  closed: boolean;
  /** Whether it was entered in the very same turn of the event loop; see {@link enterScope}. */
  isNew: boolean;
}

const scopes = new AsyncLocalStorage<Scope>();

/** @returns the nearest scope of the code that is running, as far as a recorder is concerned, whose call has not ended */
export function scopeOf(recorder: Identifier): Scope | undefined {
  return nearest(scopes.getStore(), recorder, isRunning);
}

/** A scope in the one that is open here. */
export function scopeFor<R extends ScopedRun>(recorder: Identifier, run: R | undefined, inModel = false): Scope<R> {
  // Runs that an app reports by hand, one after the other, would make a chain without end.
  const outer = stillOpen(scopes.getStore());
  // A call of the model stands in the scope of its run: nobody asks it who is talking.
  const ambient = inModel ? outer?.ambient : ambientOf(recorder);
  return { recorder, run, inModel, outer, ambient, closed: false, isNew: false };
}

/** Runs a function inside a scope. */
export function runIn<T>(scope: Scope, fn: () => T): T {
  return scopes.run(scope, fn);
}

/**
 * Opens a scope for the rest of this async execution, for an adapter that is only told that a call starts. Whoever tells it
 * must wait for the call in an async function of its own, or the scope reaches what the caller does next: then it lasts
 * until {@link closeScope}, and what the caller starts beside the call in the same turn of the event loop is not inside.
 * Cloudflare Workers can't do this: there nothing is inside of such a call.
 */
export function enterScope(scope: Scope): void {
  try {
    scopes.enterWith(scope);
  } catch {
    return;
  }
  scope.isNew = true;
  void Promise.resolve().then(() => {
    scope.isNew = false;
  });
}

export function closeScope(scope: Scope): void {
  scope.closed = true;
}

/**
 * @param call what a call that starts here says by itself of who is talking where
 * @returns whether it belongs to a call around it that has not ended
 */
export function isInside(recorder: Identifier, call: Identity): boolean {
  const scope = scopeOf(recorder);
  return scope !== undefined && !namesSomebodyElse(call, scope);
}

/**
 * Whether a call inside a scope is about somebody else: by a user, a customer or a conversation of its own, or by an ambient identity
 * that was opened within the scope. Then it is a turn, even there.
 */
export function namesSomebodyElse(call: Identity, scope: Scope): boolean {
  const known = identityOf(scope);
  if (namesAnother(call, known)) return true;
  const ambient = ambientOf(scope.recorder);
  return ambient !== undefined && namesAnother(ambient, scope.ambient) && namesAnother(ambient, known);
}

/** What code starts for itself when the call around it has ended, from a callback or a subscription, is not inside of it. */
function isRunning({ run }: Scope): boolean {
  return run?.ended !== true;
}

function stillOpen(from: Scope | undefined): Scope | undefined {
  let scope = from;
  while (scope?.closed) scope = scope.outer;
  return scope;
}

function nearest(
  from: Scope | undefined,
  recorder: Identifier,
  is: (scope: Scope) => boolean = () => true,
): Scope | undefined {
  let scope = from;
  while (scope && (scope.recorder !== recorder || scope.closed || scope.isNew || !is(scope))) scope = scope.outer;
  return scope;
}

/** Who a scope's call is recorded for; of one that is not recorded, who the call around it is. */
function identityOf(scope: Scope): Identity | undefined {
  const known = nearest(scope, scope.recorder, ({ run }) => run !== undefined);
  return known?.run?.identity ?? scope.ambient;
}

function ambientOf(recorder: Identifier): Identity | undefined {
  try {
    return recorder.identify();
  } catch {
    // One that can't be read is nobody's: each turn finds that out by itself.
    return undefined;
  }
}

/** Whether an identity names a user, a customer or a conversation that another does not. Names of nobody count, too. */
export function namesAnother(identity: Identity, from: Identity | undefined): boolean {
  return (['userId', 'customerId', 'conversationId'] as const).some(part => {
    const most = part === 'conversationId' ? MAX_CONVERSATION_ID : undefined;
    const id = readId(identity[part], most);
    return id !== undefined && id !== readId(from?.[part], most);
  });
}
