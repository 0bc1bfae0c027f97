// Cases as data: a situation of an app, what its reader sees, and the transcript that a person would write down.

import { describe, expect, it } from 'vitest';
import type { WrapAISDKOptions } from '../../../src/ai-sdk/index.js';
import type { Recorder, RecorderOptions } from '../../../src/index.js';
import { line, MAJORS, type Major, mockModel, recording, type Script, type SDK } from '../majors.js';

type MajorName = 'ai 5' | 'ai 6' | 'ai 7';
type Way = 'wrapAISDK' | 'wrapModel';

/** What the app of a case works with. In the run without a recorder, `recorder` is undefined. */
export interface Situation {
  readonly sdk: SDK;
  readonly model: never;
  readonly major: Major;
  readonly way: Way | 'plain';
  readonly recorder: Recorder | undefined;
  /** What the model was called with so far. */
  readonly calls: readonly Record<string, unknown>[];
}

export interface Case {
  /** The situation, as a sentence. */
  readonly name: string;
  /** What the model answers, a step a call. */
  readonly script: Script;
  /** The app. Returns what its reader sees; what it throws is a part of that. */
  app(situation: Situation): Promise<unknown>;
  /** What the reader sees, with the recorder and without; left out where chance or the major decides. */
  readonly sees?: unknown;
  /** What a person who watched would write down, as `role (status): text`; the status is left out where it is `complete`. */
  readonly transcript: readonly (string | RegExp)[];
  readonly because: string;
  /** What the metadata of the messages hold, in the order of the transcript. */
  readonly metadata?: readonly (object | undefined)[];
  /** Where a model alone can't see what the functions see: what it records instead, and why; `false`: it has no part in this. */
  readonly modelAlone?: { readonly transcript: readonly (string | RegExp)[]; readonly because: string } | false;
  /** The majors that the situation exists on. Default: all. */
  readonly majors?: readonly MajorName[];
  readonly options?: WrapAISDKOptions;
  readonly recorderOptions?: RecorderOptions;
  /** What else must hold, such as counters. */
  check?(recorder: Recorder, way: Way): void;
}

const WAYS: readonly Way[] = ['wrapAISDK', 'wrapModel'];

/** Runs each case without a recorder, and with each way of recording, on each major that it exists on. */
export function runCases(title: string, cases: readonly Case[]): void {
  const runs = MAJORS.flatMap(major => WAYS.map(way => ({ major, way })));
  describe(title, () => {
    for (const { major, way } of runs) {
      const those = cases.filter(
        ({ majors, modelAlone }) =>
          (!majors || majors.includes(major.name as MajorName)) && (way === 'wrapAISDK' || modelAlone !== false),
      );
      if (those.length === 0) continue;
      describe(`${way} on ${major.name}`, () => {
        for (const one of those) it(`${one.name}`, () => run(one, major, way));
      });
    }
  });
}

async function run(one: Case, major: Major, way: Way): Promise<void> {
  const { model, seen } = mockModel(major, one.script);
  const plain = await seenBy(one, {
    sdk: major.sdk,
    model,
    major,
    way: 'plain',
    recorder: undefined,
    calls: seen.params,
  });
  if ('sees' in one) expect(plain, 'what the reader sees without a recorder').toEqual(one.sees);

  await using t = await recording(major, way, one.script, one.options, one.recorderOptions);
  const { sdk, recorder } = t;
  const recorded = await seenBy(one, { sdk, model: t.model, major, way, recorder, calls: t.seen.params });
  if ('sees' in one) expect(recorded, 'what the reader sees').toEqual(one.sees);

  const alone = way === 'wrapModel' && one.modelAlone ? one.modelAlone : one;
  const wanted = alone.transcript.map(said => (said instanceof RegExp ? expect.stringMatching(said) : said));
  await expect.poll(t.transcript).toHaveLength(wanted.length);
  expect(t.synap.stored.map(line), alone.because).toEqual(wanted);
  if (alone === one)
    for (const [index, metadata] of (one.metadata ?? []).entries())
      if (metadata) expect(t.synap.stored[index]?.metadata, one.because).toMatchObject(metadata);
  one.check?.(recorder, way);
}

async function seenBy(one: Case, situation: Situation): Promise<unknown> {
  try {
    return await one.app(situation);
  } catch (error) {
    return { thrown: error instanceof Error ? error.message : error };
  }
}

/** Reads a stream of text to its end, as a reader on a screen does. */
export async function readText(stream: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const piece of stream) text += piece;
  return text;
}

/** Where the app is quiet about errors of a stream. */
export const quiet = { onError() {} };
