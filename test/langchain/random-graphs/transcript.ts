// What a person who watched a session would write down. It knows nothing of how the recorder works.

import type { Line } from '../cases/lines.js';
import type { Said } from './app.js';
import type { GraphPlan } from './plan.js';
import type { Noted } from './run.js';

/** The wanted lines of a session, as far as the design settles them. */
export function transcriptOf(plan: GraphPlan, noted: readonly Noted[]): Line[] {
  return noted.flatMap((step, index) => [...userLines(step, noted[index - 1]), ...answerLines(plan, step)]);
}

function userLines({ user, end, resumes }: Noted, before: Noted | undefined): Line[] {
  // A reply that is sent again, because the run that took it did not get to its end, stands at the same place and is still
  // unanswered: that is one message. Where the graph had put it into its state, it is two.
  const isSentAgain =
    resumes &&
    before?.resumes === true &&
    before.user[0] === user[0] &&
    before.end !== 'whole' &&
    before.end !== 'waits';
  return user.map(words => {
    // Of a turn without an answer, the user's message may say how it ended.
    const line =
      end === 'whole' || end === 'waits'
        ? `user: ${words}`
        : new RegExp(`^user(?: \\((?:error|aborted|abandoned)\\))?: ${escaped(words)}$`);
    return isSentAgain ? { maybe: line } : line;
  });
}

function answerLines(plan: GraphPlan, step: Noted): Line[] {
  const { end, said } = step;
  if (end === 'whole' || end === 'waits') {
    const text = joined(answerOf(said));
    if (text !== '') return [`assistant: ${text}`];
    // Nothing but a question of a tool's: that is what was on the screen.
    const question = end === 'waits' ? said.findLast(one => one.question !== undefined)?.question : undefined;
    return question === undefined ? [] : [`assistant: ${question}`];
  }
  return step.step.end.kind.startsWith('slow') ? slowLines(plan, step) : stoppedLines(plan, step);
}

/** What was for the user, from the last call of a tool on: that explains what was said before. */
function answerOf(said: readonly Said[]): Said[] {
  const spoken = said.filter(({ by }) => by === 'say' || by === 'node');
  return spoken
    .slice(spoken.findLastIndex(({ callsTools }) => callsTools) + 1)
    .filter(({ text }) => text.trim() !== '');
}

function joined(said: readonly Said[]): string {
  return said.map(({ text }) => text).join('\n\n');
}

/** A model or a node has stopped in the middle, or behind the answer. */
function stoppedLines(plan: GraphPlan, { step, end, said, isFinished }: Noted): Line[] {
  const answer = answerOf(said);
  const whole = answer.filter(({ isWhole }) => isWhole);
  const text = joined(answer);
  // A reader who left when the graph had come to its end got the whole answer.
  const status = isFinished && end !== 'error' ? `(?: \\(${end}\\))?` : ` \\(${end}\\)`;
  const line = (of: string) => new RegExp(`^assistant${status}: ${escaped(of)}$`);
  // Nobody reads what is invoked; nor do these streams give a message before it is whole. The callbacks don't tell how a run is
  // read, so that the text may be recorded or not.
  const isHidden = plan.handler === 'inside' || plan.handler === 'second';
  const isSeen = (step.read === 'messages' || step.read === 'events') && !isHidden;
  const lines: Line[] = [];
  if (
    text !== '' &&
    end === 'error' &&
    step.end.kind === 'throw' &&
    step.end.when === 'after' &&
    answer.length === 1 &&
    (step.end.role === 'say' || step.end.role === 'raw')
  )
    // The node threw when its model had said all of it. It may have been on the screen, but is in no state.
    lines.push({ maybe: line(text) });
  else if (text !== '' && text === joined(whole)) lines.push(isInvoked(step) ? { maybe: line(text) } : line(text));
  else if (text !== '') {
    // A node that something follows may be a router as well as one that answers: until it was seen to answer, that is open.
    const isOpen = !isSeen || followed(plan);
    lines.push(isOpen ? { maybe: line(text) } : line(text));
    // Where the part in the middle is left out, what was whole before it still stands.
    if (isOpen && whole.length > 0) lines.push({ maybe: line(joined(whole)) });
  } else {
    // Talk on the way to a tool: the last that was on the screen, and yet no answer.
    const talk = said.findLast(one => one.by === 'say' && one.text.trim() !== '');
    if (talk) lines.push({ maybe: line(talk.text) });
  }
  // A node that changes its model's words can't be told from one that passes them on before it has given its own.
  const raw = said.at(-1);
  if (plan.say === 'masked' && raw?.by === 'raw' && raw.text !== '') lines.push({ maybe: line(raw.text) });
  return lines;
}

function isInvoked({ read }: Noted['step']): boolean {
  return read === 'invoke';
}

function followed(plan: GraphPlan): boolean {
  return plan.after.length > 0 || plan.wait !== 'none' || plan.route !== 'none' || plan.judge || plan.say !== 'model';
}

/** How far a graph runs ahead of a slow reader is chance: from what the reader got up to all that was said. */
function slowLines(plan: GraphPlan, step: Noted): Line[] {
  const { end, said } = step;
  const answer = answerOf(said);
  const got = textRead(plan, step);
  const answers = answer.map((_, index) => joined(answer.slice(0, index + 1)));
  const others = [
    ...said.filter(({ by }) => by === 'say' || by === 'node' || by === 'raw').map(({ text }) => text),
    ...said.map(({ question = '' }) => question),
  ];
  const texts = [...new Set(got === '' ? [...answers, ...others] : answers)].filter(text => text !== '');
  if (texts.length === 0) return [];
  const raw = new Set(said.filter(({ by }) => by === 'raw').map(({ text }) => text));
  const wholes = texts.filter(text => !raw.has(text)).map(escaped);
  const beginnings = texts.map(text => beginning(text, got));
  const line = new RegExp(`^assistant(?: \\(${end}\\): (?:${beginnings.join('|')})|: (?:${wholes.join('|')}))$`);
  return [got === '' ? { maybe: line } : line];
}

/** What a slow reader got of the answer's first message, as far as that must be recorded. */
function textRead(plan: GraphPlan, { step, said, chunks }: Noted): string {
  const text = answerOf(said)[0]?.text ?? '';
  if (step.read === 'values' || step.read === 'updates')
    return chunks.some(chunk => JSON.stringify(chunk).includes(JSON.stringify(`ai: ${text}`))) ? text : '';
  if (step.read !== 'messages' || followed(plan)) return '';
  const pieces = chunks.map(chunk => (Array.isArray(chunk) && chunk[1] === 'say' ? String(chunk[0]) : ''));
  const read = pieces.map(piece => piece.replace(/^ai: /, '')).join('');
  return text.startsWith(read) ? read : '';
}

/** Any beginning of a text that holds at least `from`. */
function beginning(text: string, from = ''): string {
  const words = text
    .slice(from.length)
    .split(/(?<= )/)
    .filter(word => word !== '')
    .map(escaped);
  const rest = words.reduceRight((tail, word) => `${word}(?:${tail})?`, '');
  return from === '' || rest === '' ? escaped(from) + rest : `${escaped(from)}(?:${rest})?`;
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
