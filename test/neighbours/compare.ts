// Compares a program beside a tool, with and without the recorder.

import { afterAll, describe, expect, it } from 'vitest';
import { NEIGHBOURS, type Neighbour, type Outcome, runApp, type Way } from './run-app.js';

type Name = Exclude<keyof typeof NEIGHBOURS, 'nobody'>;

/** One program, what its cases come to beside each neighbour, and what they come to by themselves. */
export function compareNeighbours(
  program: string,
  names: readonly Name[],
  ways: readonly Exclude<Way, 'alone'>[],
  cases: readonly string[] = [],
): void {
  const runs = new Map<string, Promise<Outcome>>();
  const run = (name: keyof typeof NEIGHBOURS, way: Way) => {
    const neighbour: Neighbour = NEIGHBOURS[name];
    // Alone it is the same in whatever order it stands beside us.
    const key = way === 'alone' ? neighbour.esm.join() : `${name} ${way}`;
    const known = runs.get(key) ?? runApp(program, neighbour, way, cases.join('|'));
    runs.set(key, known);
    return known;
  };
  // A program that fails is the failure of each test that needs it.
  afterAll(() => Promise.allSettled(runs.values()));

  describe.each(ways)('with %s', way => {
    it('an app gets what it gets without the recorder', async () => {
      const [plain, recorded] = [await run('nobody', 'alone'), await run('nobody', way)];
      expect(recorded.app).toEqual(plain.app);
      expect(Object.keys(recorded.records).length).toBeGreaterThan(0);
    });

    describe.each(names)('beside %s', name => {
      const { readsOn = false, call = /never/ }: Neighbour = NEIGHBOURS[name];

      it('the neighbour traces the calls', async () => {
        const { spans } = await run(name, way);
        expect(Object.values(spans).flat()).toContainEqual(expect.stringMatching(call));
      });

      it('an app gets what it gets without the recorder', async () => {
        const [plain, recorded] = [await run(name, 'alone'), await run(name, way)];
        expect(recorded.app).toEqual(plain.app);
      });

      it('the app’s model is left as it is, or as the neighbour alone leaves it', async () => {
        const [plain, recorded] = [await run(name, 'alone'), await run(name, way)];
        expect(changesBeyond(recorded, plain)).toEqual([]);
      });

      it('the provider gets the same requests', async () => {
        const [plain, recorded] = [await run(name, 'alone'), await run(name, way)];
        expect(recorded.requests).toEqual(plain.requests);
      });

      it('what is recorded is what is recorded without the neighbour', async () => {
        const [alone, beside] = [await run('nobody', way), await run(name, way)];
        expect(records(beside, readsOn)).toEqual(records(alone, readsOn));
      });

      it('the neighbour sees the spans that it sees without the recorder', async () => {
        const [plain, recorded] = [await run(name, 'alone'), await run(name, way)];
        expect(withoutDelivery(recorded)).toEqual(withoutDelivery(plain));
      });

      it('the delivery to Synap is no part of a call’s trace', async () => {
        const { outside: _, ...cases } = (await run(name, way)).spans;
        const deliveries = Object.entries(cases).map(([name, lines]) => [name, lines.filter(isDelivery)] as const);
        expect(deliveries.filter(([, lines]) => lines.length > 0)).toEqual([]);
      });
    });
  });
}

function changesBeyond(of: Outcome, other: Outcome) {
  return Object.entries(of.changed).flatMap(([name, keys]) =>
    keys.filter(key => !other.changed[name]?.includes(key)).map(key => `${name}: ${key}`),
  );
}

/** A neighbour that reads an answer on after the app has left makes it a whole one. */
function records({ records }: Outcome, readsOn: boolean) {
  if (!readsOn) return records;
  const { 'an answer that is left': _, ...others } = records;
  return others;
}

const isDelivery = (line: string) => line.endsWith(' to Synap');

function withoutDelivery({ spans }: Outcome) {
  const { outside: _, ...cases } = spans;
  return Object.fromEntries(
    Object.entries(cases).map(([name, lines]) => [name, lines.filter(line => !isDelivery(line))]),
  );
}
