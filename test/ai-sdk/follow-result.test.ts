// Whatever an answer is, however it is read, and however it ends: the record is what its readers got, and the app gets
// what it would get without a recorder.

import { describe } from 'vitest';
import { runs } from '../support/runs.js';
import { followsReaders } from './follow-result.js';
import { MAJORS } from './majors.js';

describe.each(MAJORS.map(major => ({ major, name: major.name })))('on $name', ({ major }) => {
  followsReaders(major, runs(60, 60));
});
