import type { BoundedSet } from '../internal/bounded-set.js';
import type { WarnOnce } from '../internal/warn-once.js';
import type { AnsweredRuns } from './answered-runs.js';
import type { FirstHalves } from './first-half.js';
import type { HandlerSettings } from './options.js';

/** What the roots of a handler share. */
export interface RootContext {
  readonly settings: HandlerSettings;
  readonly warnOnce: WarnOnce;
  /** The ids of messages that were recorded as answers. */
  readonly answered: BoundedSet;
  readonly answeredRuns: AnsweredRuns;
  readonly firstHalves: FirstHalves;
}
