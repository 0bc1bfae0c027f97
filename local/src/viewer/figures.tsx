import type { AnswerMetadata } from '../store/transcripts.js';
import { type Bar, Chart } from './chart.js';
import { compact, count, counted, duration } from './format.js';
import { answerFacts } from './message-facts.js';

// What the charts look at: the latest answers.
export const MAX_ANSWERS = 1000;

/** The latency and the tokens of a conversation's answers, as two small charts. */
export function Figures({ answers }: { answers: readonly AnswerMetadata[] }) {
  const facts = answers.map(({ metadata }) => answerFacts(metadata));
  const latencies = facts.flatMap(({ latencyMs }) => latencyMs ?? []);
  const tokens = facts.flatMap(({ inputTokens, outputTokens }) =>
    inputTokens === undefined && outputTokens === undefined ? [] : (inputTokens ?? 0) + (outputTokens ?? 0),
  );
  if (latencies.length === 0 && tokens.length === 0) return null;

  const latencyBars = facts.map(({ latencyMs = 0, timeToFirstTokenMs = 0, status }, index): Bar => {
    const first = Math.min(timeToFirstTokenMs, latencyMs);
    const title = `Answer ${index + 1}: ${duration(latencyMs)}, first token after ${duration(first)}`;
    return { lower: first, upper: latencyMs - first, title, status: status === 'complete' ? undefined : status };
  });
  const tokenBars = facts.map(({ inputTokens = 0, outputTokens = 0 }, index): Bar => {
    const title = `Answer ${index + 1}: ${count(inputTokens)} in, ${count(outputTokens)} out`;
    return { lower: inputTokens, upper: outputTokens, title };
  });
  const median = [...latencies].sort((a, b) => a - b)[latencies.length >> 1] ?? 0;
  const longest = latencies.reduce((a, b) => Math.max(a, b), 0);
  const sum = tokens.reduce((a, b) => a + b, 0);
  const ofAnswers = counted(answers.length, 'answer');
  return (
    <>
      {latencies.length > 0 && (
        <figure>
          <figcaption>
            Latency{' '}
            <span>
              median <b>{duration(median)}</b> · longest <b>{duration(longest)}</b>
            </span>
          </figcaption>
          <Chart
            bars={latencyBars}
            label={`Latency of ${ofAnswers}: median ${duration(median)}, longest ${duration(longest)}`}
          />
          <Legend lower="to first token" upper="to the end" />
        </figure>
      )}
      {tokens.length > 0 && (
        <figure>
          <figcaption>
            Tokens{' '}
            <span>
              <b>{compact(sum)}</b> in all
            </span>
          </figcaption>
          <Chart bars={tokenBars} label={`Tokens of ${ofAnswers}: ${count(sum)} in all`} />
          <Legend lower="in" upper="out" />
        </figure>
      )}
    </>
  );
}

function Legend({ lower, upper }: { lower: string; upper: string }) {
  return (
    <p class="legend" aria-hidden="true">
      <i class="lower"></i> {lower} <i class="upper"></i> {upper}
    </p>
  );
}
