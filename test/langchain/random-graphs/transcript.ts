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
  return step.step.end.kind.startsWith('slow') ? slowLines(step) : stoppedLines(plan, step);
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
    step.end.role === 'say'
  )
    // The node threw when its model had said all of it. It was on the screen, but is in no state.
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

/** How far a graph runs ahead of a slow reader is chance: any beginning of what was said, or all of it. */
function slowLines({ end, said }: Noted): Line[] {
  const texts = new Set([
    joined(answerOf(said)),
    ...said.filter(({ by }) => by === 'say' || by === 'node').map(one => one.text),
    ...said.map(({ question = '' }) => question),
  ]);
  const raw = said.filter(({ by }) => by === 'raw').map(({ text }) => text);
  const beginnings = [...texts, ...raw].filter(text => text !== '').map(beginning);
  const whole = [...texts].filter(text => text !== '').map(escaped);
  if (beginnings.length === 0) return [];
  return [{ maybe: new RegExp(`^assistant(?: \\(${end}\\): (?:${beginnings.join('|')})|: (?:${whole.join('|')}))$`) }];
}

function beginning(text: string): string {
  const words = text.split(/(?<= )/).map(escaped);
  return words.reduceRight((rest, word) => `${word}(?:${rest})?`, '');
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
