import type { Flag } from './command.js';

/** Where a command connects to, as its flags say. */
export interface ConnectionFlags {
  readonly baseUrl?: string | undefined;
  readonly apiKey?: string | undefined;
}

export const CONNECTION_FLAGS = {
  'base-url': {
    type: 'string',
    value: 'url',
    description: 'address of Synap (default: SYNAP_BASE_URL, then the cloud)',
  },
  'api-key': {
    type: 'string',
    value: 'key',
    description: 'its API key (default: SYNAP_API_KEY, which stays out of the process list)',
  },
} as const satisfies Record<string, Flag>;

export function wholeNumberProblem(text: string): string | undefined {
  return /^[1-9]\d{0,8}$/.test(text) ? undefined : 'It must be a whole number above 0.';
}
