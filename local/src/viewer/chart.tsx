/** One bar, of up to two stacked parts. */
export interface Bar {
  lower: number;
  upper: number;
  /** The tooltip. */
  title: string;
  /** How the answer ended, if that is to stand out. */
  status?: 'error' | 'aborted' | 'abandoned' | undefined;
}

const WIDTH = 480;
const HEIGHT = 64;
const GAP_SHARE = 0.3;
const MAX_BAR_WIDTH = 40;
// More bars than this can't be distinguished. Then a bar is the highest of several.
const MAX_BARS = 120;

/** A bar chart as an inline SVG: sizes are attributes and colours are classes, so that it needs no style of its own. */
export function Chart({ bars, label }: { bars: readonly Bar[]; label: string }) {
  const shown = thinned(bars);
  const highest = Math.max(...shown.map(total), 1);
  const step = Math.min(WIDTH / Math.max(shown.length, 1), MAX_BAR_WIDTH);
  const width = round(step * (1 - GAP_SHARE));
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label} preserveAspectRatio="none">
      <line class="ground" x1="0" y1={HEIGHT - 0.5} x2={WIDTH} y2={HEIGHT - 0.5} />
      {shown.map((bar, index) => {
        const x = round(index * step);
        const lower = scaled(bar.lower, highest);
        const upper = scaled(bar.upper, highest);
        return (
          <g class={bar.status}>
            <title>{bar.title}</title>
            <rect class="lower" x={x} y={round(HEIGHT - lower)} width={width} height={lower} />
            <rect class="upper" x={x} y={round(HEIGHT - lower - upper)} width={width} height={upper} />
          </g>
        );
      })}
    </svg>
  );
}

function thinned(bars: readonly Bar[]): Bar[] {
  const perBar = Math.ceil(bars.length / MAX_BARS);
  if (perBar <= 1) return [...bars];
  return Array.from({ length: Math.ceil(bars.length / perBar) }, (_, index) => {
    const some = bars.slice(index * perBar, (index + 1) * perBar);
    const highest = some.reduce((a, b) => (total(b) > total(a) ? b : a));
    return { ...highest, status: some.find(bar => bar.status !== undefined)?.status };
  });
}

function total({ lower, upper }: Bar): number {
  return lower + upper;
}

function scaled(value: number, highest: number): number {
  return round((value / highest) * (HEIGHT - 2));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
