import { AsyncLocalStorage } from 'node:async_hooks';
import { v4 as uuidv4 } from 'uuid';
import { property, safely } from '../internal/guards.js';
import { type Identity, mergeIdentities, type Resolution, resolve } from './identity.js';
import type { RecorderSettings } from './options.js';

/** What {@link Recorder.withIdentity} takes. */
export interface AmbientIdentity extends Identity {
  /** The app's own id of what the user says in it. */
  messageId?: string | undefined;
}

/** Identities that are farther than that of a call. */
export interface FartherIdentities {
  /** Identities that are farther than the ambient one, the nearest first: those of wrappers and handlers. */
  fallback?: Identity | readonly (Identity | undefined)[] | undefined;
  /** `false` where the ambient identity may be somebody else's, as in a background queue. Default `true`. */
  ambient?: boolean | undefined;
}

interface AmbientState {
  readonly identity: AmbientIdentity | undefined;
  /** Whether nothing is recorded here. */
  readonly isOff: boolean;
}

/** What holds for the code that runs here, however asynchronous: who is talking, and whether it is recorded. */
export class Ambient {
  readonly #states = new AsyncLocalStorage<AmbientState>();
  readonly #settings: Pick<RecorderSettings, 'conversationScope' | 'defaults' | 'tenancy'>;

  constructor(settings: Pick<RecorderSettings, 'conversationScope' | 'defaults' | 'tenancy'>) {
    this.#settings = settings;
  }

  get isOff(): boolean {
    return this.#states.getStore()?.isOff ?? false;
  }

  withIdentity<T>(identity: AmbientIdentity, fn: () => T): T {
    return this.#states.run({ identity: this.#inside(identity), isOff: this.isOff }, fn);
  }

  withoutRecording<T>(fn: () => T): T {
    return this.#states.run({ identity: this.#identity, isOff: true }, fn);
  }

  /** Of all layers together, the nearest first: the call's, the ambient one, those that are farther, the recorder's. */
  merge(identity: Identity | undefined, { fallback, ambient = true }: FartherIdentities = {}): Identity {
    const { conversationScope, defaults } = this.#settings;
    const around = ambient ? this.#identity : undefined;
    return mergeIdentities([identity, around, ...[fallback].flat(), defaults], conversationScope);
  }

  /** Whom a turn is recorded for. An identity that can't be read is nobody's: to fall back to a farther one would be a guess. */
  resolve(identity: Identity | undefined, farther?: FartherIdentities): Resolution {
    const { conversationScope, tenancy } = this.#settings;
    return (
      safely(() => resolve(this.merge(identity, farther), conversationScope, tenancy)) ?? {
        resolved: 'missing_user_id',
        unknown: {},
      }
    );
  }

  /** The ambient id of what the user says in a turn, unless that is somebody else's, or in another conversation. */
  messageId(identity: Identity | undefined, farther: FartherIdentities): unknown {
    const messageId = property(this.#identity, 'messageId');
    if (messageId === undefined) return undefined;
    const own = safely(() => this.merge(identity, farther));
    const around = safely(() => this.merge(undefined, farther));
    return own?.userId === around?.userId && own?.conversationId === around?.conversationId ? messageId : undefined;
  }

  newConversation(identity: Omit<Identity, 'conversationId'>): Identity & { conversationId: string } {
    // One that can't be read is not the user of a farther layer, whoever it is.
    const named = safely(() => ({ ...identity, ...mergeIdentities([identity], this.#settings.conversationScope) })) ?? {
      userId: String(undefined),
    };
    return { ...named, conversationId: uuidv4() };
  }

  get #identity(): AmbientIdentity | undefined {
    return this.#states.getStore()?.identity;
  }

  #inside(identity: AmbientIdentity): AmbientIdentity {
    const outer = this.#identity;
    try {
      const merged = mergeIdentities([identity, outer], this.#settings.conversationScope);
      // A message belongs to the conversation that it was named beside.
      const isOuter = merged.userId === outer?.userId && merged.conversationId === outer?.conversationId;
      return { ...merged, messageId: identity?.messageId ?? (isOuter ? outer?.messageId : undefined) };
    } catch {
      // It can't be read: each turn inside finds that out again, and counts as one without a user.
      return identity;
    }
  }
}
