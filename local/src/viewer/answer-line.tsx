import { count, duration } from './format.js';
import { Icon } from './icon.js';
import type { MessageFacts } from './message-facts.js';
import { Status } from './status.js';

/** The metadata of an answer, below its text. A bar of full width is `wholeMs`. */
export function AnswerLine({ facts, wholeMs }: { facts: MessageFacts; wholeMs: number }) {
  const { model, responseModel, provider, finishReason, status, latencyMs, steps } = facts;
  const modelTitle = [responseModel && `answered by ${responseModel}`, provider].filter(Boolean).join(' · ');
  return (
    <>
      <Status status={status} />
      {(model ?? responseModel) && (
        <span class="model" title={modelTitle || undefined}>
          {model ?? responseModel}
        </span>
      )}
      {latencyMs !== undefined && <Latency facts={facts} latencyMs={latencyMs} wholeMs={wholeMs} />}
      <Tokens facts={facts} />
      {steps !== undefined && steps > 1 && <span class="figure">{count(steps)} steps</span>}
      {finishReason !== undefined && finishReason !== 'stop' && <span class="figure">ended by {finishReason}</span>}
      {facts.toolCalls.map(name => (
        <span class="tool">
          <Icon name="tool" />
          <span class="unseen">Tool </span>
          {name}
        </span>
      ))}
    </>
  );
}

const WIDTH = 88;

function Latency({ facts, latencyMs, wholeMs }: { facts: MessageFacts; latencyMs: number; wholeMs: number }) {
  const { timeToFirstTokenMs } = facts;
  const whole = Math.max(3, Math.round((Math.min(latencyMs, wholeMs) / wholeMs) * WIDTH));
  const share = latencyMs > 0 ? Math.min(1, (timeToFirstTokenMs ?? 0) / latencyMs) : 0;
  const first = Math.round(whole * share);
  const said =
    duration(latencyMs) +
    (timeToFirstTokenMs === undefined ? '' : `, first token after ${duration(timeToFirstTokenMs)}`);
  return (
    <span class="latency" title={said}>
      <svg class="latency-bar" viewBox={`0 0 ${WIDTH} 6`} width={WIDTH} height="6" aria-hidden="true">
        <rect class="ground" width={WIDTH} height="6" rx="3" />
        <rect class="upper" width={whole} height="6" rx="3" />
        <rect class="lower" width={first} height="6" rx={Math.min(3, first / 2)} />
      </svg>
      <span class="figure">{duration(latencyMs)}</span>
      {timeToFirstTokenMs !== undefined && (
        <span class="figure first">{duration(timeToFirstTokenMs)} to first token</span>
      )}
    </span>
  );
}

function Tokens({ facts }: { facts: MessageFacts }) {
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = facts;
  if (inputTokens === undefined && outputTokens === undefined) return null;
  const details = [
    cachedInputTokens !== undefined && `${count(cachedInputTokens)} of the input cached`,
    reasoningTokens !== undefined && `${count(reasoningTokens)} of the output for reasoning`,
  ].filter(Boolean);
  return (
    <span class="figure tokens" title={details.join(', ') || undefined}>
      {inputTokens === undefined ? '?' : count(inputTokens)} → {outputTokens === undefined ? '?' : count(outputTokens)}{' '}
      tokens
    </span>
  );
}
