import type { Diagnostics } from './diagnostics-topics.js';

/** There are no channels without Node.js. */
export const diagnostics: Diagnostics = { isHeard: () => false, publish() {} };
