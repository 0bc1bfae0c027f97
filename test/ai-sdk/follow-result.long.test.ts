// As follow-result.test.ts, and many more of them.

import { describe } from 'vitest';
import { followsReaders } from './follow-result.js';
import { MAJORS } from './majors.js';

describe.each(MAJORS.map(major => ({ major, name: major.name })))('on $name', ({ major }) => {
  followsReaders(major, process.env.SYNAP_TEST_RUNS === 'full' ? 2000 : 300);
});
