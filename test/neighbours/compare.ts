import { afterAll, describe, expect, it } from 'vitest';
import { NEIGHBOURS, type Outcome, runApp, type Way } from './run-app.js';

type Name = keyof typeof NEIGHBOURS;

/** An entry point of the SDK of one version, and what its cases come to beside each neighbour. */
export function comparesNeighbours(program: string, ways: readonly Exclude<Way, 'alone'>[]): void {
  const runs = new Map<string, Promise<Outcome>>();
  const run = (neighbour: Name, way: Way) => {
    const key = `${neighbour} ${way}`;
    const known = runs.get(key) ?? runApp(program, NEIGHBOURS[neighbour], way);
    runs.set(key, known);
    return known;
  };
  afterAll(() => Promise.allSettled(runs.values()));

  describe.each<Name>(['dd-trace', '@sentry/node', 'OpenTelemetry'])('beside %s', neighbour => {
    it('sees calls of the SDK without the recorder', async () => {
      const { spans } = await run(neighbour, 'alone');
      expect(spans['telemetry of the SDK']).toEqual(expect.arrayContaining([expect.stringMatching(/^ +\S/)]));
    });

    describe.each(ways)('%s', way => {
      it('gives the app what it gets without the recorder', async () => {
        const [plain, recorded] = [await run(neighbour, 'alone'), await run(neighbour, way)];
        expect(recorded.app).toEqual(plain.app);
      });

      it('records what it records without the neighbour', async () => {
        const [alone, beside] = [await run('nobody', way), await run(neighbour, way)];
        expect(beside.records).toEqual(alone.records);
      });

      it('shows the neighbour the spans that it sees without the recorder', async () => {
        const [plain, recorded] = [await run(neighbour, 'alone'), await run(neighbour, way)];
        expect(recorded.spans).toEqual(plain.spans);
      });

      it('asks the provider the same', async () => {
        const [plain, recorded] = [await run(neighbour, 'alone'), await run(neighbour, way)];
        expect(recorded.requests).toEqual(plain.requests);
      });
    });
  });

  it.each(ways)('%s gives the app what it gets without the recorder, with nobody beside it', async way => {
    const [plain, recorded] = [await run('nobody', 'alone'), await run('nobody', way)];
    expect(recorded.app).toEqual(plain.app);
  });
}
