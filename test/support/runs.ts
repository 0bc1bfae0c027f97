const IS_FULL = process.env.SYNAP_TEST_RUNS === 'full';

/** How often a test that relies on chance tries it: a few times, or many where SYNAP_TEST_RUNS is `full`. */
export function runs(few: number, many: number): number {
  return IS_FULL ? many : few;
}
