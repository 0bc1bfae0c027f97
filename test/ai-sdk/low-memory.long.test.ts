import { it } from 'vitest';
import { staysSmall } from './low-memory.js';

it('an answer of 200 MiB takes no more memory than without a recorder', () => staysSmall(200));
