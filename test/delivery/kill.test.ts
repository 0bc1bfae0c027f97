import { describe, it } from 'vitest';
import { diesTwice, momentsOf } from './kill-stage.js';

describe('a sender that is killed', () => {
  it.each(momentsOf(2))('at %s loses nothing that it had accepted', diesTwice);
});
