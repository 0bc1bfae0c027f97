import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RateLimiter, tokenBucket, UNLIMITED } from '../../src/delivery/rate-limiter.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout', 'hrtime'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a rate limit', () => {
  it('lets a burst go at once, then one request each time there is room', () => {
    const limiter = new RateLimiter(tokenBucket({ requestsPerMinute: 60, burst: 3 }));
    expect([limiter.next(), limiter.next(), limiter.next()]).toEqual([0, 0, 0]);
    const wait = limiter.next();
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(1000);
    vi.advanceTimersByTime(wait);
    expect(limiter.next()).toBe(0);
    expect(limiter.next()).toBeGreaterThan(0);
  });

  it('is no limit where there is none', () => {
    const limiter = new RateLimiter(UNLIMITED);
    for (let n = 0; n < 1000; n++) expect(limiter.next()).toBe(0);
  });
});

describe('a limit that is suspended', () => {
  const never = () => new RateLimiter(() => 1000);

  it('lets everything go for so long, and then holds again', () => {
    const limiter = never();
    expect(limiter.isSuspended).toBe(false);
    expect(limiter.next()).toBe(1000);
    limiter.suspend(5000);
    vi.advanceTimersByTime(4999);
    expect(limiter.isSuspended).toBe(true);
    expect(limiter.next()).toBe(0);
    vi.advanceTimersByTime(1);
    expect(limiter.isSuspended).toBe(false);
    expect(limiter.next()).toBe(1000);
  });

  it('holds again at once when Synap asks to slow down', () => {
    const limiter = never();
    limiter.suspend(5000);
    limiter.resume();
    expect(limiter.isSuspended).toBe(false);
    expect(limiter.next()).toBe(1000);
  });

  it('ends every pause', async () => {
    const limiter = never();
    const paused = [limiter.pause(60_000), limiter.pause(60_000)];
    limiter.suspend(1);
    await Promise.all(paused);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a pause', () => {
  it('lasts as long as it says', async () => {
    const limiter = new RateLimiter(UNLIMITED);
    const ended = vi.fn();
    const paused = limiter.pause(1000).then(ended);
    await vi.advanceTimersByTimeAsync(999);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await paused;
    expect(ended).toHaveBeenCalledOnce();
  });

  it('that is over is forgotten', async () => {
    const limiter = new RateLimiter(UNLIMITED);
    const paused = limiter.pause(1000);
    await vi.advanceTimersByTimeAsync(1000);
    await paused;
    limiter.suspend(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
