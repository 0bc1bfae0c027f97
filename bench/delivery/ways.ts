// The columns of the comparison.

import type { SenderName, SynapSettings } from './senders.ts';

/** A sender under a name, with settings if it is ours. */
export interface Way {
  name: string;
  sender: SenderName;
  settings?: SynapSettings;
}

/** What synap-recorder is compared with. */
export const others: readonly Way[] = [
  { name: 'langsmith', sender: 'langsmith' },
  { name: 'langfuse', sender: 'langfuse' },
  { name: 'posthog-node', sender: 'posthog' },
  { name: 'segment', sender: 'segment' },
  { name: 'OpenTelemetry', sender: 'otel' },
];
