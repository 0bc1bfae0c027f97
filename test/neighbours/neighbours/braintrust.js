import { initLogger, _exportsForTestingOnly as kept, wrapAISDK } from 'braintrust';
import { perCase } from './calls.js';

// As braintrust's own tests do: what would be sent is kept.
kept.setInitialTestState();
await kept.simulateLoginForTests();
const background = kept.useTestBackgroundLogger();
initLogger({ projectName: 'app', projectId: '00000000-0000-4000-8000-000000000000' });

const { note, ...cases } = perCase(async () => {
  for (const { span_attributes, error } of await background.drain())
    note(`${span_attributes.type} ${span_attributes.name}${error ? ' (failed)' : ''}`);
});
globalThis.neighbour = { ...cases, wrapSDK: wrapAISDK };
