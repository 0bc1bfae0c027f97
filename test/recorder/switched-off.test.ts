import { afterEach, describe, expect, it, vi } from 'vitest';
import { createRecorder } from '../../src/index.js';
import { recorderOn } from '../support/recorder.js';

afterEach(() => vi.unstubAllEnvs());

describe('SYNAP_RECORDING', () => {
  it.each(['off', 'OFF', ' off\n'])('%j switches recording off, and needs no key', value => {
    vi.stubEnv('SYNAP_RECORDING', value);
    vi.stubEnv('SYNAP_API_KEY', '');
    const recorder = createRecorder({ enabled: true });
    expect(recorder.enabled).toBe(false);
    recorder.turn({ userId: 'ada' }).user('Hi');
    expect(recorder.stats()).toMatchObject({ accepted: 0, refused: {} });
  });

  it('that is neither on nor off leaves it on, and says so', () => {
    vi.stubEnv('SYNAP_RECORDING', 'disabled');
    const warn = vi.fn();
    const recorder = createRecorder({ apiKey: 'k', logger: { info() {}, warn, error() {} } });
    expect(recorder.enabled).toBe(true);
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('SYNAP_RECORDING must be "off" or "on"'));
  });
});

describe('without recording', () => {
  it('nothing is a message or a loss, however deep and asynchronous, and all else is as before', async () => {
    await using on = await recorderOn();
    const identity = { conversationId: 'c' };
    const answer = await on.recorder.withoutRecording(async () => {
      await null;
      expect(on.recorder.isRecording).toBe(false);
      on.recorder.withIdentity({ userId: 'bob' }, () => on.recorder.turn(identity).user('a title, please'));
      on.recorder.turn({ userId: 'undefined' }).user('nobody');
      return 42;
    });
    expect(answer).toBe(42);
    expect(on.recorder.isRecording).toBe(true);
    on.recorder.turn(identity).user('Hi');
    await on.recorder.flush();
    expect(on.synap.stored.map(({ content }) => content)).toEqual(['Hi']);
    expect(on.recorder.stats()).toMatchObject({ accepted: 1, refused: {}, repeated: 0 });
    expect(on.losses).toEqual([]);
  });

  it('a turn that was opened before goes on', async () => {
    await using on = await recorderOn();
    const turn = on.recorder.turn({ conversationId: 'c' });
    on.recorder.withoutRecording(() => turn.user('Hi'));
    await on.recorder.flush();
    expect(on.synap.stored).toHaveLength(1);
  });

  it('what it throws is the app’s', () => {
    const recorder = createRecorder({ enabled: false });
    const boom = () => {
      throw new Error('boom');
    };
    expect(() => recorder.withoutRecording(boom)).toThrow('boom');
  });
});
