// Two ways to do the same, measured in turn.

/** One way to do the same thing. */
export interface Variant {
  name: string;
  run(): Promise<unknown>;
}

/**
 * Runs the variants in turn, round by round in changing order, and answers each one's time as a ratio to the first one's
 * of the same round: median, and the tenth and ninetieth percentile. What slows the machine down slows a round.
 */
export async function pair(
  variants: Variant[],
  rounds: number,
): Promise<{ name: string; ms: number; ratio: string }[]> {
  const times = new Map(variants.map(({ name }) => [name, [] as number[]]));
  for (let round = -3; round < rounds; round++) {
    const order = round % 2 ? [...variants].reverse() : variants;
    for (const { name, run } of order) {
      const started = performance.now();
      await run();
      if (round >= 0) times.get(name)?.push(performance.now() - started);
    }
  }
  const [base = []] = times.values();
  return variants.map(({ name }) => {
    const own = times.get(name) ?? [];
    const ratios = own.map((time, round) => time / (base[round] ?? time)).sort((a, b) => a - b);
    const at = (share: number) => (ratios[Math.floor(share * (ratios.length - 1))] ?? Number.NaN).toFixed(2);
    return {
      name,
      ms: [...own].sort((a, b) => a - b)[own.length >> 1] ?? 0,
      ratio: `${at(0.5)} (${at(0.1)}–${at(0.9)})`,
    };
  });
}

export function print(title: string, rows: { name: string; ms: number; ratio: string }[]): void {
  console.log(`\n${title}\n`);
  console.log('| | median | ratio (p10–p90) |\n|---|---|---|');
  for (const { name, ms, ratio } of rows) console.log(`| ${name} | ${ms.toFixed(2)} ms | ${ratio} |`);
}
