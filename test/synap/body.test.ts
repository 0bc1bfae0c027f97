import { afterEach, expect, it, vi } from 'vitest';
import { BODY_TIMEOUT_MS, readBody } from '../../src/synap/body.js';

afterEach(() => {
  vi.useRealTimers();
});

it('a body is given 10 seconds in all, however often something of it comes', async () => {
  vi.useFakeTimers();
  const cancel = vi.fn();
  const read = () =>
    new Promise<{ value: Uint8Array }>(resolve => {
      setTimeout(() => resolve({ value: Buffer.from(' ') }), 1000);
    });
  const body = readBody({ read, cancel });
  await vi.advanceTimersByTimeAsync(BODY_TIMEOUT_MS);
  expect(await body).toMatchObject({ unread: 'timed out after 10000 ms' });
  expect(cancel).toHaveBeenCalledOnce();
});

it('a body that ends leaves no timer behind', async () => {
  vi.useFakeTimers();
  const read = async () => ({ done: true });
  expect(await readBody({ read, cancel: () => {} })).toEqual({ body: '' });
  expect(vi.getTimerCount()).toBe(0);
});
